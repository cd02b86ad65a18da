"""Exercises and quiz of lesson 03: the jump, the SNR, what drowns last."""

import math

import numpy as np
import torch

from tad_course.lessons.check import Wrong, as_choice, as_number, as_signal, call, close, exercise, expect
from tad_course.lessons.quiz import Answer, Question


@exercise("03-jump", why="One line, any t, a batch at a time: this is the whole forward process of the training loop.")
def jump(answer):
    t = torch.tensor([0.0, 1 / 3, 0.8])
    x_0, eps = torch.randn(2, 3, 2, 8, generator=torch.Generator().manual_seed(0))
    try:
        got = call(answer, x_0, t, eps)
    except (RuntimeError, TypeError, ValueError) as error:
        expect("size of tensor" not in str(error), "t is [B], x_0 is [B, 2, N]: give t two more axes of length 1.")
        expect("scalar" not in str(error), "`math.cos` takes one number; t holds B of them: use `torch.cos`.")
        raise
    got = as_signal(got, (3, 2, 8), "x_t")
    angle = (t * math.pi / 2)[:, None, None]
    expect(
        not close(got, (1 - t)[:, None, None] * x_0 + t[:, None, None] * eps), "That is the straight line, which dips."
    )
    expect(
        not close(got, angle.sin() * x_0 + angle.cos() * eps), "Swapped: at t = 0 all should be x_0, with gain alpha."
    )
    expect(
        not close(got, angle.cos() ** 2 * x_0 + angle.sin() ** 2 * eps), "Squares are powers; gains are cos and sin."
    )
    whole = (t * math.pi)[:, None, None]
    expect(
        not close(got, whole.cos() * x_0 + whole.sin() * eps), "t = 1 is a quarter of a turn: the angle is pi t / 2."
    )
    plain = t[:, None, None]
    expect(
        not close(got, plain.cos() * x_0 + plain.sin() * eps),
        "The angle is pi t / 2, in radians; t alone is too short.",
    )
    expect(
        not close(got, (1 - plain).sqrt() * x_0 + plain.sqrt() * eps),
        "That keeps the power too, but it is another way there; ours is the quarter circle, cos and sin of pi t / 2.",
    )
    expect(close(got[0], x_0[0]), "At t = 0 only x_0 should be left.")
    expect(close(got, angle.cos() * x_0 + angle.sin() * eps), "x_t = alpha x_0 + sigma eps, each sound with its own t.")


@exercise("03-snr", why="Noise levels are chosen in decibels; lesson 04 builds a whole grid of times with this.")
def snr(answer):
    try:
        got = as_number(call(answer, 4.0), "t")
    except TypeError as error:
        expect("must be Tensor" not in str(error), "snr is a number, and `torch.atan` takes tensors: use `math.atan`.")
        raise
    ratio, power = 10 ** (-4 / 20), 10 ** (-4 / 10)
    expect(not close(got, 2 / math.pi * math.atan(power)), "10^(-snr/10) is a ratio of powers; sigma/alpha needs 20.")
    expect(not close(got, 2 / math.pi * math.atan(1 / ratio)), "A high SNR must give a small t: mind the sign.")
    expect(not close(got, ratio), "That is sigma / alpha, which is tan(pi t / 2); now undo the tangent.")
    expect(not close(got, ratio / (1 + ratio)), "That is the t of the straight line; on the circle it takes `atan`.")
    angle = math.atan(ratio)
    expect(not close(got, angle), "That is the angle; t is the angle times 2 / pi.")
    expect(not close(got, math.pi / 2 * angle), "The angle is pi t / 2, so t is the angle times 2 / pi, not pi / 2.")
    expect(not close(got, math.degrees(angle)), "Those are degrees; a quarter of a turn is t = 1.")
    expect(
        not close(got, 2 / math.pi * math.atan(1 / power)), "Sign and factor: sigma / alpha is 10 to the power -snr/20."
    )
    expect(
        not close(got, 2 / math.pi * math.tan(ratio)),
        "The tangent leads from t to the ratio; back leads the arc tangent.",
    )
    expect(
        not close(got, 2 / math.pi * math.atan(math.exp(-4 / 2))), "That is for log_snr; decibels need powers of 10."
    )
    expect(
        not close(got, 2 / math.pi * math.asin(ratio), rtol=1e-4), "10^(-snr/20) is sigma/alpha, not sigma: use `atan`."
    )
    expect(close(got, 2 / math.pi * math.atan(ratio), rtol=1e-4), "tan(pi t / 2) = sigma / alpha = 10^(-snr/20).")
    expect(close(as_number(call(answer, 0.0)), 0.5), "At 0 dB sound and noise are equally strong: t = 0.5.")
    expect(close(as_number(call(answer, -4.0)), 1 - got), "4 dB comes out right, but -4 dB does not.")


