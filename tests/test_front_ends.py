"""Front ends are rotations: nothing is lost, nothing is gained, and white noise stays white (lesson 06)."""

import math

import numpy as np
import pytest
import scipy.fft
import torch

from tad_course.drums import render
from tad_course.model.transforms import WINDOWS, Identity, LappedTransform, Patching, Whitening, groups_of_bands, mid_side

N = 4096  # samples; what holds here holds for 32,768


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def mono(signal: torch.Tensor) -> torch.Tensor:
    """Return `[1, 2, n]` whose mid is `signal` `[n]` and whose side is silent."""
    return mid_side(torch.stack([signal, torch.zeros_like(signal)]))[None]


def textbook_mdct(x: np.ndarray, bands: int) -> np.ndarray:
    """Return `[frames, bands]`: frames of 2·bands samples, a hop of `bands`, the sine window."""
    n, k = np.arange(2 * bands), np.arange(bands)
    window = np.sin(np.pi / (2 * bands) * (n + 0.5))
    phase = np.pi / bands * (n[:, None] + 0.5 + bands / 2) * (k + 0.5)
    basis = math.sqrt(2 / bands) * window[:, None] * np.cos(phase)
    frames = np.lib.stride_tricks.sliding_window_view(x, 2 * bands)[::bands]
    return frames @ basis


