"""A bar of sixteen steps: which drum sounds when, and how loud; as sound that loops, and as MIDI (the studio's *Play*).

A row is written as sixteen signs: `.` is silent, `-` soft, `x` medium, `X` an accent.
"""

import io
import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from mido import Message, MetaMessage, MidiFile, MidiTrack, bpm2tempo
from torch import Tensor

from tad_course.audio.wav import write_atomically
from tad_course.config import CEILING, SAMPLE_RATE
from tad_course.drums.voices import LABELS

STEPS, STEPS_A_BEAT = 16, 4
SIGNS = ".-xX"
OFF, SOFT, MEDIUM, ACCENT = range(len(SIGNS))
LEVEL_NAMES = ("off", "soft", "medium", "accent")
GAINS_DB = (float("-inf"), -12.0, -6.0, 0.0)
BPM_RANGE = (40, 240)
SWING_RANGE = (0.5, 0.75)

# 40 log10(velocity / 127) are the decibels of a General MIDI synthesizer (MMA, GM Developer Guidelines, 1998), so
# these velocities sound like GAINS_DB.
VELOCITIES = (0, 64, 90, 127)
NOTES = {"kick": 36, "snare": 38, "hihat": 42, "percussion": 45}  # bass drum 1, acoustic snare, closed hat, low tom
OTHER_NOTE = 37  # side stick, for rows of other names
DRUM_CHANNEL = 9  # channel 10, as people count them
TICKS_A_BEAT = 960
TICKS_A_STEP = TICKS_A_BEAT // STEPS_A_BEAT

Levels = tuple[int, ...]


@dataclass(frozen=True)
class Pattern:
    """One bar of 4/4 in sixteenth notes; nothing of it changes, `replace` makes another one.

    Args:
        bpm: beats a minute, 40 to 240.
        swing: share of each pair of steps that the first one takes: 0.5 is straight, 2/3 a triplet, 0.75 the most.
        levels: row -> 16 levels, 0 (off) to 3 (accent), or 16 signs such as "X...x...X...x..-".
        muted: rows that keep their steps and are not heard.

    Raises:
        ValueError: if a number is out of its range, a row has not 16 levels, or a muted row does not exist.
    """

    bpm: float = 120.0
    swing: float = 0.5
    levels: Mapping[str, Levels | str] = field(default_factory=dict)
    muted: tuple[str, ...] = ()

    def __post_init__(self):
        _within("tempo in beats a minute", self.bpm, BPM_RANGE)
        _within("swing", self.swing, SWING_RANGE)
        levels = {label: _levels(label, row) for label, row in self.levels.items()}
        unknown = sorted(set(self.muted) - set(levels))
        if unknown:
            raise ValueError(
                f"Cannot mute {', '.join(unknown)}: the pattern has only {', '.join(levels) or 'no rows'}."
            )
        object.__setattr__(self, "levels", levels)
        object.__setattr__(self, "muted", tuple(label for label in levels if label in self.muted))

    def with_level(self, label: str, step: int, level: int) -> "Pattern":
        """Return the pattern with another level at one step, counted from 0."""
        row = self.levels[label]
        return replace(self, levels={**self.levels, label: (*row[:step], level, *row[step + 1 :])})

    def signs(self, label: str) -> str:
        """Return a row as 16 signs."""
        return "".join(SIGNS[level] for level in self.levels[label])

    def hits(self) -> Iterator[tuple[str, int, int]]:
        """Yield (row, step from 0, level) of all that is heard, in order of time."""
        for step in range(STEPS):
            for label, row in self.levels.items():
                if row[step] != OFF and label not in self.muted:
                    yield label, step, row[step]

    def starts(self, steps_length: float) -> list[int]:
        """Return where each step begins, as a whole number, if a straight step is `steps_length` long."""
        return [round((step - step % 2 + step % 2 * 2 * self.swing) * steps_length) for step in range(STEPS)]

    def to_json(self) -> str:
        """Return the pattern as JSON text."""
        rows = {label: self.signs(label) for label in self.levels}
        return json.dumps({"bpm": self.bpm, "swing": self.swing, "levels": rows, "muted": list(self.muted)})

    @classmethod
    def from_json(cls, text: str) -> "Pattern":
        """Read a pattern back from JSON.

        Raises:
            ValueError: if the text is not a pattern, or one that is not allowed.
        """
        try:
            return cls(**json.loads(text))
        except (TypeError, AttributeError, json.JSONDecodeError) as error:
            raise ValueError(f"This is not the JSON of a pattern ({error}).") from error


def _within(what: str, value: float, limits: tuple[float, float]) -> None:
    low, high = limits
    if not low <= value <= high:
        raise ValueError(f"The {what} must lie between {low} and {high}, not {value}.")


def _levels(label: str, row: Levels | str) -> Levels:
    levels = tuple(SIGNS.find(sign) for sign in row) if isinstance(row, str) else tuple(row)
    if len(levels) != STEPS or not set(levels) <= set(range(len(SIGNS))):
        raise ValueError(f"The row {label!r} needs {STEPS} levels from 0 to 3, or {STEPS} signs of {SIGNS!r}: {row!r}.")
    return levels


# --- sound ---


def loop_samples(pattern: Pattern, sample_rate: int = SAMPLE_RATE) -> int:
    """Return the length of the bar, rounded to whole samples: the tempo is exact to a few parts in a million."""
    return round(STEPS * step_samples(pattern, sample_rate))


def step_samples(pattern: Pattern, sample_rate: int = SAMPLE_RATE) -> float:
    """Return the length of a straight sixteenth note in samples."""
    return 60 * sample_rate / pattern.bpm / STEPS_A_BEAT


