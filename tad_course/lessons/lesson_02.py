"""Exercises and quiz of lesson 02: shifts as turned phases, swapped halves, the error of a resynthesis."""

import math

import numpy as np
import torch

from tad_course.audio.spectra import istft, stft, swap_phase
from tad_course.drums import voices as drums
from tad_course.lessons.check import Wrong, as_array, as_number, as_signal, call, close, exercise, expect
from tad_course.lessons.quiz import Answer, Question


@exercise(
    "02-shift", why="One straight line of phase is one shift in time; that is all that a delay does to a spectrum."
)
def shift(answer):
    x = torch.randn(64, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    y = as_signal(call(answer, x, 5), (64,), "shifted sound")
    turned = torch.fft.irfft(torch.fft.rfft(x) * np.exp(-2j * np.pi * 5 / 64), 64)
    expect(not close(y, x), "Nothing moved: are the turned phases put into the spectrum that you bring back?")
    expect(not close(y, x.roll(-5)), "It comes earlier, not later: a delay turns the phases by a *negative* angle.")
    expect(not close(y, turned), "All bins turn by the same angle; bin k must turn k times as far as bin 1.")
    slow = [torch.fft.irfft(torch.fft.rfft(x) * torch.exp(sign * 5j * torch.arange(33) / 64), 64) for sign in (1, -1)]
    expect(not any(close(y, other) for other in slow), "The angle is too small by 2 pi: a whole turn is 2 pi, not 1.")
    expect(close(y, x.roll(5)), "A delay of 5 samples should be the same as torch.roll(x, 5), and is not.")
    half = torch.fft.irfft(torch.fft.rfft(x) * torch.exp(-2j * torch.pi * torch.arange(33) / 64 * 2.5), 64)
    try:
        y = as_signal(call(answer, x, 2.5), (64,), "shifted sound")
    except (TypeError, RuntimeError, IndexError):
        raise Wrong("It can do whole samples only; turn the phases, and 2.5 samples work as well.") from None
    expect(close(y, half), "Whole samples are right, but 2.5 are not: do not round; turn the phases.")
    odd = torch.cat([x, x[:1]])
    y = as_array(call(answer, odd, 5), "shifted sound")
    expect(
        y.size != 64, "65 samples in, 64 out: 33 bins fit both, so tell irfft the length, torch.fft.irfft(spectrum, N)."
    )
    expect(close(y.reshape(-1), odd.roll(5)), "64 samples are right, 65 are not: N is the length of x, whatever it is.")


@exercise(
    "02-swap", why="The magnitude decides which drum it is, as long as blocks are short; the phase, how clean it is."
)
def swap(answer):
    a, b = drums.kick(), drums.snare()
    y = as_signal(call(answer, a, b), tuple(a.shape), "swapped sound")
    spectrum_a, spectrum_b = stft(a), stft(b)
    expect(
        not close(y, swap_phase(b, a), atol=1e-3),
        "These are the magnitude of b and the phase of a: the wrong way round.",
    )
    zero_phase = istft(spectrum_a.abs().to(torch.complex64), a.shape[-1])
    expect(not close(y, zero_phase, atol=1e-3), "The phase of b is missing: put both together with torch.polar.")
    filtered = istft(spectrum_a.abs() * spectrum_b, a.shape[-1])
    expect(
        not close(y, filtered, rtol=1e-2, atol=1e-3),
        "|A| times B keeps the magnitude of b as well; use only its angle.",
    )
    summed = istft(spectrum_a.abs() * spectrum_b.angle().to(torch.complex64), a.shape[-1])
    expect(not close(y, summed, atol=1e-3), "The angle itself is no direction: use torch.polar(magnitude, phase).")
    expect(not close(y, a, atol=1e-3), "This is a itself: the phase must come from b.")
    whole = swap_phase(a, b, block=a.shape[-1])
    expect(
        not close(y, whole, rtol=1e-2, atol=2e-3),
        "That is one spectrum of the whole sound; use stft and istft, a spectrum for each moment.",
    )
    exchanged = istft(torch.polar(spectrum_b.angle(), spectrum_a.abs()), a.shape[-1])
    expect(not close(y, exchanged, rtol=1e-2, atol=1e-3), "torch.polar takes the magnitude first, and then the phase.")
    expect(
        np.abs(y).max() < 100,  # the sounds stay below 1: only exp of a magnitude is as loud as that
        "It is far too loud: in exp(1j * ...) goes the angle of B, not B itself.",
    )
    expect(
        close(y, swap_phase(a, b), rtol=1e-2, atol=2e-3),
        "The shape is right, the sound is not that of |A| with b's phase.",
    )


SUBTRACT_FIRST = "You compare two levels. Subtract the sounds first, and then measure what is left."


@exercise("02-error", why="This is the number behind 'lossless', and section 5 measures it again, without the phase.")
def relative_error(answer):
    reference = drums.snare()[0]
    estimate = 1.01 * reference
    value = as_number(call(answer, estimate, reference), "error")
    expect(not close(value, 40, atol=0.1), "That is the signal over the error; turn the fraction round.")
    expect(not close(value, -20, atol=0.1), "Half of it: 10 log10 belongs to energies, norms need 20 log10.")
    expect(not close(value, 20 * math.log10(1.01), atol=0.01), SUBTRACT_FIRST)
    expect(not close(value, 0.01, atol=0.001), "That is the ratio itself; now 20 log10 of it.")
    absolute = 20 * torch.log10((0.01 * reference).norm()).item()
    expect(not close(value, absolute, atol=0.1), "That is the level of the error; divide by the norm of the reference.")
    expect(
        close(value, -40, atol=0.05), f"For a copy that is 1 % too loud it should say -40 dB, and it says {value:.1f}."
    )
    upside_down_and_one_click(answer, reference)


def upside_down_and_one_click(answer, reference):
    """Tell a norm of the difference from other measures that also find -40 dB for a copy 1 % too loud."""
    try:
        upside_down = as_number(call(answer, -reference, reference), "error")
    except Wrong:  # the logarithm of 0: no difference between the levels
        upside_down = -math.inf
    expect(upside_down > -60, SUBTRACT_FIRST)
    expect(close(upside_down, 20 * math.log10(2), atol=0.05), "For a sound upside down it should say +6.0 dB.")
    clicked = reference.clone()
    clicked[1000] += 0.5
    value = as_number(call(answer, clicked, reference), "error")
    mean_db = 20 * math.log10(0.5 / reference.abs().sum().item())
    peak_db = 20 * math.log10(0.5 / reference.abs().max().item())
    expect(not close(value, mean_db, atol=0.1), "That is a mean of absolute values: a norm squares first, then sums.")
    expect(not close(value, peak_db, atol=0.1), "That compares two peaks: a norm squares all samples and sums them.")
    right = 20 * math.log10(0.5 / reference.norm().item())
    expect(close(value, right, atol=0.05), f"For one click in the sound it should say {right:.1f} dB: is it the norm?")


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
