"""The world of four sounds and the figures of lesson 04: every noise ends at a sound, and the pictures say so."""

import pytest
import torch

from tad_course.lessons.explorers import reverse_figures
from tad_course.lessons.explorers.world_explorer import SOUNDS, STARTS, WorldExplorer, world_explorer


@pytest.fixture(scope="module")
def world():
    return WorldExplorer()


@pytest.mark.parametrize("start", STARTS)
def test_every_noise_ends_at_one_of_the_four_sounds(world, start):
    world.start.value = start
    assert (world.points[-1] - SOUNDS[:, 0]).norm(dim=1).min() < 1e-3
    assert torch.allclose(world.means[-1], world.points[-1], atol=1e-3)


def test_different_noises_end_at_different_sounds(world):
    ends = set()
    for start in STARTS:
        world.start.value = start
        ends.add(int(world.shares[-1].argmax()))
    assert len(ends) >= 3


def test_at_the_start_the_posterior_mean_is_the_mean_of_all(world):
    world.slider.value = 1.0
    assert torch.allclose(world.means[world.at()], SOUNDS[:, 0].mean(0), atol=1e-3)


def test_the_way_of_x_t_has_no_jumps(world):
    for start in STARTS:
        world.start.value = start
        assert (world.points[1:] - world.points[:-1]).norm(dim=1).max() < 0.1


def test_moving_the_slider_changes_the_picture_and_its_description(world):
    world.slider.value = 0.8
    before = world.figure_widget.value
    world.slider.value = 0.2
    assert world.figure_widget.value != before
    assert "t = 0.20" in world.figure_widget.value


def test_it_goes_where_the_functions_that_it_is_given_lead():
    stays = WorldExplorer(step=lambda x_t, v, t, s: x_t)
    assert torch.equal(stays.points[0], stays.points[-1])
    first = WorldExplorer(probabilities=lambda x_t, t, sounds, prior: torch.tensor([1.0, 0.0, 0.0, 0.0]))
    assert torch.allclose(first.points[-1], SOUNDS[0, 0], atol=1e-3)


def test_where_no_widget_runs_a_picture_is_left(monkeypatch):
    shown = []
    monkeypatch.setattr("tad_course.display.fallback.display", lambda data, raw: shown.append(data))
    world_explorer(0.5)
    assert "<img" in shown[0]["text/html"] and shown[0]["text/plain"].startswith("[explorer] a world of four sounds")


def test_the_first_walk_ends_at_a_known_drum():
    drums = torch.randn(3, 2, 512)
    way = reverse_figures.first_walk(drums, torch.randn(2, 512))
    assert len(way) == 17
    assert (way[-1] - drums).abs().amax((1, 2)).min() < 1e-3


def test_the_picture_of_the_loss_says_where_its_minimum_is(monkeypatch):
    alts = []
    monkeypatch.setattr("tad_course.display.plots.show", lambda fig, alt: alts.append(alt))
    guess = torch.linspace(-1.5, 1.5, 301)
    reverse_figures.draw_loss(guess, {"fair": (guess - 0.5).square()}, {"fair": 0.5})
    assert "lowest at 0.5, the mean is 0.5" in alts[0]