def render_loop(pattern: Pattern, sounds: Mapping[str, Tensor], sample_rate: int = SAMPLE_RATE) -> Tensor:
    """Return one bar `[2, loop_samples(pattern)]` that can be repeated without a seam.

    Each sound starts at exactly the sample of its step; what rings on after the end of the bar is heard at its
    beginning, as it will be when the bar repeats. If the sum peaks above -1 dBFS, all of it is turned down by one gain.

    Args:
        pattern: what to play.
        sounds: row -> sound `[2, N]`, for each row that is heard.
        sample_rate: of the sounds, in Hz.

    Raises:
        ValueError: if a row that is heard has no sound.
    """
    mix = mix_loop(pattern, sounds, sample_rate)
    return mix * min(1.0, CEILING / float(mix.abs().max().clamp(min=1e-9)))


def mix_loop(pattern: Pattern, sounds: Mapping[str, Tensor], sample_rate: int = SAMPLE_RATE) -> Tensor:
    """Return the bar as `render_loop`, but at whatever level the sum has."""
    starts = pattern.starts(step_samples(pattern, sample_rate))
    loop = torch.zeros(2, loop_samples(pattern, sample_rate))
    for label, step, level in pattern.hits():
        if label not in sounds:
            raise ValueError(f"The pattern plays {label!r}, but there is no sound for it.")
        _add_around(loop, sounds[label] * 10 ** (GAINS_DB[level] / 20), starts[step])
    return loop


def _add_around(loop: Tensor, sound: Tensor, start: int) -> None:
    """Add `sound` to `loop` from sample `start` on; wherever the loop ends, go on at its beginning."""
    while sound.shape[-1]:
        room = loop.shape[-1] - start
        part, sound = sound[..., :room], sound[..., room:]
        loop[..., start : start + part.shape[-1]] += part
        start = 0


# --- MIDI ---


def midi_bytes(pattern: Pattern) -> bytes:
    """Return the bar as the bytes of a MIDI file: drum notes on channel 10, tempo, swing and levels as they sound.

    Rows that are muted are left out. The track ends exactly with the bar, so that it loops in a sequencer.
    """
    starts, events = pattern.starts(TICKS_A_STEP), []
    for label, step, level in pattern.hits():
        note = {"note": NOTES.get(label, OTHER_NOTE), "channel": DRUM_CHANNEL}
        events.append((starts[step], Message("note_on", velocity=VELOCITIES[level], **note)))
        events.append((starts[step] + TICKS_A_STEP // 2, Message("note_off", **note)))
    events.sort(key=lambda event: event[0])
    events.append((STEPS * TICKS_A_STEP, MetaMessage("end_of_track")))
    tempo, bar = MetaMessage("set_tempo", tempo=bpm2tempo(pattern.bpm)), MetaMessage("time_signature")
    track, now = MidiTrack([MetaMessage("track_name", name="drums"), tempo, bar]), 0
    for ticks, message in events:
        track.append(message.copy(time=ticks - now))
        now = ticks
    content = io.BytesIO()
    MidiFile(type=0, ticks_per_beat=TICKS_A_BEAT, tracks=[track]).save(file=content)
    return content.getvalue()


def to_midi(pattern: Pattern, path: str | Path) -> Path:
    """Write the bar to a MIDI file in one atomic step; an older file of that name is replaced."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, midi_bytes(pattern))
    return path


# --- luck ---

# Digits are tenths of a chance for a softer stroke, X is always an accent, x always a medium one.
_GROOVES = {
    "house": ((118, 126), (50, 57), "X...X...X...X..2", "....X.......X.2.", "2.X52.X52.X52.X6", "..5..5.3..5..4.6"),
    "backbeat": ((96, 126), (50, 55), "X.....4.x.6..4..", "....X..4.3..X..4", "X.x.X.x.X.x.X3x4", "..3....4..5...46"),
    "boom bap": ((82, 96), (56, 66), "X..4..3...x6..3.", "....X..5.3..X...", "x3x3x2x5x3x3x2x6", "...4..5....4..5."),
    "half time": ((132, 150), (50, 54), "X..3..4..3x..4..", "........X......4", "x4x5x4x6x5x4x6x7", "..4.5.4...5.4.56"),
    "electro": ((108, 130), (50, 52), "X..7..6...X..5..", "....X.......X..4", "x4x3x5x3x4x3x5x6", ".5.4..6..5.4..6."),
    "funk": ((94, 112), (52, 60), "X.6...5..4x..5..", "....X..6.5..X..5", "X4x5X4x5X4x6X4x5", "..5..4..5..6..46"),
}  # fmt: skip


def surprise(seed: int) -> Pattern:
    """Return a bar that nobody wrote: one of six grooves by the seed, varied by the seed, at a tempo that suits it.

    What carries the groove (the downbeat of the kick, the backbeat of the snare) is always there; the rest has a
    chance, and mostly comes as a softer stroke.

    Raises:
        ValueError: if the seed is negative.
    """
    if seed < 0:
        raise ValueError(f"A seed must be 0 or more, not {seed}.")
    rng = random.Random(f"pattern {seed}")
    bpm, swing, *rows = _GROOVES[rng.choice(sorted(_GROOVES))]
    drawn = (tuple(_stroke(sign, step, rng) for step, sign in enumerate(row)) for row in rows)
    levels = dict(zip(LABELS, drawn, strict=True))
    return Pattern(float(rng.randint(*bpm)), rng.randint(*swing) / 100, levels)


def _stroke(sign: str, step: int, rng: random.Random) -> int:
    if not sign.isdigit():
        return SIGNS.index(sign)
    if 10 * rng.random() >= int(sign):
        return OFF
    return MEDIUM if rng.random() < (0.6 if step % 2 == 0 else 0.25) else SOFT
