"""The explorers of lessons 05 and 06: reach agrees with gradients, errors lie where the lesson says, sound is safe."""

import base64
import io
import re

import numpy as np
import pytest
import soundfile
import torch
from torch import nn

from tad_course.audio.levels import dbfs
from tad_course.drums import voices as drums
from tad_course.lessons.explorers.block_explorer import (
    BLOCK_SIZES,
    BlockExplorer,
    FoldExplorer,
    high_part,
    level_errors,
)
from tad_course.lessons.explorers.length_figures import slope_of_bands_db, slope_of_noise_db
from tad_course.lessons.explorers.receptive_field_explorer import ReceptiveFieldExplorer, down_path, receptive_field
from tad_course.lessons.explorers.transform_trial import some_kicks, tail_db
from tad_course.lessons.lesson_06 import dct_matrix, fold, pink_scale
from tad_course.model.transforms import LappedTransform, vorbis_window

KICK = drums.kick(click=0.02)


def played(explorer) -> np.ndarray:
    data = re.search(r"base64,([A-Za-z0-9+/=]+)", explorer.player_widget.value).group(1)
    return soundfile.read(io.BytesIO(base64.b64decode(data)))[0]


def alt(explorer) -> str:
    return re.search(r'alt="([^"]*)"', explorer.figure_widget.value).group(1)


def samples_with_a_gradient(layers) -> int:
    net = nn.Sequential(*(nn.Conv1d(1, 1, kernel, stride) for kernel, stride in layers))
    for layer in net:
        nn.init.ones_(layer.weight)
    x = torch.zeros(1, 1, 8192, requires_grad=True)
    y = net(x)
    y[0, 0, y.shape[-1] // 2].backward()
    return int((x.grad != 0).sum())


@pytest.mark.parametrize("levels, factor, kernel", [(1, 2, 3), (3, 2, 3), (4, 4, 3), (3, 3, 7), (5, 1, 5)])
def test_the_receptive_field_is_what_gradients_reach(levels, factor, kernel):
    layers = down_path(levels, factor, kernel)
    assert receptive_field(layers) == samples_with_a_gradient(layers)


def test_what_is_played_is_as_long_as_the_receptive_field():
    explorer = ReceptiveFieldExplorer(KICK, levels=4, factor=4)
    heard = np.flatnonzero(np.abs(played(explorer)).max(axis=1))
    assert heard[-1] - heard[0] < explorer.field
    assert str(explorer.field) in alt(explorer)


def test_a_field_longer_than_the_sound_plays_all_of_it():
    explorer = ReceptiveFieldExplorer(KICK, levels=8, factor=4)
    assert explorer.window() == (0, KICK.shape[-1])


@pytest.mark.parametrize("block_size", BLOCK_SIZES[2:])  # at 8 and 16, one band is itself 1.4 kHz wide or more
def test_errors_of_the_same_size_leave_less_treble_with_the_lapped_transform(block_size):
    treble = {}
    for transform in ("patching", "lapped"):
        explorer = BlockExplorer(KICK, transform, block_size)
        treble[transform] = dbfs(high_part(explorer.heard() - KICK))
    assert treble["lapped"] < treble["patching"] - 6


def test_without_an_error_the_sound_comes_back():
    explorer = BlockExplorer(KICK, "lapped", error_db=0.0)
    assert torch.allclose(explorer.heard(), KICK, atol=1e-5)
    assert torch.equal(level_errors(8, 0.0), torch.ones(8))


@pytest.mark.parametrize(
    "make, control, value",
    [
        (ReceptiveFieldExplorer, "levels", 2),
        (ReceptiveFieldExplorer, "kernel", 9),
        (BlockExplorer, "block_size", 256),
        (BlockExplorer, "transform", "lapped"),
        (BlockExplorer, "error", 6.0),
    ],
)
def test_moving_a_control_changes_picture_description_and_sound_which_stays_safe(make, control, value):
    explorer = make(KICK)
    before = explorer.figure_widget.value, alt(explorer), explorer.player_widget.value
    getattr(explorer, control).value = value
    after = explorer.figure_widget.value, alt(explorer), explorer.player_widget.value
    assert all(now != then for now, then in zip(after, before, strict=True))
    assert np.abs(played(explorer)).max() <= 10 ** (-1 / 20) + 1e-4


@pytest.fixture
def folding():
    return FoldExplorer(KICK, fold, dct_matrix, vorbis_window(64).float())


def test_the_whole_fold_is_the_lapped_transform_and_none_of_it_the_cosines_of_the_block(folding):
    z = LappedTransform(64).encode(folding.blocks.flatten().expand(1, 2, -1) / 2**0.5)[0, :64]  # mid
    assert np.allclose(10 ** (folding.spectrum(1.0) / 20), z[:, 2].abs().numpy(), atol=1e-4)
    plain = np.abs((folding.blocks[2] @ dct_matrix(64)).numpy())
    assert np.allclose(10 ** (folding.spectrum(0.0) / 20), plain, atol=1e-4)


def test_folding_takes_the_treble_out_of_a_slow_wave_and_the_hard_ends_off_the_wave_of_a_band(folding):
    assert folding.treble_db(1.0) < folding.treble_db(0.0) - 20
    hard, soft = folding.band_wave(0.0), folding.band_wave(1.0)
    assert np.abs(np.diff(soft)).max() < np.abs(np.diff(hard)).max()
    assert np.isclose((hard**2).sum(), 1, atol=1e-4) and np.isclose((soft**2).sum(), 1, atol=1e-4)


@pytest.mark.parametrize("control, value", [("amount", 40), ("band", 20)])
def test_moving_the_fold_changes_picture_and_description(folding, control, value):
    before = folding.figure_widget.value, alt(folding)
    getattr(folding, control).value = value
    assert folding.figure_widget.value != before[0] and alt(folding) != before[1]


def test_the_player_button_moves_the_slider(folding):
    folding.play.value = 25
    assert folding.amount.value == 25


def test_slopes_of_pink_bands_and_of_white_noise():
    assert slope_of_bands_db(pink_scale(64, 0.14)[:64, 0]) == pytest.approx(-3.01, abs=0.01)
    noise = torch.randn(8, 2, 32768, generator=torch.Generator().manual_seed(0))
    assert slope_of_noise_db(noise) == pytest.approx(0, abs=0.2)


def test_hiss_in_the_tail_is_measured_in_its_band_and_a_kick_has_none():
    kicks = some_kicks(3)
    assert torch.equal(kicks, some_kicks(3))
    assert tail_db(kicks, 2000, 22050) < -80
    tone = 0.01 * torch.sin(2 * torch.pi * 4000 * torch.arange(8192) / 44100)
    assert tail_db(kicks + tone, 2000, 8000) > tail_db(kicks + tone, 8000, 22050) + 40
