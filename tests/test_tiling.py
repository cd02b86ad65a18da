"""The tiled transform is a rotation whose blocks are long where tones are and short at the attack (lesson 06)."""

import numpy as np
import pytest
import scipy.fft
import torch

from tad_course.drums import render
from tad_course.front_ends import LappedTransform, mid_side
from tad_course.synthesis import SAMPLE_RATE
from tad_course.tiling import PARTS, TiledTransform, attack_order, dct_iv, dst_iv, fold

N = 16_384
TILED = TiledTransform(1024)


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def energy(signal: np.ndarray | torch.Tensor, transform: TiledTransform = TILED) -> torch.Tensor:
    """Return where the energy of a mono signal lies, `[block_size, L]`, in shares."""
    signal = torch.as_tensor(signal, dtype=torch.float32)
    z = transform.encode(mid_side(torch.stack([signal, torch.zeros_like(signal)]))[None])
    return z[0, : transform.block_size].square() / z.square().sum()


@pytest.mark.parametrize("block_size", [256, 512, 1024])
@pytest.mark.parametrize("window", ["sine", "vorbis"])
def test_nothing_is_lost_and_angles_stay(block_size, window):
    transform = TiledTransform(block_size, window)
    x, y = noise(2, 3, 2, 4096)
    z = transform.encode(x)
    assert z.shape == (3, 2 * block_size, 4096 // block_size)
    assert (transform.decode(z) - x).abs().max() < 2e-5
    assert (z * transform.encode(y)).sum() == pytest.approx(float((x * y).sum()), rel=1e-3, abs=1e-2)


def test_one_frame_is_enough():
    x = noise(1, 2, 1024)
    assert (TILED.decode(TILED.encode(x)) - x).abs().max() < 2e-5


@pytest.mark.parametrize("size", [2, 6, 40, 1024])
def test_the_cosine_transform_is_scipys(size):
    x = noise(3, size)
    theirs = torch.from_numpy(scipy.fft.dct(x.double().numpy(), type=4, norm="ortho")).float()
    assert torch.allclose(dct_iv(x), theirs, atol=1e-5)


def test_with_equal_blocks_fold_and_cosines_are_the_lapped_transform():
    x = noise(1, 2, 1024)
    blocks = dct_iv(fold(mid_side(x), (64,) * 16, "vorbis").unflatten(-1, (16, 64)))
    theirs = LappedTransform(64, "vorbis").encode(x).unflatten(1, (2, 64)).transpose(-1, -2)
    assert torch.allclose(blocks, theirs, atol=1e-5)


def test_a_tone_of_a_drum_fills_few_low_bands():
    t = np.arange(N) / SAMPLE_RATE
    tone = np.sin(2 * np.pi * 200 * t) * np.hanning(N)
    bands = energy(tone)[:, 3:13].sum(1)
    assert int(bands.argmax()) in (8, 9, 10)  # of 21.5 Hz
    far = (bands / bands.sum())[40:].sum()
    short = energy(tone, TiledTransform(256))[:, 12:52].sum(1)
    assert far < 1e-9 < 2e-7 < (short / short.sum())[10:].sum()  # as far away in Hz


@pytest.mark.parametrize("part", [1, 2])
@pytest.mark.parametrize("sample", [600, 5000])
def test_a_click_stays_within_a_short_block_and_its_neighbours(sample, part):
    click = np.zeros(N)
    click[sample] = 1
    tiles, places = energy(click).split(TILED.bands)[part], PARTS[part].blocks
    blocks = tiles.unflatten(0, (-1, places)).sum(0).T.flatten()
    near = sample // (1024 // places)
    assert blocks[near - 1 : near + 2].sum() / blocks.sum() > 0.99
    assert blocks.sum() == pytest.approx(PARTS[part].eighths / 8, rel=0.02)  # as much as there is spectrum


def test_a_tone_between_3_and_8_khz_is_told_from_its_neighbours_by_longer_blocks_than_those_above():
    t = np.arange(N) / SAMPLE_RATE
    middle, high = (
        energy(np.sin(2 * np.pi * hz * t) * np.hanning(N))[first:last].unflatten(0, (-1, places)).sum((1, 2))
        for hz, (first, last), places in ((5000, (128, 384), 4), (12_000, (384, 1024), 8))
    )
    in_hz = [(bands / bands.sum() > 0.01).sum() * width for bands, width in ((middle, 86), (high, 172))]
    assert in_hz[0] < in_hz[1]


def test_an_attack_at_the_start_is_told_from_what_follows_by_shorter_low_blocks():
    t = np.arange(N) / SAMPLE_RATE
    late = np.where((t > 600 / SAMPLE_RATE) & (t < 1000 / SAMPLE_RATE), np.sin(2 * np.pi * 500 * t), 0)
    groups = TILED.groups()[:96, : TILED.low] @ energy(late)[: TILED.low, 0]
    groups = groups.unflatten(0, (-1, 4))  # two places in time, then a third that is as long as both
    assert groups[:, 2:].sum() > 20 * groups[:, :2].sum()


def test_bands_rise_in_the_first_frame_too():
    assert attack_order((2, 2, 4), [1] * 8).tolist() == [0, 2, 4, 5, 1, 3, 6, 7]
    assert attack_order((2, 2, 4), [2] * 4).tolist() == [0, 1, 2, 3, 4, 5, 6, 7]
    t = np.arange(N) / SAMPLE_RATE
    places = [float((energy(np.exp(-60 * t) * np.sin(2 * np.pi * hz * t))[:64, 0] * torch.arange(64)).sum())
              for hz in (100, 300, 600, 1000)]  # fmt: skip
    assert places == sorted(places)


def test_a_shorter_sound_has_the_first_frames():
    x = render("snare", 0).audio[None]
    whole, part = TILED.encode(x), TILED.encode(x[..., :8192])
    assert torch.allclose(whole[..., :6], part[..., :6], atol=1e-4)


def test_every_channel_is_in_one_group_and_groups_widen_with_frequency():
    groups = TILED.groups()
    assert groups.shape == (432, 2048) and groups.sum(0).eq(1).all()
    low = [1] * 64 + [2] * 32
    assert groups.sum(1)[:96].tolist() == low and groups.sum(1)[216:312].tolist() == low
    middle, high = (groups[a:b, c:d].unflatten(1, (-1, places)) for a, b, c, d, places in
                    ((96, 192, 128, 384, 4), (192, 216, 384, 1024, 8)))  # fmt: skip
    for part in (middle, high):
        assert (part.sum(1).gt(0).sum(1) == 1).all()  # one place in time each
    assert middle[::4].sum((1, 2)).tolist() == [2] * 16 + [4] * 8
    assert high[::8].sum((1, 2)).tolist() == [16, 32, 32]


def test_what_was_kept_while_nobody_wanted_gradients_serves_those_who_do():
    transform = TiledTransform(256)
    with torch.inference_mode():
        transform.encode(noise(1, 2, 1536))
    z = noise(1, 512, 6).requires_grad_()
    transform.decode(z).square().sum().backward()
    assert torch.allclose(z.grad, 2 * z, atol=1e-4)  # a rotation keeps the length


def test_a_length_that_does_not_divide_is_refused():
    with pytest.raises(ValueError, match="1000 samples does not divide into frames of 1024"):
        TILED.encode(noise(1, 2, 1000))


@pytest.mark.parametrize("size", [2, 6, 40])
def test_the_sine_transform_is_scipys(size):
    x = noise(3, size)
    theirs = torch.from_numpy(scipy.fft.dst(x.double().numpy(), type=4, norm="ortho")).float()
    assert torch.allclose(dst_iv(x), theirs, atol=1e-5)


def waves(x: torch.Tensor) -> torch.Tensor:
    """Return the tiles `[B, 2·waves, L]`, of mid and side, of the parts that have tones."""
    return TILED.encode(x).unflatten(1, (2, -1))[:, :, : TILED.waves].flatten(1, 2)


def test_sines_for_cosines_is_a_rotation_and_comes_back():
    low = waves(noise(2, 2, 8192))
    sines = TILED.quadrature(low)
    assert sines.norm() == pytest.approx(float(low.norm()), rel=1e-4)
    assert torch.allclose(TILED.quadrature(sines, back=True), low, atol=1e-5)
    assert float((low * sines).mean()) == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize(("pitch_hz", "bands"), [(333, [15]), (4030, range(128 + 14 * 4, 128 + 15 * 4))])
def test_cosines_and_sines_together_tell_how_strong_a_tone_is_wherever_in_its_swing_a_block_meets_it(pitch_hz, bands):
    t = np.arange(32_768) / SAMPLE_RATE
    tone = torch.as_tensor(np.sin(2 * np.pi * pitch_hz * t), dtype=torch.float32)
    low = waves(torch.stack([tone, tone])[None])
    cosines, both = low.square(), low.square() + TILED.quadrature(low).square()
    alone, together = ((tone / tone.mean()).std() for tone in (x[0, list(bands), 4:28] for x in (cosines, both)))
    assert together < 0.05 < 0.6 < alone
