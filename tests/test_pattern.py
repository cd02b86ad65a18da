"""A bar of sixteen steps: each hit at its sample, a seamless loop, and MIDI that says the same."""

import io
import json
import math
from dataclasses import FrozenInstanceError, replace

import mido
import pytest
import torch

from tad_course.audio import peak_dbfs
from tad_course.drums.pattern import (
    ACCENT,
    GAINS_DB,
    MEDIUM,
    NOTES,
    OFF,
    SIGNS,
    SOFT,
    SWING_RANGE,
    VELOCITIES,
    Pattern,
    loop_samples,
    midi_bytes,
    mix_loop,
    render_loop,
    step_samples,
    surprise,
    to_midi,
)  # fmt: skip
from tad_course.drums.voices import LABELS

SILENT = "." * 16
CLICK = torch.ones(2, 1) * 0.5
SEEDS = range(60)


def one_hit(step: int, level: int = ACCENT, **others) -> Pattern:
    return Pattern(levels={"kick": SILENT}, **others).with_level("kick", step, level)


def onsets(loop: torch.Tensor) -> list[int]:
    return loop[0].nonzero().flatten().tolist()


# --- where each sound begins ---


@pytest.mark.parametrize("step", range(16))
def test_a_hit_begins_at_the_exact_sample_of_its_step(step):
    loop = render_loop(one_hit(step, bpm=120), {"kick": CLICK})
    assert loop.shape == (2, 88_200)  # four beats of half a second
    assert onsets(loop) == [round(step * 5512.5)]


@pytest.mark.parametrize("bpm", [40, 97, 123.4, 240])
def test_no_step_and_no_bar_is_off_by_more_than_half_a_sample(bpm):
    pattern = Pattern(bpm=bpm, levels={"kick": "X" * 16})
    step = 60 / bpm / 4 * 44_100
    assert abs(loop_samples(pattern) - 16 * step) <= 0.5
    starts = onsets(render_loop(pattern, {"kick": CLICK}))
    assert all(abs(start - k * step) <= 0.5 for k, start in enumerate(starts))


@pytest.mark.parametrize("swing", [0.5, 0.58, 2 / 3, 0.75])
def test_swing_is_the_share_of_a_pair_that_its_first_step_takes(swing):
    pattern = Pattern(bpm=100, swing=swing, levels={"kick": "X" * 16})
    starts = onsets(render_loop(pattern, {"kick": CLICK}))
    pair = 2 * step_samples(pattern)
    for first, second in zip(starts[::2], starts[1::2], strict=True):
        assert (second - first) / pair == pytest.approx(swing, abs=1 / pair)
    assert starts[::2] == onsets(render_loop(replace(pattern, swing=0.5), {"kick": CLICK}))[::2]


# --- what the loop sounds like ---


def test_what_rings_on_after_the_end_is_heard_at_the_beginning():
    pattern, ring = one_hit(15, bpm=120), torch.linspace(0.5, 0.1, 32_768).repeat(2, 1)
    loop, start = render_loop(pattern, {"kick": ring}), round(15 * 5512.5)
    assert torch.equal(loop.roll(-start, -1)[:, :32_768], ring)
    assert not loop.roll(-start, -1)[:, 32_768:].any()


def test_a_sound_longer_than_the_bar_goes_around_more_than_once():
    loop = render_loop(one_hit(3, bpm=240), {"kick": torch.full((2, 100_000), 0.01)})
    assert loop.sum(-1) == pytest.approx([1000, 1000], rel=1e-3)
    assert (loop > 0.019).all()  # 100,000 samples are twice 44,100 and some


