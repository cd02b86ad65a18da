"""The drum machine: eleven voices in four families, each a few lines of synthesis (lesson 01).

Every voice is a function of named parameters with units and a `seed` for its noise, and returns float32
stereo `[2, 32768]` at 44.1 kHz, peak -3 dBFS, ending in silence. `render("kick", seed=3)` draws the
parameters too: the same label and seed always give the same sound.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from tad_course.drums.synthesis import (
    LENGTH_SAMPLES,
    MEMBRANE_MODES,
    attack,
    band,
    decay,
    finish,
    metal,
    modes,
    pan,
    room,
    square,
    stereo_noise,
    swept_sine,
    time_s,
)

T = time_s()


def _tensor(x: np.ndarray) -> Tensor:
    return torch.from_numpy(finish(x).astype(np.float32))


def kick(pitch_hz=50.0, sweep_ratio=4.0, sweep_s=0.025, decay_s=0.45, click=0.2, drive=1.5, room_level=0.1, seed=0):
    """A bass drum: a sine whose pitch falls, a beater click, a little overdrive."""
    rng = np.random.default_rng(seed)
    body = swept_sine(pitch_hz, sweep_ratio, sweep_s, T) * decay(decay_s, T) * attack(0.001, T)
    body = np.tanh(drive * body) / np.tanh(drive)
    beater = band(rng.standard_normal(LENGTH_SAMPLES) * decay(0.025, T), 1500.0, 7000.0)
    return _tensor(room(body + click * beater, room_level, rng))


def snare(
    pitch_hz=190.0, bend_ratio=1.4, body_s=0.18, wires=0.6, wires_s=0.3, tone_hz=2200.0, width=0.5, room_level=0.2,
    seed=0,
):  # fmt: skip
    """A snare drum: two membrane modes that bend down, and the noise of the wires under them."""
    rng = np.random.default_rng(seed)
    low = swept_sine(pitch_hz, bend_ratio, 0.012, T) * decay(body_s, T)
    high = swept_sine(pitch_hz * MEMBRANE_MODES[1], bend_ratio, 0.012, T) * decay(body_s * 0.7, T)
    noise = band(stereo_noise(width, LENGTH_SAMPLES, rng), tone_hz, 15_000.0)
    rattle = noise * (0.75 * decay(wires_s, T) + 0.25 * decay(wires_s * 0.25, T))
    x = (low + 0.6 * high) * (1 - wires) + wires * rattle
    return _tensor(room(x * attack(0.0005, T), room_level, rng))


def _hat(pitch_hz, decay_s, metallic, tone_hz, width, position, seed):
    rng = np.random.default_rng(seed)
    ring = band(metal(pitch_hz, T, rng), 5000.0, 14_000.0) * 12  # as loud as the noise
    x = metallic * ring + (1 - metallic) * stereo_noise(width, LENGTH_SAMPLES, rng)
    x = band(x, tone_hz, None) * (0.7 * decay(decay_s, T) + 0.3 * decay(decay_s * 0.3, T))
    return _tensor(pan(x * attack(0.0005, T), position))


def closed_hat(pitch_hz=420.0, decay_s=0.09, metallic=0.5, tone_hz=7000.0, width=0.3, position=0.1, seed=0):
    """A closed hi-hat: six detuned squares and noise, high-passed, over in a tenth of a second."""
    return _hat(pitch_hz, decay_s, metallic, tone_hz, width, position, seed)


def open_hat(pitch_hz=420.0, decay_s=0.55, metallic=0.5, tone_hz=6500.0, width=0.4, position=0.1, seed=0):
    """An open hi-hat: the closed one with a long decay."""
    return _hat(pitch_hz, decay_s, metallic, tone_hz, width, position, seed)


def tom(pitch_hz=110.0, bend_ratio=1.4, decay_s=0.5, skin=0.35, position=0.0, room_level=0.15, seed=0):
    """A tom-tom: the modes of a struck membrane over a sine that bends down."""
    rng = np.random.default_rng(seed)
    body = swept_sine(pitch_hz, bend_ratio, 0.04, T) * decay(decay_s, T)
    body = body + skin * modes(pitch_hz, MEMBRANE_MODES[1:], decay_s * 0.6, 0.7, T)
    stick = 0.15 * band(rng.standard_normal(LENGTH_SAMPLES) * decay(0.02, T), 800.0, 5000.0)
    return _tensor(room(pan((body + stick) * attack(0.001, T), position), room_level, rng))


def conga(pitch_hz=260.0, bend_ratio=1.08, decay_s=0.25, slap=0.3, position=0.0, room_level=0.15, seed=0):
    """A hand drum: a higher, shorter membrane with the slap of the palm."""
    rng = np.random.default_rng(seed)
    body = swept_sine(pitch_hz, bend_ratio, 0.02, T) * decay(decay_s, T)
    body = body + 0.4 * modes(pitch_hz, MEMBRANE_MODES[1:4], decay_s * 0.5, 0.6, T)
    palm = slap * band(rng.standard_normal(LENGTH_SAMPLES) * decay(0.035, T), 1200.0, 6000.0) * 1.5
    return _tensor(room(pan((body + palm) * attack(0.001, T), position), room_level, rng))


def clap(hands=4, spacing_s=0.011, decay_s=0.28, tone_hz=1200.0, width=0.7, room_level=0.3, seed=0):
    """A hand clap: several short noise bursts and one longer tail, each at its own place in the room."""
    rng = np.random.default_rng(seed)
    x = np.zeros((2, LENGTH_SAMPLES))
    for hand in range(int(hands)):
        t = T - hand * spacing_s * rng.uniform(0.85, 1.15)
        last = hand == int(hands) - 1
        burst = stereo_noise(width, LENGTH_SAMPLES, rng) * decay(decay_s if last else 0.04, t)
        x += pan(burst, rng.uniform(-0.4, 0.4))
    return _tensor(room(band(x, tone_hz * 0.7, tone_hz * 2.5) * attack(0.0005, T), room_level, rng))


def rim(pitch_hz=480.0, decay_s=0.05, ratio=3.5, position=0.0, room_level=0.2, seed=0):
    """A rim shot: two short, stiff resonances struck by a click."""
    rng = np.random.default_rng(seed)
    x = modes(pitch_hz, (1.0, ratio), decay_s, 0.9, T)
    x = np.tanh(2 * x) + 0.3 * band(rng.standard_normal(LENGTH_SAMPLES) * decay(0.01, T), 2000.0, 9000.0)
    return _tensor(room(pan(x * attack(0.0003, T), position), room_level, rng))


def cowbell(pitch_hz=560.0, ratio=1.48, decay_s=0.35, tone_hz=1000.0, position=0.0, room_level=0.1, seed=0):
    """A cowbell: two square waves a little less than a fifth apart, through a band-pass."""
    rng = np.random.default_rng(seed)
    x = square(pitch_hz, T, rng.random()) + square(pitch_hz * ratio, T, rng.random())
    x = band(x, tone_hz * 0.5, tone_hz * 4) * (0.6 * decay(decay_s, T) + 0.4 * decay(decay_s * 0.15, T))
    return _tensor(room(pan(x * attack(0.0005, T), position), room_level, rng))


def woodblock(pitch_hz=1200.0, decay_s=0.08, ratio=1.9, position=0.0, room_level=0.2, seed=0):
    """A wood block or clave: three short, high modes."""
    rng = np.random.default_rng(seed)
    x = modes(pitch_hz, (1.0, ratio, ratio * 1.7), decay_s, 0.5, T)
    return _tensor(room(pan(x * attack(0.0008, T), position), room_level, rng))


def shaker(rise_s=0.02, decay_s=0.18, tone_hz=5000.0, width=0.4, position=0.0, seed=0):
    """A shaker: band-passed noise that swells before it dies."""
    rng = np.random.default_rng(seed)
    x = band(stereo_noise(width, LENGTH_SAMPLES, rng), tone_hz * 0.8, min(tone_hz * 2.2, 18_000.0))
    return _tensor(pan(x * attack(rise_s, T) * decay(decay_s, np.maximum(T - rise_s / 2, 0)), position))


class Range(NamedTuple):
    """What a parameter may be: `low` to `high`, drawn evenly on a linear or a logarithmic (`log`) axis."""

    low: float
    high: float
    log: bool = False

    def draw(self, rng: np.random.Generator) -> float:
        # `math`, not NumPy, whose exp and log differ in the last digit from processor to processor; six are enough
        value = rng.uniform(*map(math.log, (self.low, self.high))) if self.log else rng.uniform(self.low, self.high)
        return float(f"{math.exp(value) if self.log else value:.6g}")


@dataclass(frozen=True)
class Voice:
    """One instrument: the function that plays it, the family it belongs to, the ranges of its parameters."""

    play: Callable[..., Tensor]
    label: str
    ranges: dict[str, Range]


_POSITION, _ROOM, _WIDTH = Range(-0.5, 0.5), Range(0.0, 0.3), Range(0.0, 0.8)

VOICES = {
    "kick": Voice(kick, "kick", dict(
        pitch_hz=Range(38, 75, True), sweep_ratio=Range(2, 9, True), sweep_s=Range(0.008, 0.06, True),
        decay_s=Range(0.18, 0.68), click=Range(0.02, 0.6, True), drive=Range(0.5, 4, True), room_level=_ROOM)),
    "snare": Voice(snare, "snare", dict(
        pitch_hz=Range(140, 290, True), bend_ratio=Range(1.05, 1.8), body_s=Range(0.08, 0.3), wires=Range(0.3, 0.85),
        wires_s=Range(0.12, 0.6), tone_hz=Range(1000, 4500, True), width=_WIDTH, room_level=_ROOM)),
    "closed_hat": Voice(closed_hat, "hihat", dict(
        pitch_hz=Range(280, 640, True), decay_s=Range(0.04, 0.18, True), metallic=Range(0, 0.9),
        tone_hz=Range(4500, 9500, True), width=_WIDTH, position=_POSITION)),
    "open_hat": Voice(open_hat, "hihat", dict(
        pitch_hz=Range(280, 640, True), decay_s=Range(0.3, 0.72), metallic=Range(0, 0.9),
        tone_hz=Range(4500, 9000, True), width=_WIDTH, position=_POSITION)),
    "tom": Voice(tom, "percussion", dict(
        pitch_hz=Range(75, 230, True), bend_ratio=Range(1.1, 1.9), decay_s=Range(0.25, 0.65), skin=Range(0.1, 0.6),
        position=_POSITION, room_level=_ROOM)),
    "conga": Voice(conga, "percussion", dict(
        pitch_hz=Range(170, 420, True), bend_ratio=Range(1.0, 1.25), decay_s=Range(0.12, 0.4), slap=Range(0.05, 0.7),
        position=_POSITION, room_level=_ROOM)),
    "clap": Voice(clap, "percussion", dict(
        hands=Range(2, 6), spacing_s=Range(0.007, 0.016), decay_s=Range(0.12, 0.5), tone_hz=Range(800, 2000, True),
        width=_WIDTH, room_level=_ROOM)),
    "rim": Voice(rim, "percussion", dict(
        pitch_hz=Range(350, 750, True), decay_s=Range(0.03, 0.1), ratio=Range(2.5, 4.5), position=_POSITION,
        room_level=_ROOM)),
    "cowbell": Voice(cowbell, "percussion", dict(
        pitch_hz=Range(420, 800, True), ratio=Range(1.42, 1.55), decay_s=Range(0.12, 0.55),
        tone_hz=Range(700, 1600, True), position=_POSITION, room_level=_ROOM)),
    "woodblock": Voice(woodblock, "percussion", dict(
        pitch_hz=Range(700, 2600, True), decay_s=Range(0.04, 0.16), ratio=Range(1.4, 2.6), position=_POSITION,
        room_level=_ROOM)),
    "shaker": Voice(shaker, "percussion", dict(
        rise_s=Range(0.006, 0.05), decay_s=Range(0.08, 0.3), tone_hz=Range(3000, 8000, True), width=_WIDTH,
        position=_POSITION)),
}  # fmt: skip

LABELS = tuple(dict.fromkeys(voice.label for voice in VOICES.values()))


def family(name: str) -> str:
    """Return the label of the family that a voice belongs to ("tom" is percussion); any other name as it is."""
    return VOICES[name].label if name in VOICES else name


@dataclass(frozen=True)
class Drum:
    """A rendered sound and everything needed to make it again: `VOICES[voice].play(**params, seed=seed)`."""

    audio: Tensor  # [2, 32768]
    label: str
    voice: str
    params: dict[str, float]
    seed: int


def render(label: str, seed: int) -> Drum:
    """Play a random drum of the family `label`; the same label and seed always give the same sound.

    Raises:
        ValueError: if the drum machine has no family of that name, or the seed is negative.
    """
    if label not in LABELS:
        raise ValueError(f"The drum machine has no {label!r}; choose one of {', '.join(LABELS)}.")
    if seed < 0:
        raise ValueError(f"A seed must be 0 or more, not {seed}.")
    rng = np.random.default_rng([seed, LABELS.index(label)])
    voice = str(rng.choice([name for name, v in VOICES.items() if v.label == label]))
    params = {name: r.draw(rng) for name, r in VOICES[voice].ranges.items()}
    return Drum(VOICES[voice].play(**params, seed=seed), label, voice, params, seed)
