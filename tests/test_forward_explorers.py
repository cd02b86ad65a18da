"""The cloud and the figures of lesson 03: every shape melts into one Gaussian; what is drawn is what was written."""

import pytest
import torch

from tad_course.lessons.explorers import forward_figures
from tad_course.lessons.explorers.cloud_explorer import CLUSTERS, LINE, RING, CloudExplorer, cloud_explorer


@pytest.fixture(scope="module")
def explorer():
    return CloudExplorer()


@pytest.mark.parametrize("shape", (CLUSTERS, RING, LINE))
def test_every_shape_keeps_its_variance_and_ends_as_the_same_gaussian(explorer, shape):
    explorer.shape.value = shape
    for t in (0.0, 0.5, 1.0):
        explorer.slider.value = t
        assert torch.allclose(explorer.x_t().var(0), torch.ones(2), atol=0.2)
    assert torch.allclose(explorer.x_t(), explorer.eps, atol=1e-5)
    assert abs(float(torch.corrcoef(explorer.x_t().T)[0, 1])) < 0.15


@pytest.mark.parametrize("shape", (CLUSTERS, RING, LINE))
def test_the_groups_can_be_told_apart_less_and_less(explorer, shape):
    explorer.shape.value, shares = shape, []
    for t in (0.0, 0.6, 1.0):
        explorer.slider.value = t
        shares.append(explorer.told_apart())
    assert shares[0] > 0.97 and shares[0] > shares[1] > shares[2]
    assert shares[2] == pytest.approx(0.5, abs=0.07)


def test_moving_the_slider_changes_the_picture_and_its_description(explorer):
    explorer.shape.value, explorer.slider.value = RING, 0.2
    before = explorer.figure_widget.value
    explorer.slider.value = 0.7
    assert explorer.figure_widget.value != before
    assert "a ring at t = 0.70" in explorer.figure_widget.value


def test_it_draws_the_mix_that_it_is_given():
    explorer = CloudExplorer(RING, 0.4, noisy=lambda x_0, t, eps: x_0 + 10 * t)
    assert torch.allclose(explorer.x_t(), explorer.x_0 + 4)


def test_where_no_widget_runs_a_picture_is_left(monkeypatch):
    shown = []
    monkeypatch.setattr("tad_course.display.fallback.display", lambda data, raw: shown.append(data))
    cloud_explorer(CLUSTERS, 0.5)
    assert "<img" in shown[0]["text/html"] and shown[0]["text/plain"].startswith("[explorer] two clusters, t = 0.50")


def test_the_bars_of_the_octaves_say_in_words_where_each_ends(monkeypatch):
    alts = []
    monkeypatch.setattr("tad_course.display.plots.show", lambda fig, alt: alts.append(alt))
    forward_figures.draw_octaves({"kick": torch.tensor([-30.0, 5.0])}, ["88", "177"])
    assert "kick: -30, +5 dB" in alts[0]


def test_a_grid_of_stages_has_a_row_for_each_noise_level_and_a_column_for_each_drum(monkeypatch):
    shown = []
    monkeypatch.setattr("tad_course.display.plots.show", lambda fig, alt: shown.append((fig, alt)))
    stages = {t: {name: torch.randn(2, 8192) for name in ("kick", "snare", "conga")} for t in (0, 1)}
    forward_figures.draw_spectrograms(stages)
    forward_figures.draw_histograms(stages)
    (grid, words), (row, _) = shown
    assert len(grid.axes) == 2 * 3 + 1  # and the color bar
    assert len(row.axes) == 2
    assert "kick, snare, conga at t = 0, 1" in words