def test_repeated_the_loop_is_what_a_sequencer_would_play():
    generator = torch.Generator().manual_seed(1)
    sound = 0.1 * torch.randn(2, 30_000, generator=generator)
    pattern = Pattern(bpm=150, swing=0.6, levels={"kick": "X..x.-..X...x..-"})
    loop = mix_loop(pattern, {"kick": sound})
    length, bars = loop.shape[-1], 3
    played = torch.zeros(2, bars * length + 40_000)
    for bar in range(bars):
        for _, step, level in pattern.hits():
            at = bar * length + pattern.starts(step_samples(pattern))[step]
            played[:, at : at + 30_000] += sound * 10 ** (GAINS_DB[level] / 20)
    torch.testing.assert_close(played[:, length : bars * length], loop.repeat(1, bars - 1))


def test_levels_lie_six_decibels_apart():
    accent, medium, soft = (peak_dbfs(render_loop(one_hit(0, level), {"kick": CLICK})) for level in (3, 2, 1))
    assert accent - medium == pytest.approx(6)
    assert medium - soft == pytest.approx(6)


def test_a_sum_that_is_too_loud_is_turned_down_by_one_gain():
    sounds = {label: torch.full((2, 500), 0.6) for label in LABELS}
    pattern = Pattern(levels={label: "X...-..........." for label in LABELS})
    loop, mix = render_loop(pattern, sounds), mix_loop(pattern, sounds)
    assert peak_dbfs(loop) == pytest.approx(-1, abs=1e-4)
    torch.testing.assert_close(loop, mix * (10 ** (-1 / 20) / 2.4))


def test_a_loop_that_is_not_too_loud_keeps_its_level():
    assert render_loop(one_hit(4, MEDIUM), {"kick": CLICK}).max() == pytest.approx(0.5 * 10 ** (-6 / 20))


def test_a_muted_row_is_not_heard_and_needs_no_sound():
    pattern = Pattern(levels={"kick": "X" + SILENT[1:], "snare": "X" * 16}, muted=("snare",))
    assert onsets(render_loop(pattern, {"kick": CLICK})) == [0]
    with pytest.raises(ValueError, match="plays 'snare', but there is no sound"):
        render_loop(replace(pattern, muted=()), {"kick": CLICK})


# --- the pattern itself ---


def test_a_pattern_comes_back_from_json():
    pattern = Pattern(97.5, 0.58, {"kick": "X..x.-..X...x..-", "snare": SILENT}, ("snare",))
    assert Pattern.from_json(pattern.to_json()) == pattern
    assert json.loads(pattern.to_json())["levels"]["kick"] == "X..x.-..X...x..-"


def test_signs_and_levels_are_two_ways_to_write_a_row():
    assert Pattern(levels={"kick": ".-xX" * 4}) == Pattern(levels={"kick": [OFF, SOFT, MEDIUM, ACCENT] * 4})


def test_nothing_of_a_pattern_can_be_changed_by_accident():
    pattern = one_hit(0)
    with pytest.raises(FrozenInstanceError):
        pattern.bpm = 90
    pattern.with_level("kick", 5, SOFT)
    assert pattern.signs("kick") == "X" + SILENT[1:]


@pytest.mark.parametrize(
    "wrong, words",
    [
        ({"bpm": 20}, "tempo in beats a minute must lie between 40 and 240"),
        ({"bpm": math.nan}, "tempo"),
        ({"swing": 58}, "swing must lie between 0.5 and 0.75"),
        ({"levels": {"kick": "X..."}}, "row 'kick' needs 16 levels"),
        ({"levels": {"kick": "X..?" * 4}}, "row 'kick' needs 16 levels"),
        ({"levels": {"kick": [4] * 16}}, "row 'kick' needs 16 levels"),
        ({"muted": ("bell",)}, "Cannot mute bell"),
    ],
)
def test_what_is_not_allowed_is_refused_in_words(wrong, words):
    with pytest.raises(ValueError, match=words):
        Pattern(**wrong)


@pytest.mark.parametrize("text", ["", "[1, 2]", "{", '{"tempo": 3}', '{"levels": 3}', '{"bpm": "fast"}', "null"])
def test_json_that_is_no_pattern_is_refused_in_words(text):
    with pytest.raises(ValueError, match="not the JSON of a pattern"):
        Pattern.from_json(text)


