"""Exercises, predictions and quiz of lesson 02: a shift as linear phase, the STFT and back, a swap, Griffin and Lim."""

import math

import numpy as np
import torch

from tad_course.drums import voices as drums
from tad_course.lessons.check import (
    SOLUTIONS,
    Wrong,
    as_array,
    as_number,
    as_signal,
    call,
    close,
    exercise,
    expect,
    expect_none_of,
)
from tad_course.lessons.quiz import Answer, Question

# --- what the lesson goes on with where an answer is missing or wrong; torch only ---


def shift(x, samples):
    N = len(x)
    spectrum = torch.fft.rfft(x)
    angle = -2 * torch.pi * torch.arange(len(spectrum)) / N * samples
    return torch.fft.irfft(spectrum * torch.exp(1j * angle), N)


def stft(x, block=1024, hop=256):
    window = torch.hann_window(block, dtype=x.dtype)
    padded = torch.nn.functional.pad(x, (block // 2, block // 2))
    frames = padded.unfold(-1, block, hop)
    return torch.fft.rfft(frames * window).T


def istft(X, length, block=1024, hop=256):
    window = torch.hann_window(block, dtype=X.real.dtype)
    frames = torch.fft.irfft(X.T, block) * window
    total, weight = torch.zeros(2, block + hop * (len(frames) - 1), dtype=X.real.dtype)
    for m, frame in enumerate(frames):
        total[m * hop : m * hop + block] += frame
        weight[m * hop : m * hop + block] += window**2
    inside = slice(block // 2, block // 2 + length)
    return total[inside] / weight[inside]


def relative_error_db(estimate, reference):
    error = estimate - reference
    return 20 * torch.log10(error.norm() / reference.norm())


def swap(a, b):
    A, B = stft(a), stft(b)
    Y = torch.polar(A.abs(), B.angle())
    return istft(Y, len(a))


def griffin_lim(magnitude, phase, iterations, length):
    for _ in range(iterations):
        x = istft(torch.polar(magnitude, phase), length)
        phase = stft(x).angle()
    return istft(torch.polar(magnitude, phase), length)


SOLUTIONS |= {
    "02-shift": shift,
    "02-stft": stft,
    "02-istft": istft,
    "02-error": relative_error_db,
    "02-swap": swap,
    "02-griffin-lim": griffin_lim,
}

PREDICTIONS = {
    "02-riddle": ("B", "the section *A riddle for the ear*"),
    "02-drum": ("A", "section 4, *Swap the phases*"),
    "02-note": ("C", "section 4, *The phase carries a pitch, too*"),
    "02-whole": ("B", "section 4, *Swap the phases*, one block as long as the sound"),
    "02-rebuilt": ("C", "section 5, *Throw the phase away, and estimate it again*"),
}


# --- the checks; hidden inputs are new each time ---


def expect_tensor(value) -> None:
    """Say that something else than a tensor came back, where later cells go on with one."""
    expect(isinstance(value, torch.Tensor), f"Return a tensor, for the later cells, not a {type(value).__name__}.")


@exercise(
    "02-shift", why="One straight line of phase is one shift in time; that is all that a delay does to a spectrum."
)
def check_shift(answer):
    x = torch.randn(64, dtype=torch.float64)
    d = int(torch.randint(3, 20, ()))
    value = call(answer, x, d)
    expect_tensor(value)
    expect(not value.is_complex(), "Return real samples: `irfft` gives them, `ifft` does not.")
    y = as_signal(value, (64,), "shifted sound")
    spectrum, k = torch.fft.rfft(x), torch.arange(33, dtype=torch.float64)

    def turned(angle):
        return torch.fft.irfft(spectrum * torch.exp(1j * angle), 64)

    line = -2 * torch.pi * k * d / 64
    mistakes = {
        "Nothing moved: are the turned phases put into the spectrum that you bring back?": x,
        "It comes earlier, not later: a delay turns the phases by a *negative* angle.": x.roll(-d),
        "All bins turn by the same angle; bin k must turn k times as far as bin 1.": turned(line[1]),
        "The angle is too small by 2 pi: a full rotation is 2 pi, not 1.": turned(line / (2 * torch.pi)),
        "The angle is too small by 2 pi, and a delay needs a minus.": turned(-line / (2 * torch.pi)),
        "The `1j` is missing: exp of a real number changes the magnitude, exp(1j * angle) rotates.": torch.fft.irfft(
            spectrum * torch.exp(line), 64
        ),
        "N is the number of samples, 64 here, not the number of bins, 33.": turned(line * 64 / 33),
        "N is the length of x, not the sample rate: the rule counts in bins, not in Hz.": turned(line * 64 / 44_100),
    }
    expect_none_of(y, mistakes, atol=1e-4)
    single = call(answer, x.float(), d)
    expect(single.dtype == torch.float32, "For a float32 sound, return float32: later cells go on with it.")
    expect(close(y, x.roll(d)), f"A delay of {d} samples should be the same as torch.roll(x, {d}), and is not.")
    try:
        y = as_signal(call(answer, x, 2.5), (64,), "shifted sound")
    except (TypeError, RuntimeError, IndexError):
        raise Wrong("It can do whole samples only; turn the phases, and 2.5 samples work as well.") from None
    half = turned(-2 * torch.pi * k * 2.5 / 64)
    expect(close(y, half), "Whole samples are right, but 2.5 are not: do not round; turn the phases.")
    odd = torch.cat([x, x[:1]])
    y = as_array(call(answer, odd, 5), "shifted sound")
    expect(
        y.size != 64, "65 samples in, 64 out: 33 bins fit both, so tell irfft the length, torch.fft.irfft(spectrum, N)."
    )
    expect(close(y.reshape(-1), odd.roll(5)), "64 samples are right, 65 are not: N is the length of x, whatever it is.")


@exercise("02-stft", why="Cut, fade, transform: the spectrograms of this lesson are now made by your function.")
def check_stft(answer):
    x = torch.randn(int(torch.randint(3000, 5000, ())))
    value = call(answer, x)
    expect_tensor(value)
    expect(value.is_complex(), "Return the complex numbers themselves: magnitude *and* phase.")
    right = stft(x)
    got = as_array(value, "STFT")
    padded = torch.nn.functional.pad(x, (512, 512))
    frames = padded.unfold(-1, 1024, 256)
    bins, count = right.shape
    shape = tuple(got.shape)
    expect(shape != (count, bins), f"Right numbers perhaps, but [frames, bins]; turn it to [{bins}, {count}]: `.T`.")
    expect(shape[0] != 1024, "That is the full FFT, 1,024 bins, half of them mirrored; `rfft` gives the 513 wanted.")
    unpadded = 1 + (len(x) - 1024) // 256
    expect(shape != (bins, unpadded), "The half block of silence at both ends is missing: pad first.")
    expect(shape == (bins, count), f"The STFT has the shape {list(shape)}; it should be [{bins}, {count}].")
    mistakes = {
        "The window is missing: multiply each frame with it before the FFT.": torch.fft.rfft(frames).T,
        "The window is squared: it is applied once here, and once more on the way back.": torch.fft.rfft(
            frames * torch.hann_window(1024) ** 2
        ).T,
        "Pad with zeros: here the ends were mirrored.": torch.stft(
            x, 1024, 256, window=torch.hann_window(1024), return_complex=True
        ),
        "It is divided by a constant somewhere; `rfft` alone is what the equation says.": right / 1024,
        "The window goes on the samples of a block, before the FFT.": torch.fft.rfft(frames).T
        * torch.hann_window(513)[:, None],
    }
    expect_none_of(got, mistakes, atol=1e-3)
    symmetric = torch.fft.rfft(frames * torch.hann_window(1024, periodic=False)).T
    near = float((value - symmetric).norm() / symmetric.norm())
    error = float((value - right).norm() / right.norm())
    expect(error < 1e-4 or near > 1e-4, "That is the symmetric Hann window; take `torch.hann_window(block)` as it is.")
    expect(error < 1e-4, "The shape is right, the numbers are not: which samples are in frame m, and which window?")
    y = torch.randn(2048)
    other = as_array(call(answer, y, 256, 64), "STFT")
    expect(
        other.shape == tuple(stft(y, 256, 64).shape) and close(other, stft(y, 256, 64), atol=1e-3),
        "Right for blocks of 1,024, but not for block=256, hop=64: is a number written out where `block` or `hop` "
        "belongs?",
    )


@exercise("02-istft", why="Without changes the way back is exact; after changes it is the least-squares answer.")
def check_istft(answer):
    length = int(torch.randint(3000, 5000, ()))
    x = torch.randn(length)
    X = stft(x)
    value = call(answer, X, length)
    expect_tensor(value)
    got = as_array(value, "sound")
    expect(got.size != len(X.T) * 256 + 768, "The padding is still there: cut off half a block, keep `length` samples.")
    got = as_signal(value, (length,), "sound")
    frames, window = torch.fft.irfft(X.T, 1024), torch.hann_window(1024)
    plain, faded = overlap_add(frames), overlap_add(frames * window)
    inside = slice(512, 512 + length)
    mistakes = {
        "It is the sound, 1.5 times or so too loud: divide by the sum of the squared windows.": faded[inside],
        "The frames were faded once, so their sum is twice too loud: fade again, divide by the sum of squares.": plain[
            inside
        ],
        "You divide by the sum of the windows, but the frames were faded twice: squared windows.": faded[inside]
        / overlap_add(window.expand(len(frames), -1))[inside],
        "You cut off the wrong end: the sound starts half a block in.": faded[:length]
        / overlap_add((window**2).expand(len(frames), -1))[:length].clamp(min=1e-12),
    }
    expect_none_of(got[600:-600], {hint: value[600:-600] for hint, value in mistakes.items()}, atol=1e-3)
    steady = faded[inside] / 1.5
    expect(
        close(got, x, atol=1e-3) or not close(got, steady, atol=1e-3),
        "Right in the middle, too soft at the ends, where fewer blocks overlap: sum the squared windows as well.",
    )
    expect(close(got, x, atol=1e-3), "There and back should give the sound itself, and does not.")
    changed = X * torch.rand(X.shape)
    got = as_signal(call(answer, changed, length), (length,), "sound")
    frames = torch.fft.irfft(changed.T, 1024)
    once = overlap_add(frames)[inside] / overlap_add(window.expand(len(frames), -1))[inside]
    expect(
        not close(got, once, atol=1e-3),
        "Exact for an unchanged STFT, but each block must be faded again, or changed blocks click at their borders.",
    )
    expect(close(got, istft(changed, length), atol=1e-3), "Right for an unchanged STFT, not for a changed one.")
    hint = "Right for blocks of 1,024, but not for block=256, hop=64: is a number written out?"
    try:
        other = as_signal(call(answer, stft(x, 256, 64), length, 256, 64), (length,), "sound")
    except (Wrong, RuntimeError, IndexError, ValueError):  # a division by zero, or other lengths
        raise Wrong(hint) from None
    expect(close(other, x, atol=1e-3), hint)


def overlap_add(frames):
    """Return the sum of frames `[m, 1024]`, each 256 samples later than the one before."""
    total = torch.zeros(1024 + 256 * (len(frames) - 1))
    for m, frame in enumerate(frames):
        total[m * 256 : m * 256 + 1024] += frame
    return total


SUBTRACT_FIRST = "You compare two levels. Subtract the sounds first, and then measure what is left."


@exercise("02-error", why="This is the number behind 'lossless', and section 5 measures with it.")
def check_error(answer):
    reference = drums.snare(seed=int(torch.randint(100, ())))[0]
    value = as_number(call(answer, 1.01 * reference, reference), "error")
    expect(not close(value, 40, atol=0.1), "That is the signal over the error; turn the fraction round.")
    expect(not close(value, -20, atol=0.1), "Half of it: 10 log10 belongs to energies, norms need 20 log10.")
    expect(not close(value, 20 * math.log10(1.01), atol=0.01), SUBTRACT_FIRST)
    expect(not close(value, 0.01, atol=0.001), "That is the ratio itself; now 20 log10 of it.")
    expect(not close(value, -40 * math.log(10), atol=0.1), "log is the natural logarithm; decibels need log10.")
    absolute = 20 * torch.log10((0.01 * reference).norm()).item()
    expect(not close(value, absolute, atol=0.1), "That is the level of the error; divide by the norm of the reference.")
    expect(abs(value + 40) < 0.15, f"For a copy that is 1 % too loud it should say -40 dB, and it says {value:.1f}.")
    halved = as_number(call(answer, 0.25 * reference, reference), "error")
    expect(not abs(halved - 20 * math.log10(3)) < 0.05, "Divide by the norm of the reference, not of the estimate.")
    expect(abs(halved - 20 * math.log10(0.75)) < 0.05, "For a copy at a quarter of the amplitude it is -2.5 dB.")
    upside_down_and_one_click(answer, reference)
    shifted = torch.randn(500) + 3
    value = as_number(call(answer, shifted + 0.3, shifted), "error")
    right = 20 * math.log10((0.3 * 500**0.5) / shifted.norm().item())
    expect(abs(value - right) < 0.05, "A standard deviation forgets a constant offset; the norm does not.")


def upside_down_and_one_click(answer, reference):
    """Tell a norm of the difference from other measures that also find -40 dB for a copy 1 % too loud."""
    try:
        upside_down = as_number(call(answer, -reference, reference), "error")
    except Wrong:  # the logarithm of 0: no difference between the levels
        upside_down = -math.inf
    expect(upside_down > -60, SUBTRACT_FIRST)
    expect(abs(upside_down - 20 * math.log10(2)) < 0.05, "For a sound upside down it should say +6.0 dB.")
    clicked = reference.clone()
    clicked[1000] += 0.5
    value = as_number(call(answer, clicked, reference), "error")
    mean_db = 20 * math.log10(0.5 / reference.abs().sum().item())
    peak_db = 20 * math.log10(0.5 / reference.abs().max().item())
    expect(abs(value - mean_db) > 0.1, "That is a mean of absolute values: a norm squares first, then sums.")
    expect(abs(value - peak_db) > 0.1, "That compares two peaks: a norm squares all samples and sums them.")
    right = 20 * math.log10(0.5 / reference.norm().item())
    expect(abs(value - right) < 0.05, f"For one click in the sound it should say {right:.1f} dB: is it the norm?")


def distance_db(got, wanted) -> float:
    """Return the level of the difference in dB relative to `wanted`, as a number."""
    got, wanted = torch.as_tensor(as_array(got)), torch.as_tensor(as_array(wanted))
    return 20 * math.log10(float((got - wanted).norm() / wanted.norm()) + 1e-12)


SAME_DB = -12  # torch.stft pads by mirroring, ours with silence: the swapped sounds differ by some -16 dB


@exercise("02-swap", why="The rest of this section listens to what your function made.")
def check_swap(answer):
    seed = int(torch.randint(100, ()))
    a, b = drums.kick(seed=seed).mean(0), drums.snare(seed=seed).mean(0)
    value = call(answer, a, b)
    expect_tensor(value)
    expect(not value.is_complex(), "That is a spectrum; bring it back to samples with `istft`.")
    y = as_signal(value, tuple(a.shape), "swapped sound")
    expect(
        np.abs(y).max() < 100,  # the sounds stay below 1: only exp of a magnitude is as loud as that
        "It is far too loud: in exp(1j * ...) goes the angle of B, not B itself.",
    )
    A, B = stft(a), stft(b)

    def back(spectrum):
        return istft(spectrum.to(torch.complex64), len(a))

    mistakes = {
        "These are the magnitude of b and the phase of a: the wrong way round.": back(torch.polar(B.abs(), A.angle())),
        "The phase of b is missing: put both together with torch.polar.": back(A.abs()),
        "|A| times B keeps the magnitude of b as well; use only its angle.": back(A.abs() * B),
        "The angle itself is no direction: use torch.polar(magnitude, phase).": back(A.abs() * B.angle()),
        "torch.complex takes real and imaginary part; torch.polar takes magnitude and phase.": back(
            torch.complex(A.abs(), B.angle())
        ),
        "This is a itself: the phase must come from b.": a,
        "That is b itself: the magnitude must come from a.": b,
        "That is one spectrum of the whole sound; use stft and istft, a spectrum for each moment.": torch.fft.irfft(
            torch.polar(torch.fft.rfft(a).abs(), torch.fft.rfft(b).angle()), len(a)
        ),
        "torch.polar takes the magnitude first, and then the phase.": back(torch.polar(B.angle(), A.abs())),
    }
    for hint, wrong in mistakes.items():
        expect(distance_db(y, wrong) > SAME_DB - 3, hint)
    expect(
        distance_db(y, swap(a, b)) < SAME_DB,
        "It is not the sound of |A| with b's phase. With torch.stft: blocks of 1,024, hop 256, a Hann window, all "
        "three also on the way back.",
    )


@exercise(
    "02-griffin-lim", why="Each iteration lowers the magnitude error; what it does to the waveform is measured next."
)
def check_griffin_lim(answer):
    length = 8192
    x = torch.zeros(length)
    x[1024:5120] = drums.snare(seed=int(torch.randint(100, ()))).mean(0)[:4096]
    magnitude = stft(x).abs()
    phase = torch.pi * (1 - 2 * torch.rand(magnitude.shape))
    zero = as_signal(call(answer, magnitude, phase, 0, length), (length,), "sound")
    start = istft(torch.polar(magnitude, phase), length)
    expect(
        distance_db(zero, griffin_lim(magnitude, phase, 1, length)) > SAME_DB,
        "With 0 iterations it should be istft of the magnitude with the phase given; yours does one iteration more.",
    )
    expect(distance_db(zero, start) < SAME_DB, "With 0 iterations it is istft of the magnitude with the phase given.")
    value = call(answer, magnitude, phase, 1, length)
    expect_tensor(value)
    once = as_signal(value, (length,), "sound")
    expect(
        distance_db(once, start) > SAME_DB,
        "An iteration changes nothing: is the new phase used, and with the wanted magnitude, not that of x?",
    )
    expect(
        distance_db(once, griffin_lim(magnitude, phase, 1, length)) < SAME_DB,
        "One iteration is: istft, stft, keep the angle, put the wanted magnitude in again.",
    )
    eight = as_signal(call(answer, magnitude, phase, 8, length), (length,), "sound")
    wanted = griffin_lim(magnitude, phase, 8, length)
    far, near = (distance_db(stft(torch.as_tensor(y).float()).abs(), magnitude) for y in (eight, wanted))
    expect(far < near + 0.7, "One iteration is right, eight are not: does each start with the phase of the last?")


QUIZ = (
    Question(
        "Two sounds have exactly the same magnitude spectrum, taken over their whole length. They must …",
        (
            Answer(
                "sound the same",
                "The click, the sweep and the hiss had the same one: when each frequency comes is phase.",
            ),
            Answer(
                "have the same energy",
                "Energy is the sum of the squared magnitudes (Parseval), phase or not.",
                right=True,
            ),
            Answer("have the same peak", "The click's energy stands in one sample, the hiss spreads it over all."),
        ),
    ),
    Question(
        "You want to see two hits that are 5 ms apart in a spectrogram. Which block do you choose?",
        (
            Answer("4,096 samples", "93 ms: sharp in frequency, but both hits fall into one block."),
            Answer("1,024 samples", "23 ms, still longer than the gap: the two hits melt into one."),
            Answer(
                "128 samples", "3 ms, shorter than the gap: two lines; in exchange each bin is 345 Hz wide.", right=True
            ),
        ),
    ),
    Question(
        "A model's mel spectrograms are all but perfect, yet its drums sound soft at the start. What is most likely?",
        (
            Answer(
                "The step back to sound estimates the phase, and smears the attack over a block",
                "Magnitudes fix time to within a block only; the exact moment is in the phase that was never made.",
                right=True,
            ),
            Answer(
                "The sample rate is too low",
                "That would take away treble at all times, not the sharpness of the start.",
            ),
            Answer(
                "It needs more mel bands", "More bands are finer in frequency; the moment of the hit is not in them."
            ),
        ),
    ),
)
