"""Exercises, predictions and quiz of lesson 01: levels, aliases, a kick drum, two channels."""

import math

import numpy as np
import torch
from torch import Tensor

from tad_course.drums import synthesis
from tad_course.lessons.check import SOLUTIONS, as_signal, call, close, exercise, expect
from tad_course.lessons.quiz import Answer, Question

RATE, LENGTH = 44_100, 32_768

PREDICTIONS = {
    "01-rate": ("B", "section 3, *The same numbers at another rate*"),
    "01-tenth": ("A", "section 4, *How loud is it?*"),
    "01-alias": ("C", "section 6, *How high can it go?*"),
    "01-phase": ("B", "section 7, *A tone that falls*"),
    "01-knob": ("A", "section 10, *One parameter at a time (optional)*"),
}


def _random(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def sine(frequency_hz: float, level_dbfs: float, duration_s: float = 1.0) -> Tensor:
    """Return a sine `[n]` whose rms level is `level_dbfs`."""
    n = torch.arange(round(duration_s * RATE), dtype=torch.float64)
    amplitude = 2**0.5 * 10 ** (level_dbfs / 20)
    return amplitude * torch.sin(2 * torch.pi * frequency_hz * n / RATE)


@exercise(
    "01-sine",
    why="Peak and rms of a sine differ by 3 dB; of the drums here by 11 and more. Always say which one you mean.",
)
def sine_level(answer):
    expect(callable(answer), "Hand over the function `sine` itself, by its name and without brackets.")
    random = _random(1)
    cases = [(440, -12.0, 1.0)] + [
        (int(random.integers(200, 9000)), float(random.uniform(-50, -6)), float(random.choice([0.25, 0.5, 1.5])))
        for _ in range(3)
    ]
    for frequency, level, duration in cases:
        got = call(answer, frequency, level, duration)
        expect(
            not isinstance(got, (list, tuple)), "Return one tensor or array, not a list: later cells calculate with it."
        )
        expect(np.ndim(got) == 1, f"Return one row of samples, [n]; yours has the shape {list(np.shape(got))}.")
        x = as_signal(got, (round(duration * RATE),), "tone")
        _judge_sine(x, frequency, level)


def _judge_sine(x: np.ndarray, frequency: int, level: float) -> None:
    rms = math.sqrt(np.mean(x**2))
    expect(rms > 0, "The tone is silent.")
    expect(np.abs(x).max() <= 1, f"It goes past full scale (1.0): {level:.0f} dBFS must make it smaller, not larger.")
    hz = np.abs(np.fft.rfft(x)).argmax() * RATE / len(x)
    slip = f"For {frequency} Hz the strongest frequency is {hz:.0f} Hz"
    expect(abs(hz - frequency) < 5, f"{slip}: is n divided by the sample rate, and is 2 pi there once?")
    off = 20 * math.log10(rms) - level
    expect(abs(off + 3.01) > 0.05, "Its peak is at that level; its rms lies 3 dB lower. Multiply by the root of 2.")
    expect(abs(off + 6.02) > 0.05, "The rms is the amplitude divided by the root of 2; so multiply, to undo it.")
    power = min(abs(off - level - extra) for extra in (0, -3.01, -6.02))
    expect(power > 0.05, "10^(level/10) is for power; amplitudes need 10^(level/20).")
    expect(abs(off) < 0.05, f"For {level:.1f} dBFS its rms level is {level + off:.1f} dBFS.")
    wave = np.exp(2j * np.pi * frequency * np.arange(len(x)) / RATE)
    error = np.abs(x / (2**0.5 * rms) - wave.imag).max()
    cosine = min(np.abs(x / (2**0.5 * rms) - other).max() for other in (wave.real, -wave.imag)) < 0.02
    expect(not cosine, "The level is right, but a sine begins at 0 and goes up: `sin`, and no minus.")
    expect(error < 0.02, "The times drift: sample n lies at n / 44,100 s. (`linspace` includes its end; use `arange`.)")


def downsample(x):
    """Return `x` `[..., n]` at a quarter of its rate, low-passed first."""
    below_nyquist = synthesis.band(x, None, 4_000, order=8)
    return below_nyquist[..., ::4]


def _level_db(x: np.ndarray, frequency_hz: float, rate: int) -> float:
    """Return the level of one frequency in the middle of `x`, where no filter is still waking up."""
    middle = x[len(x) // 4 : 3 * len(x) // 4]
    turn = np.exp(-2j * np.pi * frequency_hz / rate * np.arange(len(middle)))
    window = np.hanning(len(middle))
    return 20 * math.log10(2 * abs(np.sum(middle * window * turn)) / window.sum() + 1e-12)


def _tone(frequency_hz: float) -> Tensor:
    return 0.1 * torch.sin(2 * torch.pi * frequency_hz / RATE * torch.arange(RATE, dtype=torch.float64))


def _heard_db(answer, made_hz: float, heard_hz: float | None = None) -> float:
    """Return how loud a tone of `made_hz` comes out of the answer at `heard_hz`, relative to what went in."""
    got = call(answer, _tone(made_hz))
    expect(np.size(got) != RATE, "It has as many samples as before: after the filter, keep every fourth one, `::4`.")
    y = as_signal(got, (RATE // 4,), "downsampled sound")
    return _level_db(y, heard_hz or made_hz, RATE // 4) - _level_db(_tone(made_hz).numpy(), made_hz, RATE)


@exercise(
    "01-downsample",
    why="Filter first, then drop. Whoever drops samples without it, a strided convolution too, aliases.",
)
def downsampled(answer):
    tone_db, ghost_db = _heard_db(answer, 1_000), _heard_db(answer, 15_000, 3_975)
    expect(
        abs(tone_db) > 1 or abs(ghost_db) > 1,
        "The alias at 3,975 Hz is as loud as the tone: remove what lies above 5,512 Hz before you drop samples.",
    )
    # 14,025 Hz comes back as 3,000 Hz: a filter that comes too late treats it like a real tone of 3,000 Hz.
    late = abs(_heard_db(answer, 14_025, 3_000) - _heard_db(answer, 3_000)) < 1
    expect(not late, "Filter before you drop samples: afterwards the alias cannot be told from a real tone.")
    expect(tone_db > -100, "The 1,000 Hz are gone: keep what is low, `band(x, None, …)`, and *every fourth* sample.")
    expect(tone_db < 1, f"The tone at 1,000 Hz came out {tone_db:.0f} dB louder; filter and drop, nothing else.")
    expect(ghost_db < -40, f"The alias is only {-ghost_db:.0f} dB weaker; a steeper filter (a higher `order`) helps.")
    for hz in (1_000, 2_000, 3_000):
        change = _heard_db(answer, hz)
        expect(abs(change) < 1, f"The tone at {hz:,} Hz changed by {change:.1f} dB; put the cut-off higher.")
    for hz in (8_000, 10_000):
        left = _heard_db(answer, hz, 11_025 - hz)
        expect(
            left < -40,
            f"{hz:,} Hz is only {-left:.0f} dB weaker: put the cut-off well below *half of the new* rate, 5,512 Hz.",
        )
    stereo = torch.stack([_tone(1_000), _tone(2_000)])
    expect(
        np.shape(call(answer, stereo)) == (2, RATE // 4),
        "Stereo `[2, n]` comes out wrong: drop samples along the last axis, `[..., ::4]`.",
    )


def sweep(frequency_hz: Tensor) -> Tensor:
    """Return a sine `[n]` whose frequency at each sample is `frequency_hz` `[n]`."""
    phase = 2 * torch.pi * torch.cumsum(frequency_hz, 0) / RATE
    return torch.sin(phase)


def _falling(seed: int, length: int) -> Tensor:
    """Return a frequency `[length]` that falls exponentially."""
    random, t = _random(seed), torch.arange(length, dtype=torch.float64) / RATE
    low = random.uniform(80, 300)
    return low * (1 + random.uniform(2, 5) * torch.exp(-t / random.uniform(0.05, 0.2)))


def _residue(x: np.ndarray, phase: np.ndarray) -> tuple[float, float, float]:
    """Return `x` as a sin(phase) + b cos(phase): a, b and the rms of what is left."""
    basis = np.stack([np.sin(phase), np.cos(phase)], 1)
    (a, b), *_ = np.linalg.lstsq(basis, x, rcond=None)
    return float(a), float(b), float(np.sqrt(np.mean((x - basis @ [a, b]) ** 2)))


@exercise("01-sweep", why="Frequency is how fast the phase grows, so the phase is the sum of all frequencies so far.")
def swept(answer):
    for seed, length in ((2, 32_768), (3, 20_000), (4, 44_100)):
        f = _falling(seed, length)
        got = call(answer, f)
        x = as_signal(got, (length,), "sweep")
        steps, n = np.cumsum(f.numpy()), np.arange(length)
        naive = 2 * np.pi * f.numpy() * n / RATE
        expect(np.abs(x).max() > 0.5, "It is silent, or nearly.")
        expect(
            np.abs(x).max() < 1.01,
            "It goes beyond 1: return the sine of the phase, not the phase itself.",
        )
        expect(
            not close(x, np.sin(naive), atol=0.05),
            "This is sin(2 pi f t), the wrong one from above: add the frequencies up, `torch.cumsum(frequency_hz, 0)`.",
        )
        expect(_residue(x, steps / RATE)[2] > 0.05, "The 2 pi is missing: one period is 2 pi of phase.")
        with np.errstate(all="ignore"):
            loose = min(_residue(x, 2 * np.pi * steps)[2], _residue(x, steps)[2])
        expect(loose > 0.05, "Each sample lasts 1 / 44,100 s: divide the sum by the sample rate.")
        expect(
            _residue(x, 2 * np.pi * steps * n / RATE**2)[2] > 0.05,
            "The sum already is the integral over time: do not multiply by t again.",
        )
        a, b, rest = _residue(x, 2 * np.pi * steps / RATE)
        expect(rest < 0.05, "The frequency does not follow `frequency_hz`. The phase is 2 pi cumsum(f) / sample rate.")
        expect(abs(b) < 0.2 and a > 0.9, "Right frequency; but begin near 0 and go up: the *sine* of the phase.")


def decay(t60_s: float) -> Tensor:
    """Return an envelope `[32768]` that begins at 1 and falls by 60 dB in `t60_s` seconds."""
    t = torch.arange(LENGTH, dtype=torch.float64) / RATE
    return 10 ** (-60 / 20 * t / t60_s)


@exercise("01-decay", why="A straight line in dB is an exponential in amplitude. Most things that are struck decay so.")
def decays(answer):
    for t60 in (0.5, 0.08, float(_random(5).uniform(0.1, 0.7))):
        x = as_signal(call(answer, t60), (LENGTH,), "envelope")
        t = np.arange(LENGTH) / RATE
        here = round(t60 * RATE) if t60 * RATE < LENGTH else LENGTH - 1
        expect(abs(x[0]) > 1e-9, "It begins at 0: is that the level in dB? Turn it into a ratio, 10^(dB / 20).")
        expect(abs(x[0] - 1) < 1e-3, f"It begins at {x[0]:.3g}, but should begin at 1 (0 dB).")
        expect(x[here] < 1, "It does not fall: the exponent needs a minus.")
        expect(x.min() >= 0, "An envelope is never negative. A straight line in *dB* never reaches 0.")
        steps = np.diff(x[: here // 2])
        straight = np.ptp(steps) < 1e-6 and abs(steps.mean()) > 1e-7
        expect(
            not straight, "That is a straight line in amplitude; it has to be straight in dB, which is an exponential."
        )
        power_of_db = 0 < x[here // 2] < 1e-20
        expect(not power_of_db, "10^-60 is a fall of 1,200 dB: dB become a ratio by 10^(dB / 20).")
        expect(x[here] > 0, "It is 0 after `t60_s`. Is t in seconds, n / 44,100? An exponential never reaches 0.")
        db = 20 * math.log10(max(float(x[here]), 1e-300)) / (t[here] / t60)
        expect(abs(db + 8.69) > 0.1, "That falls by only 8.7 dB in that time: e^-1. You want 10^(-60/20) there.")
        expect(abs(db + 120) > 0.5, "10^(dB / 10) is for power; amplitudes need 10^(dB / 20).")
        expect(abs(db + 26.06) > 0.1, "e^-3 is only -26 dB; 60 dB are 10^-3.")
        rule = 10.0 ** (-3 * t / t60)
        half_db = -20 * math.log10(max(float(x[here // 2]), 1e-300))
        expect(
            np.allclose(x, rule, rtol=2e-2, atol=1e-4),
            f"After {t60:.2f} s it has fallen by {-db:.1f} dB (60 wanted), "
            f"after half of it by {half_db:.1f} (30 wanted).",
        )


def kick(
    pitch_hz: float = 50.0, sweep_ratio: float = 4.0, sweep_s: float = 0.025, decay_s: float = 0.45, click: float = 0.1
) -> Tensor:
    """Return a kick drum `[2, 32768]`, peak -3 dBFS."""
    t = torch.arange(LENGTH, dtype=torch.float64) / RATE
    frequency_hz = pitch_hz * (1 + (sweep_ratio - 1) * torch.exp(-t / sweep_s))
    body = sweep(frequency_hz) * decay(decay_s)
    noise = torch.randn(LENGTH, generator=torch.Generator().manual_seed(0))
    x = body + click * noise * decay(0.025)
    x = x * 10 ** (-3 / 20) / x.abs().max()
    return torch.stack([x, x]).float()


KICKS = (
    {"click": 0.0},
    {"click": 0.0, "pitch_hz": 41.0},
    {"click": 0.0, "sweep_ratio": 7.0},
    {"click": 0.0, "sweep_s": 0.06},
    {"click": 0.0, "decay_s": 0.2},
)


def _body(settings: dict) -> tuple[np.ndarray, np.ndarray]:
    """Return the phase `[n]` of a kick without click, and its envelope `[n]`."""
    p = {"pitch_hz": 50.0, "sweep_ratio": 4.0, "sweep_s": 0.025, "decay_s": 0.45} | settings
    t = np.arange(LENGTH) / RATE
    f = p["pitch_hz"] * (1 + (p["sweep_ratio"] - 1) * np.exp(-t / p["sweep_s"]))
    return 2 * np.pi * np.cumsum(f) / RATE, 10 ** (-3 * t / p["decay_s"])


def _fits(x: np.ndarray, settings: dict) -> bool:
    """Tell whether `x` is a kick without click, of any level; the phase may be off by some hundredths."""
    phase, envelope = _body(settings)
    body = np.sin(phase) * envelope
    cosine = float(x @ body / (np.linalg.norm(x) * np.linalg.norm(body) + 1e-30))
    return cosine > 0.995


def _stereo_kick(answer, **settings) -> np.ndarray:
    got = call(answer, **settings)
    expect(np.shape(got) != (LENGTH,), "That is mono: return left and right, `torch.stack([x, x])`.")
    return as_signal(got, (2, LENGTH), "kick")


@exercise("01-kick", why="The drum machine of this course does the same with more voices (tad_course/drums/voices.py).")
def drum(answer):
    for settings in KICKS:
        x = _stereo_kick(answer, **settings)
        expect(np.abs(x).max() > 0, "It is silent.")
        _judge_body(x[0], settings)
        expect(close(x[0], x[1]), "Left and right should be the same here.")
        peak = 20 * math.log10(np.abs(x).max())
        expect(abs(peak) > 0.05, "Its peak is at 0 dBFS, full scale. Multiply by 10^(-3/20) as well.")
        expect(abs(peak + 3) < 0.1, f"Its peak is at {peak:.1f} dBFS, not -3: divide by `x.abs().max()` at the end.")
    _judge_click(answer)


def _judge_body(x: np.ndarray, settings: dict) -> None:
    phase, envelope = _body(settings)
    name = next((key for key in settings if key != "click"), "")
    expect(not name or not _fits(x, {}), f"`{name}` makes no difference: use the argument, not a fixed number.")
    t = np.arange(LENGTH) / RATE
    p = {"pitch_hz": 50.0, "sweep_ratio": 4.0, "sweep_s": 0.025} | settings
    f = p["pitch_hz"] * (1 + (p["sweep_ratio"] - 1) * np.exp(-t / p["sweep_s"]))
    naive = np.sin(2 * np.pi * f * t) * envelope
    expect(abs(np.corrcoef(x, naive)[0, 1]) < 0.995, "This is sin(2 pi f t) again: call your `sweep` with f.")
    bare = np.corrcoef(x, np.sin(phase))[0, 1]
    expect(bare < 0.995, "It never dies away: multiply the sweep by `decay(decay_s)`.")
    risen = p["pitch_hz"] * (1 + p["sweep_ratio"] * np.exp(-t / p["sweep_s"]))
    above = np.sin(2 * np.pi * np.cumsum(risen) / RATE) * envelope
    expect(
        abs(np.corrcoef(x, above)[0, 1]) < 0.995, "The factor is (sweep_ratio - 1): at t = 0 f is sweep_ratio * pitch."
    )
    steady = np.sin(2 * np.pi * p["pitch_hz"] * t) * envelope
    expect(abs(np.corrcoef(x, steady)[0, 1]) < 0.995, "Its pitch does not fall: give `sweep` the falling f.")
    expect(_fits(x, settings), f"Without a click (`click=0`) the body is another one{_with(name, settings)}.")


def _with(name: str, settings: dict) -> str:
    return f", with {name} = {settings[name]:g}" if name else ""


def _judge_click(answer) -> None:
    first, again = (_stereo_kick(answer, click=0.2)[0] for _ in range(2))
    expect(close(first, again), "Each call gives another click: use `torch.Generator().manual_seed(0)`.")
    phase, envelope = _body({})
    body = np.sin(phase) * envelope
    late = slice(2646, 12_000)  # 60 ms on: the burst of 25 ms is over
    gain = float(first[late] @ body[late] / (body[late] @ body[late]))
    rest = first / gain - body
    early, tail = rest[:110].std(), rest[late].std()
    expect(early > 0.01, "`click` makes no difference: add `click` times a burst of noise.")
    expect(tail < 0.02, "The noise goes on and on: give it an envelope of its own, `decay(0.025)`.")
    expect(0.03 < early < 0.5, f"The click has an rms of {early:.2f} at its start, where `click` is 0.2.")
    expect(abs(rest[:300].mean()) < 0.1 and np.abs(np.diff(rest[:110])).mean() > 0.01, "The click is not noise.")
    peak = 20 * math.log10(np.abs(first).max())
    expect(abs(peak + 3) < 0.1, f"With a click its peak is at {peak:.1f} dBFS: normalize the sum, not the body.")


def mid_side(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return mid and side, `[n]` each, of `x` `[2, n]`."""
    left, right = x
    return (left + right) / 2, (left - right) / 2


def _stereo(seed: int, length: int) -> Tensor:
    return torch.from_numpy(_random(seed).uniform(-0.5, 0.5, (2, length)))


@exercise("01-mid-side", why="Mid is what a mono loudspeaker plays. Side is silent if left and right are the same.")
def mid_and_side(answer):
    for seed, length in ((6, 50), (7, 1000)):
        x = _stereo(seed, length)
        left, right = x.numpy()
        got = as_signal(call(answer, x), (2, length), "pair (mid, side)")
        expect(not close(got, [left + right, left - right]), "Both are twice as large: the formulas have a half.")
        expect(
            not close(got, [(left + right) / 2**0.5, (left - right) / 2**0.5]), "The factor is 1/2 here, not 1/sqrt(2)."
        )
        expect(not close(got[::-1], [(left + right) / 2, (left - right) / 2]), "Mid first, then side.")
        expect(not close(got[1], (right - left) / 2), "Side is left minus right, not right minus left.")
        expect(close(got[0], (left + right) / 2), "Mid is half the sum of left and right.")
        expect(close(got[1], (left - right) / 2), "Side is half the difference, left minus right.")


def widen(x: Tensor, amount: float) -> Tensor:
    """Return `x` `[2, n]` with its side signal multiplied by `amount`."""
    mid, side = mid_side(x)
    return torch.stack([mid + amount * side, mid - amount * side])


@exercise("01-widen", why="0 gives mono, 1 gives the sound itself: the two cases by which to test such a function.")
def widened(answer):
    for seed, amount in ((8, 1.7), (9, 0.0), (10, 1.0), (11, 0.4)):
        x = _stereo(seed, 200)
        mid, side = (part.numpy() for part in mid_side(x))
        got = call(answer, x, amount)
        expect(not isinstance(got, (list, tuple)), "Return one sound, `torch.stack([left, right])`, not two.")
        got = as_signal(got, (2, 200), "sound")
        right = np.stack([mid + amount * side, mid - amount * side])
        if amount:
            expect(not close(got, right[::-1]), "Left and right are swapped: left is mid *plus* side.")
        expect(not close(got, right / 2), "It is half as loud: mid and side already hold the half.")
        expect(amount in (0, 1) or not close(got, amount * x.numpy()), "Only the side is multiplied; the mid stays.")
        expect(amount in (0, 1) or not close(got, x.numpy()), "`amount` makes no difference.")
        expect(close(got, right), f"For amount = {amount:g} it should be mid ± {amount:g} side.")


SOLUTIONS.update(
    {
        "01-sine": sine,
        "01-downsample": downsample,
        "01-sweep": sweep,
        "01-decay": decay,
        "01-kick": kick,
        "01-mid-side": mid_side,
        "01-widen": widen,
    }
)


QUIZ = (
    Question(
        "A file of 44,100 Hz is played at 48,000 samples a second, without converting it. What do you hear?",
        (
            Answer(
                "It is a little too low and too long", "The other way round: each sample now lasts shorter, not longer."
            ),
            Answer(
                "It is a little too high and too short",
                "48,000 / 44,100 is 1.088, which is about one and a half semitones up.",
                right=True,
            ),
            Answer(
                "Nothing changes", "The numbers do not know their rate; whoever plays them decides how fast they go."
            ),
        ),
    ),
    Question(
        "A sine of 30,000 Hz is sampled at 44,100 Hz. Which tone is in the samples?",
        (
            Answer("14,100 Hz", "44,100 - 30,000: it folds back at 22,050 Hz.", right=True),
            Answer("30,000 Hz, but nobody can hear it", "Above 22,050 Hz nothing fits into the samples at all."),
            Answer("7,950 Hz", "That is how far it lies above Nyquist; it folds to as far below: 22,050 - 7,950."),
        ),
    ),
    Question(
        "Hiss lies 40 dB below a drum. What is its amplitude, relative to the drum's?",
        (
            Answer("1/40", "Decibels are logarithms: every 20 dB is a factor of ten."),
            Answer("1/10,000", "That is its power. Amplitudes use 20 log10, so 40 dB are two factors of ten."),
            Answer(
                "1/100",
                "20 dB is a tenth and 40 dB a tenth of a tenth. In a silent tail that is easy to hear.",
                right=True,
            ),
        ),
    ),
)
