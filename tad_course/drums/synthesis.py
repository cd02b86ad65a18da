"""The building blocks of the drum machine: oscillators, noise, envelopes, stereo (lesson 01).

Everything here is a pure function of NumPy arrays. Mono signals are `[n]`, stereo signals `[2, n]`,
both float64 at 44.1 kHz; `drums.py` puts them together.
"""

from functools import lru_cache

import numpy as np

from tad_course.config import LENGTH_SAMPLES, SAMPLE_RATE

# Frequencies of a struck circular membrane relative to its lowest mode: zeros of the Bessel functions
# J_m over the first zero of J_0 (Rayleigh, The Theory of Sound, 1877, §202).
MEMBRANE_MODES = (1.0, 1.593, 2.136, 2.296, 2.653, 2.918)

# The six square waves of an analogue metal voice, relative to the lowest (Werner, Abel & Smith, 2014).
METAL_RATIOS = (1.0, 1.483, 1.800, 2.546, 2.630, 3.897)


def time_s(length_samples: int = LENGTH_SAMPLES) -> np.ndarray:
    """Return the time of every sample in seconds, `[n]`."""
    return np.arange(length_samples) / SAMPLE_RATE


def decay(t60_s: float, t: np.ndarray) -> np.ndarray:
    """Return an exponential envelope `[n]` that falls by 60 dB in `t60_s` seconds; zero before t = 0."""
    if t.min() >= 0:
        return 10.0 ** (-3.0 * t / t60_s)
    return np.where(t >= 0, 10.0 ** (-3.0 * np.maximum(t, 0) / t60_s), 0.0)


def attack(rise_s: float, t: np.ndarray) -> np.ndarray:
    """Return a raised-cosine fade-in `[n]` that reaches 1 after `rise_s` seconds."""
    gain = np.ones_like(t)
    rising = t < rise_s  # few samples; only they need a cosine
    gain[rising] = 0.5 - 0.5 * np.cos(np.pi * np.maximum(t[rising] / rise_s, 0.0))
    return gain


def swept_sine(pitch_hz: float, sweep_ratio: float, sweep_s: float, t: np.ndarray) -> np.ndarray:
    """Return a sine `[n]` whose frequency falls from `sweep_ratio * pitch_hz` to `pitch_hz`.

    The frequency is f(t) = pitch · (1 + (ratio - 1) · exp(-t / sweep_s)); the phase is its integral,
    in closed form.
    """
    cycles = pitch_hz * (t + (sweep_ratio - 1.0) * sweep_s * -np.expm1(-t / sweep_s))
    return np.sin(2 * np.pi * cycles)


def modes(pitch_hz: float, ratios, t60_s: float, brightness: float, t: np.ndarray) -> np.ndarray:
    """Return a sum of decaying sines `[n]`: mode k has level `brightness**k` and dies `ratio` times faster."""
    partials = (
        brightness**k * decay(t60_s / ratio, t) * np.sin(2 * np.pi * pitch_hz * ratio * t)
        for k, ratio in enumerate(ratios)
    )
    return sum(partials)


def square(pitch_hz: float, t: np.ndarray, phase: float = 0.0) -> np.ndarray:
    """Return a square wave `[n]` with its steps smoothed against aliasing (polyBLEP, Välimäki & Huovilainen, 2007)."""
    step = pitch_hz / SAMPLE_RATE
    cycle = _fraction(pitch_hz * t + phase)
    x = np.where(cycle < 0.5, 1.0, -1.0)
    for sign, since in ((1.0, cycle), (-1.0, _fraction(cycle + 0.5))):
        near = np.flatnonzero((since < step) | (1.0 - since < step))  # the samples beside a step of the wave
        x[near] += sign * _blep(since[near], step)
    return x


def _fraction(x: np.ndarray) -> np.ndarray:
    """Return `x % 1.0`, to the bit, in a tenth of the time."""
    return x - np.floor(x)


def _blep(cycle: np.ndarray, step: float) -> np.ndarray:
    after = np.maximum(1.0 - cycle / step, 0.0)
    before = np.maximum(1.0 - (1.0 - cycle) / step, 0.0)
    return before**2 - after**2


def metal(pitch_hz: float, t: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return six detuned square waves `[n]`, the raw material of electronic cymbals and cowbells."""
    return sum(square(pitch_hz * ratio, t, rng.random()) for ratio in METAL_RATIOS) / len(METAL_RATIOS)


def stereo_noise(width: float, length_samples: int, rng: np.random.Generator) -> np.ndarray:
    """Return white noise `[2, n]` of unit variance; `width` 0 is mono, 1 is two independent channels."""
    noise = rng.standard_normal((3, length_samples))
    common, own = noise[0], noise[1:]
    common *= np.sqrt(1 - width)
    own *= np.sqrt(width)
    own += common
    return own


def band(x: np.ndarray, low_hz: float | None, high_hz: float | None, order: int = 2) -> np.ndarray:
    """Return `x` `[..., n]` through a Butterworth high-pass, low-pass or band-pass filter."""
    from scipy.signal import sosfilt  # a second and 70 MB that a program without filters need not spend

    return sosfilt(_sections(low_hz, high_hz, order), x)


@lru_cache(maxsize=64)  # a room's filter is always the same, and its design takes as long as its use
def _sections(low_hz: float | None, high_hz: float | None, order: int) -> np.ndarray:
    from scipy.signal import butter

    if low_hz and high_hz:
        return butter(order, [low_hz, high_hz], "bandpass", fs=SAMPLE_RATE, output="sos")
    if low_hz:
        return butter(order, low_hz, "highpass", fs=SAMPLE_RATE, output="sos")
    return butter(order, high_hz, "lowpass", fs=SAMPLE_RATE, output="sos")


def pan(x: np.ndarray, position: float) -> np.ndarray:
    """Place a mono `[n]` or stereo `[2, n]` signal between left (-1) and right (+1) at constant power."""
    angle = (position + 1) * np.pi / 4
    gains = np.sqrt(2) * np.array([[np.cos(angle)], [np.sin(angle)]])
    return gains * x


def room(x: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    """Add five early reflections a side to `x` `[2, n]` or mono `[n]`: later ones are weaker and duller."""
    dull = np.broadcast_to(band(x, 200.0, 6000.0, order=1), (2, x.shape[-1]))
    wet = np.zeros((2, x.shape[-1]))
    for channel in range(2):
        for delay in np.sort(rng.integers(150, 2200, size=5)):
            gain = level * (-1.0, 1.0)[rng.integers(2)] * np.exp(-delay / 900)
            wet[channel, delay:] += gain * dull[channel, :-delay]
    wet += x
    return wet


def finish(x: np.ndarray, peak: float = 10 ** (-3 / 20), fade_s: float = 0.03, silence_s: float = 0.005) -> np.ndarray:
    """Bring `x` `[2, n]` to -3 dBFS peak, fade its end out and leave `silence_s` of digital silence there."""
    end = x.shape[-1] - round(silence_s * SAMPLE_RATE)
    fade = round(fade_s * SAMPLE_RATE)
    gain = np.ones(x.shape[-1])
    gain[end - fade : end] = 0.5 + 0.5 * np.cos(np.pi * np.arange(fade) / fade)
    gain[end:] = 0.0
    x = x * gain
    x *= peak / np.abs(x).max()
    return x
