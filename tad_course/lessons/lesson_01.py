"""Exercises and quiz of lesson 01: counting samples, levels, aliases."""

import math

import numpy as np

from tad_course.lessons.check import as_number, as_signal, call, close, exercise, expect
from tad_course.lessons.quiz import Answer, Question

RATE = 44_100


@exercise(
    "01-count", why="Three minutes of stereo are 15,876,000 numbers: that is why this course makes one-shots first."
)
def count(answer):
    number = as_number(call(answer, 2.0))
    expect(number != 88_200, "That is one channel; stereo has two.")
    expect(number != 352_800, "That counts bytes or channels twice: 2 seconds x 44,100 samples x 2 channels is enough.")
    expect(number != 65_536, "That is always the drum of 0.743 s; use `duration_s`, so that it works for any length.")
    expect(not close(number, 176.4), "44.1 kHz are 44,100 samples a second; k stands for thousand.")
    expect(number == 176_400, "Count seconds x samples a second x channels; 2 s should give 176,400.")
    short = as_number(call(answer, 0.50001))
    expect(short == int(short), "There is no half sample: return a whole number, for instance with `round`.")
    expect(abs(short - 44_100) <= 2, "2 s comes out right, but 0.5 s does not: does the duration enter twice?")
    expect(short % 2 == 0, "An odd number cannot be two equal channels: round the samples of one, then double.")


@exercise(
    "01-sine", why="Peak and rms of a sine differ by 3 dB; of a drum by 15 or more. Always say which one you mean."
)
def sine_level(answer):
    x = as_signal(answer, (RATE,), "tone")
    amplitude, rms = np.abs(x).max(), math.sqrt(np.mean(x**2))
    expect(rms > 0, "The tone is silent.")
    expect(
        amplitude <= 1, "It goes past full scale (1.0) and would be cut off; -12 dB must make it smaller, not larger."
    )
    spectrum = np.abs(np.fft.rfft(x))
    peak_hz = int(spectrum.argmax())
    expect(peak_hz == 440, f"The loudest frequency is {peak_hz} Hz, not 440 Hz: is n divided by the sample rate?")
    expect(spectrum[440] ** 2 > 0.99 * np.sum(spectrum**2), "There is more in it than one sine of 440 Hz.")
    level = 20 * math.log10(rms)
    expect(abs(level + 15.01) > 0.1, "Its peak is at -12 dBFS; its rms lies 3 dB lower. Multiply by the root of 2.")
    expect(abs(level + 27.01) > 0.1 and abs(level + 24) > 0.1, "10^(-12/10) is for power; amplitudes need 10^(-12/20).")
    expect(abs(level + 18.02) > 0.1, "The rms is the amplitude divided by the root of 2; so multiply, to undo it.")
    expect(abs(level + 12) < 0.05, f"Its rms level is {level:.1f} dBFS, not -12.")


@exercise(
    "01-alias",
    why="The numbers of 15,000 Hz and of 3,975 Hz are the same at this rate: nothing can separate them later.",
)
def alias(answer):
    value = abs(as_number(answer, "alias"))
    expect(value != 15_000, "15,000 Hz lies above the Nyquist frequency of 5,512.5 Hz, so it cannot be in the samples.")
    expect(
        value != 5_512.5, "Frequencies are not clipped at Nyquist; they fold. Take away whole multiples of 11,025 Hz."
    )
    expect(
        value not in (9_487.5, 3_950), "The strip folds at 5,512.5 Hz: going down from there, 0 Hz is the next fold."
    )
    expect(value != 7_050, "7,050 Hz still lies above Nyquist (5,512.5 Hz). Fold once more: 11,025 - 7,050.")
    expect(value != 29_100, "That folds at 44,100 samples a second; this sine is sampled 11,025 times a second.")
    expect(value != 3_750, "The number of samples shrinks by four, the frequency does not: take whole turns away.")
    expect(not close(value, 3.975), "In Hz, please, not in kHz.")
    expect(close(value, 3_975, atol=1), "Take whole multiples of 11,025 Hz away until less than half of it is left.")


def _level_db(x: np.ndarray, frequency_hz: float, rate: int) -> float:
    """Return the level of one frequency in the middle of `x`, where no filter is still waking up."""
    middle = x[len(x) // 4 : 3 * len(x) // 4]
    turn = np.exp(-2j * np.pi * frequency_hz / rate * np.arange(len(middle)))
    window = np.hanning(len(middle))
    return 20 * math.log10(2 * abs(np.sum(middle * window * turn)) / window.sum() + 1e-12)


def _tone(frequency_hz: float) -> np.ndarray:
    return 0.1 * np.sin(2 * np.pi * frequency_hz / RATE * np.arange(RATE))


def _heard_db(answer, made_hz: float, heard_hz: float) -> float:
    """Return how loud a tone of `made_hz` comes out of the answer at `heard_hz`, relative to what went in."""
    got = call(answer, _tone(made_hz))
    expect(np.size(got) != RATE, "It has as many samples as before: after the filter, keep every fourth one, `[::4]`.")
    y = as_signal(got, (RATE // 4,), "downsampled sound")
    return _level_db(y, heard_hz, RATE // 4) - _level_db(_tone(made_hz), made_hz, RATE)


@exercise(
    "01-downsample",
    why="Filter first, then drop. Whoever drops samples without it, a strided convolution too, aliases.",
)
def downsample(answer):
    tone_db, ghost_db = _heard_db(answer, 1_000, 1_000), _heard_db(answer, 15_000, 3_975)
    expect(
        abs(tone_db) > 1 or abs(ghost_db) > 1,
        "The ghost at 3,975 Hz is as loud as the tone: filter what lies above 5,512 Hz away before the samples go.",
    )
    # 14,025 Hz comes back as 3,000 Hz: a filter that comes too late treats it like a real tone of 3,000 Hz.
    late = abs(_heard_db(answer, 14_025, 3_000) - _heard_db(answer, 3_000, 3_000)) < 1
    expect(not late, "Filter before you drop samples: afterwards the ghost cannot be told from a real tone.")
    expect(tone_db > -100, "The 1,000 Hz are gone: keep what is low, `band(x, None, …)`, and *every fourth* sample.")
    expect(tone_db < 1, f"The tone at 1,000 Hz came out {tone_db:.0f} dB louder; filter and drop, nothing else.")
    expect(abs(tone_db) < 1, f"The tone at 1,000 Hz changed by {tone_db:.1f} dB; put the cut-off higher.")
    expect(ghost_db < -40, f"The ghost is only {-ghost_db:.0f} dB weaker; a steeper filter (a higher `order`) helps.")
    between = "8,000 Hz comes through as a ghost: the cut-off belongs below half of the new rate, not below the rate."
    expect(_heard_db(answer, 8_000, 3_025) < -10, between)


QUIZ = (
    Question(
        "A file of 44,100 Hz is played at 48,000 samples a second. What do you hear?",
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