@pytest.mark.parametrize("kind", [Identity, Patching, LappedTransform])
@pytest.mark.parametrize("block_size", [2, 16, 64, 256])
def test_every_front_end_gives_back_what_it_took(kind, block_size):
    x = noise(3, 2, N)
    front_end = kind(block_size)
    z = front_end.encode(x)
    assert z.shape == (3, 2 * front_end.block_size, N // front_end.block_size) and z.numel() == x.numel()
    assert (front_end.decode(z) - x).abs().max() < 1e-5


@pytest.mark.parametrize("kind", [Identity, Patching, LappedTransform])
def test_every_front_end_keeps_the_angle_between_any_two_sounds(kind):
    x, y = noise(2, 1, 2, N).double()
    front_end = kind(64).double()
    assert (front_end.encode(x) * front_end.encode(y)).sum() == pytest.approx(float((x * y).sum()), rel=1e-5)


def test_groups_are_narrow_below_and_wide_above_and_take_each_band_once():
    one = [1, 1, 1, 1, 2, 2, 4, 4, 8, 8, 16, 16]
    assert groups_of_bands(64).sum(1).tolist() == one
    assert LappedTransform(64).groups().sum(1).tolist() == one + one
    assert groups_of_bands(64, share=8).sum(1).tolist() == [1] * 16 + [2] * 8 + [4] * 8
    assert groups_of_bands(24, first=8).sum(1).tolist() == [4, 4, 8, 8]  # where 32 bands go on after the first 8
    for bands in (1, 2, 6, 32, 64, 100):
        assert groups_of_bands(bands).sum(0).tolist() == [1] * bands


def test_the_lapped_transform_keeps_the_energy_of_a_drum_to_a_ten_thousandth():
    x = render("snare", 3).audio[None]
    assert LappedTransform(64).encode(x).square().sum() == pytest.approx(float(x.square().sum()), rel=1e-4)


@pytest.mark.parametrize("window", WINDOWS)
def test_the_matrix_of_the_lapped_transform_is_square_and_orthogonal(window):
    length, transform = 64, LappedTransform(8, window)
    rows = torch.eye(2 * length).reshape(-1, 2, length)
    matrix = transform.encode(rows).flatten(1)
    assert matrix.shape == (128, 128)
    assert torch.allclose(matrix @ matrix.T, torch.eye(128), atol=1e-6)


@pytest.mark.parametrize("rise", WINDOWS.values())
def test_the_squares_of_a_window_and_of_its_mirror_image_sum_to_one(rise):
    for block_size in (2, 64, 256):
        window = rise(block_size)
        assert torch.allclose(window.square() + window.flip(0).square(), torch.ones(block_size).double())
        assert (window.diff() > 0).all() and window[0] > 0 and window[-1] <= 1


def test_behind_the_vorbis_window_a_tone_leaks_less_into_bands_far_away():
    tone = torch.sin(2 * math.pi * 0.0031 * torch.arange(4 * N))
    leaks = {}
    for window in WINDOWS:
        z = LappedTransform(64, window).encode(mono(tone))[:, :64, 8:-8].square().mean((0, 2))
        leaks[window] = 10 * torch.log10(z[8:].sum() / z.sum())
    assert leaks["sine"] > -60 and leaks["vorbis"] < leaks["sine"] - 20


def test_white_noise_stays_white_behind_the_lapped_transform():
    z = LappedTransform(64).encode(noise(64, 2, N))  # 64 · 64 numbers for each of 128 channels
    correlation = torch.corrcoef(z.transpose(0, 1).flatten(1))
    error = 1 / math.sqrt(64 * 64)
    assert (z.square().mean((0, 2)) - 1).abs().max() < 5 * math.sqrt(2) * error
    assert (correlation - torch.eye(128)).abs().max() < 6 * error
    neighbours = (z[:, :, 1:] * z[:, :, :-1]).mean((0, 2))
    assert neighbours.abs().max() < 5 * error


def test_without_a_fold_each_block_is_the_type_iv_cosine_transform_of_scipy():
    blocks = noise(7, 64)
    expected = scipy.fft.dct(blocks.double().numpy(), type=4, norm="ortho")
    assert np.allclose((blocks @ LappedTransform(64).basis).numpy(), expected, atol=1e-5)


def test_a_sound_of_one_block_has_no_border_to_fold():
    signal = noise(64)
    z = LappedTransform(64).encode(mono(signal))
    assert np.allclose(z[0, :64, 0], scipy.fft.dct(signal.double().numpy(), type=4, norm="ortho"), atol=1e-5)
    assert z[0, 64:].abs().max() < 1e-6  # side


@pytest.mark.parametrize("bands", [8, 64])
def test_the_lapped_transform_is_the_textbook_mdct_of_the_sound_played_backwards_up_to_its_sign(bands):
    signal = noise(20 * bands)
    ours = LappedTransform(bands).encode(mono(signal))[0, :bands].T.double().numpy()  # [frames, bands]
    padded = np.pad(signal.double().numpy()[::-1], bands // 2)  # the textbook's frames are centred on our blocks
    theirs = -textbook_mdct(padded, bands)[::-1]
    assert np.allclose(ours[1:-1], theirs[1:-1], atol=1e-5)
    assert not np.allclose(ours[0], theirs[0], atol=1e-2)  # only the ends differ, for there nothing is folded


@pytest.mark.parametrize("position", [0, 10, 63])
def test_nothing_wraps_around_from_the_attack_into_the_last_frames_or_back(position):
    transform = LappedTransform(64)
    start, end = torch.zeros(2, 1, 2, N)
    start[..., position], end[..., N - 1 - position] = 1, 1
    assert (transform.encode(start)[..., 2:] == 0).all()
    assert (transform.encode(end)[..., :-2] == 0).all()


def test_an_error_in_one_frame_is_heard_in_its_neighbourhood_only_and_without_a_step_at_its_borders():
    z = torch.zeros(1, 128, 64)
    z[0, 3, 30] = 1
    heard = LappedTransform(64).decode(z)[0, 0]
    begin, end = 30 * 64 - 32, 31 * 64 + 32
    assert (heard[:begin] == 0).all() and (heard[end:] == 0).all()
    assert max(abs(heard[begin]), abs(heard[end - 1])) < 0.05 * heard.abs().max()
    clicks = Patching(64).decode(z)[0, 0]
    assert clicks.diff().abs().max() == clicks.abs().max()  # a patch starts and ends at full height


def test_patching_moves_numbers_and_changes_none():
    x = torch.arange(2.0 * N).reshape(1, 2, N)
    z = Patching(64).encode(x)
    assert torch.equal(z.flatten().sort().values, x.flatten())
    assert torch.equal(z[0, :64, 5], x[0, 0, 5 * 64 : 6 * 64]) and torch.equal(z[0, 64:, 5], x[0, 1, 5 * 64 : 6 * 64])


def test_the_identity_is_the_sound_itself():
    x = noise(1, 2, N)
    assert torch.equal(Identity().encode(x), x) and torch.equal(Identity().decode(x), x)


def test_mid_and_side_of_a_mono_sound_are_the_sound_and_silence():
    x = noise(1, N).expand(2, N)
    mid, side = mid_side(x)
    assert torch.allclose(mid, math.sqrt(2) * x[0]) and (side == 0).all()
    y = noise(2, N)
    assert torch.allclose(mid_side(mid_side(y)), y, atol=1e-6)


@pytest.mark.parametrize("kind", [Patching, LappedTransform])
def test_a_length_that_does_not_divide_is_refused_with_the_next_one_that_does(kind):
    with pytest.raises(ValueError, match=r"1000 samples .* blocks of 64; .* 1024"):
        kind(64).encode(noise(1, 2, 1000))


def whitened_by(mean_square: torch.Tensor, power: float = 0.6, share: float = 0.03) -> Whitening:
    whitening = Whitening(*mean_square.shape, power, share)
    whitening.fit(mean_square)
    return whitening


@pytest.mark.parametrize("power", [0.3, 0.6, 1.0])
def test_whitened_sounds_have_unit_variance_and_come_back(power):
    labels = torch.arange(60) % 3
    z = noise(60, 8, 16) * torch.logspace(-3, 1, 16) * (1 + labels)[:, None, None]
    whitening = whitened_by(torch.stack([z[labels == k].square().mean(0) for k in range(3)]), power)
    white = whitening.encode(z, labels)
    assert white.square().mean() == pytest.approx(1, rel=1e-3)
    assert torch.allclose(whitening.decode(white, labels), z, rtol=1e-5, atol=1e-8)


def test_the_power_decides_how_much_of_the_range_between_loud_and_quiet_places_is_left():
    mean_square = torch.tensor([[[1.0, 1e-4]]])  # one class, 40 dB apart
    for power, left_db in [(0.0, 40.0), (0.5, 20.0), (1.0, 0.0)]:
        whitening = whitened_by(mean_square, power)
        loud, quiet = whitening.encode(mean_square.sqrt(), torch.tensor([0])).flatten().tolist()
        assert 20 * math.log10(loud / quiet) == pytest.approx(left_db, abs=0.01)


def test_each_class_is_scaled_by_its_own_loudness():
    mean_square = torch.tensor([[[1.0, 1e-4]], [[1e-4, 1.0]]])
    scale = whitened_by(mean_square, power=1.0, share=0.0).scale
    assert torch.allclose(scale, mean_square.sqrt())
    assert torch.allclose(whitened_by(mean_square).scale[0], whitened_by(mean_square).scale[1].flip(-1))


def test_a_foreign_sound_is_not_blown_up_where_a_class_is_silent():
    mean_square = torch.tensor([[[1.0, 0.0]], [[1.0, 1.0]]])  # only the second class sounds in the second place
    foreign, silent = torch.tensor([[[0.0, 1.0]]]), torch.tensor([0])
    assert whitened_by(mean_square, share=0.0).encode(foreign, silent).max() > 500
    assert whitened_by(mean_square).encode(foreign, silent).max() < 20


def test_digital_silence_is_whitened_to_silence_and_not_to_nan():
    whitening = whitened_by(torch.tensor([[[1.0, 0.0]]]))
    assert torch.isfinite(whitening.scale).all() and (whitening.scale > 0).all()
    assert (whitening.encode(torch.zeros(1, 1, 2), torch.tensor([0])) == 0).all()