# --- MIDI ---


def read_midi(path) -> tuple[float, float, list[tuple[float, int, int]]]:
    """Return tempo, length in beats, and (beat, note, velocity) of each stroke, as any sequencer would read them."""
    file, now, bpm, notes = mido.MidiFile(path), 0, 120.0, []
    (track,) = file.tracks
    for message in track:
        now += message.time
        if message.type == "set_tempo":
            bpm = mido.tempo2bpm(message.tempo)
        if message.type == "note_on" and message.velocity:
            assert message.channel == 9
            notes.append((now / file.ticks_per_beat, message.note, message.velocity))
    return bpm, now / file.ticks_per_beat, notes


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("swing", [0.5, 0.61, 0.75])
def test_a_midi_file_gives_the_pattern_back(tmp_path, seed, swing):
    pattern = replace(surprise(seed), swing=swing)
    bpm, beats, notes = read_midi(to_midi(pattern, tmp_path / "new" / "bar.mid"))
    assert bpm == pytest.approx(pattern.bpm, abs=1e-3)
    assert beats == 4
    back = Pattern(pattern.bpm, swing, dict.fromkeys(LABELS, SILENT))
    labels = {note: label for label, note in NOTES.items()}
    for beat, note, velocity in notes:
        pair, share = divmod(2 * beat, 1)
        assert share == pytest.approx(swing, abs=1 / 960) or share == 0
        back = back.with_level(labels[note], int(2 * pair + (share > 0)), VELOCITIES.index(velocity))
    assert back == pattern


def test_velocities_mean_the_same_decibels_as_the_loop():
    for velocity, gain_db in list(zip(VELOCITIES, GAINS_DB, strict=True))[1:]:
        assert 40 * math.log10(velocity / 127) == pytest.approx(gain_db, abs=0.1)


def test_every_note_ends_before_its_row_plays_again_and_within_the_bar():
    pattern = Pattern(swing=SWING_RANGE[1], levels={"kick": "X" * 16, "snare": "x" * 16})
    sounding, now = set(), 0
    for message in mido.MidiFile(file=io.BytesIO(midi_bytes(pattern))).tracks[0]:
        now += message.time
        if message.type == "note_on":
            assert message.note not in sounding
            sounding.add(message.note)
        if message.type == "note_off":
            sounding.remove(message.note)
    assert not sounding
    assert now == 4 * 960


def test_what_is_muted_is_not_in_the_midi_file(tmp_path):
    pattern = Pattern(levels={"kick": "X" * 16, "snare": "X" * 16}, muted=("kick",))
    assert {note for _, note, _ in read_midi(to_midi(pattern, tmp_path / "bar.mid"))[2]} == {NOTES["snare"]}


# --- at random ---


def test_the_same_seed_brings_the_same_surprise_and_others_bring_others():
    assert [surprise(seed) for seed in SEEDS] == [surprise(seed) for seed in SEEDS]
    assert len({surprise(seed).to_json() for seed in SEEDS}) > 0.9 * len(SEEDS)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_surprise_has_a_downbeat_a_backbeat_and_room_to_breathe(seed):
    pattern = surprise(seed)
    assert tuple(pattern.levels) == LABELS
    assert pattern.levels["kick"][0] == ACCENT
    assert ACCENT in (pattern.levels["snare"][4], pattern.levels["snare"][8])
    hits = {label: 16 - pattern.signs(label).count(SIGNS[OFF]) for label in LABELS}
    assert 2 <= hits["kick"] <= 8
    assert 1 <= hits["snare"] <= 6
    assert 4 <= hits["hihat"] <= 16
    assert hits["percussion"] <= 8


def test_a_negative_seed_is_refused():
    with pytest.raises(ValueError, match="0 or more, not -1"):
        surprise(-1)
