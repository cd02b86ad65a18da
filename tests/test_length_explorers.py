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
from tad_course.lessons.explorers.block_explorer import BLOCK_SIZES, BlockExplorer, high_part, level_errors
from tad_course.lessons.explorers.receptive_field_explorer import ReceptiveFieldExplorer, down_path, receptive_field

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
