"""The explorers of lessons 01 and 02: a slider that is let go changes picture, description and sound together."""

import math
import re

import pytest

from tad_course.drums.voices import VOICES
from tad_course.lessons.explorers import phase_explorer, sound_explorer
from tad_course.lessons.explorers.phase_explorer import BLOCKS, PhaseExplorer
from tad_course.lessons.explorers.sound_explorer import SoundExplorer, middle


@pytest.fixture(scope="module")
def sound():
    return SoundExplorer()


@pytest.fixture(scope="module")
def phase():
    return PhaseExplorer()


def alt(explorer) -> str:
    return re.search(r'alt="([^"]*)"', explorer.figure_widget.value).group(1)


def state(explorer) -> tuple[str, str]:
    return explorer.figure_widget.value, explorer.player_widget.value


def test_a_moved_parameter_changes_picture_and_sound_and_names_its_value(sound):
    before = state(sound)
    sound.slider.value = 70.0
    assert all(now != then for now, then in zip(state(sound), before, strict=True))
    assert alt(sound).startswith("kick, pitch_hz = 70: peak -3.0 dBFS")


@pytest.mark.parametrize("voice", VOICES)
def test_every_parameter_of_every_voice_can_be_moved_within_its_range(sound, voice, monkeypatch):
    monkeypatch.setattr(sound, "update", lambda: None)  # no need to draw them all
    sound.voice.value = voice
    assert sound.parameter.options == tuple(VOICES[voice].ranges)
    middles = {name: middle(limits) for name, limits in VOICES[voice].ranges.items()}
    for name, limits in VOICES[voice].ranges.items():
        sound.parameter.value = name
        assert (sound.slider.min, sound.slider.max) == (limits.low, limits.high)
        sound.slider.value = limits.high
        assert sound.settings == middles | {name: limits.high}


def test_another_voice_is_played_and_drawn_at_once(sound):
    sound.voice.value = "woodblock"
    sound.voice.value = "cowbell"
    assert alt(sound).startswith("cowbell, pitch_hz = ")


@pytest.mark.parametrize("limits, expected", [(VOICES["kick"].ranges["pitch_hz"], math.sqrt(38 * 75))])
def test_the_middle_of_a_logarithmic_range_is_its_geometric_mean(limits, expected):
    assert middle(limits) == pytest.approx(expected)


def test_every_block_length_gives_another_swap(phase):
    seen = set()
    for block in BLOCKS:
        phase.block.value = block
        assert alt(phase).startswith(f"magnitude of kick, phase of snare, 0.2 s later, block {block:,}")
        seen.add(phase.player_widget.value)
    assert len(seen) == len(BLOCKS)


def test_a_menu_changes_the_swap_too(phase):
    before = state(phase)
    phase.phase_of.value = "white noise"
    assert all(now != then for now, then in zip(state(phase), before, strict=True))


@pytest.mark.parametrize("show", [sound_explorer.sound_explorer, phase_explorer.phase_explorer])
def test_where_no_kernel_runs_a_described_picture_stands_in(show, monkeypatch):
    bundles = []
    monkeypatch.setattr("tad_course.display.fallback.display", lambda data, raw: bundles.append(data))
    show()
    assert re.search(r'<img alt="[^"]{40,}" src="data:image/png', bundles[0]["text/html"])
    assert bundles[0]["text/plain"].startswith("[explorer]")
