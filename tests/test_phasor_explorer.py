"""The phasors of lesson 02: one set of lengths, and the phases alone decide between click, sweep and noise."""

import numpy as np
import pytest
import traitlets

from tad_course.lessons.explorers.phasor_explorer import (
    KINDS,
    PARTIALS,
    PhasorExplorer,
    partial_phases,
    phasor_explorer,
    tips,
    wave,
)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", (1, 5, PARTIALS))
def test_every_kind_has_the_same_amount_of_each_partial(kind, count):
    amounts = np.abs(np.fft.rfft(wave(partial_phases(kind, count), 512))) / 256
    assert amounts[1 : count + 1] == pytest.approx(1 / count)
    assert np.abs(amounts[count + 1 :]).max() < 1e-12 and amounts[0] < 1e-12


@pytest.mark.parametrize("kind", KINDS)
def test_the_height_of_the_last_tip_is_the_wave(kind):
    phases = partial_phases(kind, 12)
    heights = [tips(phases, n / 64)[-1].real for n in range(64)]
    assert heights == pytest.approx(wave(phases, 64))
    assert np.abs(np.diff(tips(phases, 0.3))) == pytest.approx(1 / 12)


def test_only_the_click_reaches_the_top():
    peaks = {kind: np.abs(wave(partial_phases(kind, 32))).max() for kind in KINDS}
    assert peaks["all 0"] == pytest.approx(1)
    assert max(peaks["sweep"], peaks["random"]) < 0.6


def test_the_slope_of_the_sweeps_phase_delays_partial_k_by_k_of_count():
    slope = np.diff(partial_phases("sweep", 20))
    assert -slope / (2 * np.pi) * 20 == pytest.approx(np.arange(1, 20) + 0.5)


def test_the_page_is_sent_new_phases_when_a_control_moves():
    explorer = PhasorExplorer("all 0", 3)
    assert explorer.phases == [0, 0, 0]
    explorer.kind, explorer.partials = "sweep", 7
    assert explorer.phases == pytest.approx(list(partial_phases("sweep", 7)))
    with pytest.raises(traitlets.TraitError):
        explorer.partials = PARTIALS + 1
    with pytest.raises(ValueError, match="all 0, sweep, random"):
        partial_phases("loud", 3)


def test_where_no_widget_runs_a_described_picture_is_left(monkeypatch):
    shown = []
    monkeypatch.setattr("tad_course.display.fallback.display", lambda data, raw: shown.append(data))
    phasor_explorer()
    assert "<img" in shown[0]["text/html"] and "phases sweep" in shown[0]["text/html"]
    assert shown[0]["text/plain"].startswith("[explorer]")
