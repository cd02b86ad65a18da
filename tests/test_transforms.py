"""Transforms are rotations: nothing is lost, nothing is gained, and white noise stays white (lesson 06)."""

import math

import numpy as np
import pytest
import scipy.fft
import torch

from tad_course.drums import LABELS, render
from tad_course.model.transforms import WINDOWS, Identity, LappedTransform, Patching, band_scale, mid_side

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
def test_every_transform_gives_back_what_it_took(kind, block_size):
    x = noise(3, 2, N)
    transform = kind(block_size)
    z = transform.encode(x)
    assert z.shape == (3, 2 * transform.block_size, N // transform.block_size) and z.numel() == x.numel()
    assert (transform.decode(z) - x).abs().max() < 1e-5


@pytest.mark.parametrize("kind", [Identity, Patching, LappedTransform])
def test_every_transform_keeps_the_angle_between_any_two_sounds(kind):
    x, y = noise(2, 1, 2, N).double()
    transform = kind(64).double()
    assert (transform.encode(x) * transform.encode(y)).sum() == pytest.approx(float((x * y).sum()), rel=1e-5)


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
    neighbors = (z[:, :, 1:] * z[:, :, :-1]).mean((0, 2))
    assert neighbors.abs().max() < 5 * error


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
    ours = LappedTransform(bands, "sine").encode(mono(signal))[0, :bands].T.double().numpy()  # [frames, bands]
    padded = np.pad(signal.double().numpy()[::-1], bands // 2)  # the textbook's frames are centered on our blocks
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


def test_an_error_in_one_frame_is_heard_in_its_neighborhood_only_and_without_a_step_at_its_borders():
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


def test_the_scale_of_bands_is_pink_the_same_power_in_every_octave():
    scale = band_scale(64, 0.14, 0.5)
    assert scale.shape == (128, 1) and torch.equal(scale[:64], scale[64:]) and scale[0] == pytest.approx(0.14)
    power = scale[:64, 0].double().square()
    octaves = [float(power[2**k : 2 ** (k + 1)].sum()) for k in range(2, 6)]
    assert max(octaves) < 1.15 * min(octaves)
    assert torch.equal(band_scale(64, 0.3, 0.0), torch.full((128, 1), 0.3))


def test_the_bands_of_the_drum_machine_are_as_loud_as_the_scale_says_on_average():
    power = 0
    for label in LABELS:
        audio = torch.stack([render(label, seed).audio for seed in range(40)])
        power = power + LappedTransform(64).encode(audio).square().mean((0, 2)) / len(LABELS)
    level_db = 10 * torch.log10((power[:64] + power[64:]) / 2).double()
    octave = torch.log2(torch.arange(64.0) + 1).double()
    slope, level = np.polyfit(octave, level_db, 1)
    assert slope == pytest.approx(-3, abs=0.6)  # decibels an octave: 10·log10(2) of a pink spectrum
    assert level == pytest.approx(20 * math.log10(0.14), abs=4)