WHO = {
    "hihat": "A hi-hat spreads its power over the widest bands, just like the noise; that hides it early.",
    "snare": "The wires of a snare are noise, and spread over six octaves; one other class packs its power closer.",
}


@exercise("03-survivor", why="A kick is nearly a tone: its power is packed, so it is the first to rise out of noise.")
def survivor(answer):
    expect(isinstance(answer, (tuple, list)) and len(answer) == 2, "Hand over both: (survivor, last_t).")
    who = as_choice(answer[0], "kick snare hihat")
    expect(who == "kick", WHO.get(who, ""))
    leads = [-20.0, 12.0, -3.0]
    try:
        got = as_number(call(answer[1], torch.tensor(leads)), "t")
    except Wrong as hint:
        expect("returns nothing" not in str(hint), "The class is right! Now `last_t`: so far it returns nothing.")
        raise
    expect(not close(got, 12), "That is the lead; asked for is the t at which that band drowns.")
    times = [2 / math.pi * math.atan(10 ** (lead / 20)) for lead in leads]
    expect(not close(got, 2 / math.pi * math.atan(10 ** (1 / 20))), "`argmax` is the band's number, not its lead.")
    expect(not close(got, min(times)), "That is where the first band drowns; the last one has the largest lead.")
    expect(not close(got, 1 - max(times)), "The sign: a band g dB ahead drowns where the SNR of the whole is -g.")
    expect(
        not close(got, 1 - min(times)), "That follows the band with the smallest lead, which drowns first: use -max(g)."
    )
    expect(not close(got, 2 / math.pi * math.atan(10 ** (np.mean(leads) / 20))), "Not the mean: one band is enough.")
    expect(close(got, max(times)), "Take the largest lead g, and the t at which the SNR is -g dB (`t_from_snr_db`).")


QUIZ = (
    Question(
        "Why is the quarter circle used, and not gains that add up to 1?",
        (
            Answer(
                "Sound and noise are unrelated, so their powers add up", "alpha² + sigma² = 1 keeps the variance.", True
            ),
            Answer(
                "Because cosines are the frequencies of the sound", "No: this cosine runs over t, not over samples."
            ),
            Answer(
                "Because only then a jump is possible", "No: a straight line can be jumped as well; it dips by 3 dB."
            ),
        ),
    ),
    Question(
        "You double sigma while it is small. What happens to the SNR?",
        (
            Answer("It is halved in dB", "No: decibels are logarithms, so a factor becomes a difference, not a ratio."),
            Answer("It falls by 3 dB", "No: 3 dB is twice the power, but twice the amplitude is four times the power."),
            Answer("It falls by 6 dB", "Twice the amplitude of the noise is four times its power: 6 dB.", True),
        ),
    ),
    Question(
        "A model takes noise away from x_t step by step and ends with a hi-hat. What comes out of the noise first?",
        (
            Answer("The end of its tail", "No: the tail is the quietest part, drowned first; it comes back last."),
            Answer("The bright start, in the top octaves", "There the hi-hat stands highest above the noise.", True),
            Answer(
                "Its lowest frequencies, as in pictures", "No: a hi-hat has next to nothing there. It is true of kicks."
            ),
        ),
    ),
)
