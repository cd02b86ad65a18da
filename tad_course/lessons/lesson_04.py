"""Exercises and quiz of lesson 04: v, the exact denoiser, the DDIM step, steps and hiss."""

import math

import torch

from tad_course.lessons.check import Wrong, as_number, as_signal, call, close, exercise, expect
from tad_course.lessons.quiz import Answer, Question
from tad_course.model.diffusion import alpha_sigma


def _signals(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@exercise("04-convert", why="Whatever a network predicts, a sampler can compute any of the three from it.")
def convert(answer):
    t = 0.3
    (alpha, sigma), (x_0, eps) = alpha_sigma(t), _signals(2, 2, 8)
    x_t = alpha * x_0 + sigma * eps
    got = as_signal(call(answer, x_t, x_0, t), (2, 8), "v")
    expect(not close(got, eps, atol=1e-4), "That is eps, the first half of the way; v = alpha eps - sigma x_0.")
    expect(
        not close(got, sigma * x_0 - alpha * eps, atol=1e-4), "The sign: v points towards the noise, alpha eps - ..."
    )
    expect(not close(got, alpha * x_0 - sigma * eps, atol=1e-4), "Mixed up: alpha belongs to eps here, sigma to x_0.")
    expect(not close(got, x_t - x_0, atol=1e-4), "The difference of x_t and x_0 is not the noise: alpha x_0 is in x_t.")
    mix = alpha * x_t - sigma * x_0
    expect(not close(got, mix, atol=1e-4), "v is made of eps and x_0; x_t is not yet eps: take alpha x_0 out of it.")
    expect(
        not close(got, alpha * eps + sigma * x_0, atol=1e-4), "The sign of x_0: it is on its way out, minus sigma x_0."
    )
    by_alpha = (x_t - alpha * x_0) / alpha
    halves = (by_alpha, alpha * by_alpha - sigma * x_0)
    expect(not any(close(got, x, atol=1e-4) for x in halves), "What is left is sigma eps: divide by sigma, not alpha.")
    whole = alpha * (x_t - alpha * x_0) - sigma * x_0
    expect(not close(got, whole, atol=1e-4), "x_t - alpha x_0 is sigma eps; divide by sigma to get eps.")
    expect(
        close(got, alpha * eps - sigma * x_0, atol=1e-4), "eps = (x_t - alpha x_0) / sigma, v = alpha eps - sigma x_0."
    )


def _mean(x_t, t, sounds, prior, shrink=None, variance=None):
    """The exact denoiser, or what comes out when `alpha` or `2 sigma²` is replaced."""
    alpha, sigma = alpha_sigma(t)
    distance = (x_t - (alpha if shrink is None else shrink) * sounds).square().sum((1, 2))
    p = torch.softmax(torch.log(prior) - distance / (2 * sigma**2 if variance is None else variance), dim=0)
    return (p[:, None, None] * sounds).sum(0)


def _denoised(answer, *args):
    try:
        return as_signal(call(answer, *args), tuple(args[0].shape), "x_0")
    except Wrong as wrong:
        expect(
            "NaN" not in str(wrong), "With real sounds it gives NaN, as exp(-30000) is 0: use logarithms and `softmax`."
        )
        raise


@exercise(
    "04-exact", why="This is what a network tries to learn; with few sounds it can, and then it only repeats them."
)
def exact(answer):
    sounds, prior, t = 0.7 * _signals(3, 2, 6, seed=1), torch.tensor([0.6, 0.3, 0.1]), 0.55
    (alpha, sigma), x_t = alpha_sigma(t), 0.6 * _signals(2, 6, seed=2)
    got = _denoised(answer, x_t, t, sounds, prior)
    right, even = _mean(x_t, t, sounds, prior), torch.ones(3) / 3
    expect(not close(got, _mean(x_t, t, sounds, even)), "The prior is not used: add its logarithm before the softmax.")
    expect(not close(got, _mean(x_t, t, sounds, prior.exp())), "Add the logarithm of the prior, not the prior itself.")
    flat = _weights(x_t, t, sounds) * prior
    expect(
        not close(got, (flat[:, None, None] * sounds).sum(0)),
        "The weights no longer add up to 1: prior inside softmax.",
    )
    expect(
        not close(got, _mean(x_t, t, sounds, prior, shrink=1)), "In x_t each sound is alpha times as large: alpha d_k."
    )
    expect(not close(got, _mean(x_t, t, sounds, prior, variance=2 * sigma)), "Divide by 2 sigma squared, the variance.")
    expect(not close(got, _mean(x_t, t, sounds, prior, variance=sigma**2)), "A factor of 2 is missing: 2 sigma².")
    expect(not close(got, _mean(x_t, t, sounds, prior, variance=-2 * sigma**2)), "The nearest weighs most: a minus.")
    squares = (x_t - alpha * sounds).square()
    for distance, hint in (
        (squares.mean((1, 2)), "The distance is a sum over all samples, not their mean."),
        (squares.sum((1, 2)).sqrt(), "The distance goes in squared: the sum of squares, without a root."),
        (squares.sum(), "One distance for each sound: sum over channels and samples, dims (1, 2), not over sounds."),
    ):
        p = torch.softmax(torch.log(prior) - distance / (2 * sigma**2), dim=0)
        expect(not close(got, (p[:, None, None] * sounds).sum(0)), hint)
    p = prior * torch.exp(-squares.sum((1, 2)) / (2 * sigma**2))
    expect(not close(got, (p[:, None, None] * sounds).sum(0)), "The weights must add up to 1: divide by their sum.")
    best = sounds[(_weights(x_t, t, sounds) * prior).argmax()]
    expect(not close(got, best), "That is the most probable sound alone; the best guess is the mean of all.")
    expect(close(got, right, atol=1e-4), "p_k ~ prior_k exp(-|x_t - alpha d_k|² / 2 sigma²), then the sum of p_k d_k.")
    large = _signals(3, 2, 20_000, seed=3)
    x_t = alpha * large[1] + sigma * _signals(2, 20_000, seed=4)
    expect(
        close(_denoised(answer, x_t, t, large, prior), large[1]), "Short sounds come out right, but long ones do not."
    )


def _weights(x_t, t, sounds):
    alpha, sigma = alpha_sigma(t)
    return torch.softmax(-(x_t - alpha * sounds).square().sum((1, 2)) / (2 * sigma**2), dim=0)


@exercise("04-ddim", why="Two gains, no division: cos δ x_t - sin δ v. The whole sampler is this line in a loop.")
def ddim(answer):
    t, s = 0.8, 0.35
    (alpha, sigma), (alpha_s, sigma_s), (x_0, eps) = alpha_sigma(t), alpha_sigma(s), _signals(2, 2, 8)
    x_t, v = alpha * x_0 + sigma * eps, alpha * eps - sigma * x_0
    got = as_signal(call(answer, x_t, v, t, s), (2, 8), "x_s")
    delta = math.pi / 2 * (t - s)
    expect(not close(got, x_0, atol=1e-4), "That is x_0 itself, a step all the way; put the noise of level s back in.")
    expect(not close(got, alpha_s * x_0, atol=1e-4), "The noise is missing: add sigma_s eps.")
    expect(not close(got, x_t, atol=1e-4), "You are back at x_t: mix with alpha and sigma of s, not of t.")
    old = alpha_s * x_0 + sigma * eps
    expect(not close(got, old, atol=1e-4), "The noise still has the level of t: its gain is sigma_s.")
    onward = alpha_s * x_t - sigma_s * v
    from_t = "x_0 comes from x_t and v with alpha and sigma of t, where v was predicted."
    expect(not close(got, onward, atol=1e-4), from_t)
    short = math.cos(t - s) * x_t - math.sin(t - s) * v
    expect(not close(got, short, atol=1e-4), "The angle is pi / 2 times t - s, in radians; t - s alone is too short.")
    v_for_eps = alpha_s * x_0 + sigma_s * v
    expect(not close(got, v_for_eps, atol=1e-4), "v is not the noise: eps = sigma_t x_t + alpha_t v.")
    again = as_signal(call(answer, x_t, v, t, s), (2, 8), "x_s")
    expect(close(got, again), "Two calls, two answers: DDIM draws no new noise, it keeps the eps that is in x_t.")
    up = math.cos(delta) * x_t + math.sin(delta) * v
    expect(not close(got, up, atol=1e-4), "Turned the wrong way, towards the noise: mind the sign of v.")
    expect(
        not close(got, x_t - delta * v, atol=1e-4), "A straight line along v leaves the circle; turn with cos and sin."
    )
    expect(
        not close(got, x_t - (t - s) * v, atol=1e-4),
        "A straight line along v leaves the circle; turn with cos and sin.",
    )
    expect(
        close(got, alpha_s * x_0 + sigma_s * eps, atol=1e-4), "First x_0 and eps from x_t and v, then mix them for s."
    )
    ends = as_signal(call(answer, eps, -x_0, 1.0, 0.0), (2, 8), "x_s")
    expect(close(ends, x_0, atol=1e-4), "It fails from t = 1 to s = 0: is something divided by alpha or sigma?")


@exercise(
    "04-fewest",
    why="Each 6 dB double the steps; that is why nobody cures hiss with steps, and everybody with the grid.",
)
def fewest(answer):
    steps = as_number(answer, "number of steps")
    expect(steps == int(steps) and steps >= 1, "Steps are whole: round up.")
    expect(steps != 1570, "One more: with 1570 sigma is still a hair above -60 dB.")
    expect(not 1571 < steps <= 1580, "That is below -60 dB, but fewer steps are enough.")
    expect(steps not in (157, 158), "That gives -40 dB, sigma = 0.01; -60 dB is an amplitude of 0.001.")
    expect(steps not in (49, 50), "That gives -30 dB: take 20 log10 of sigma itself, not of its square.")
    expect(not 1_570_000 < steps < 1_571_000, "10^(-60/10) is a ratio of powers; sigma is an amplitude, 10^(-60/20).")
    expect(steps not in (3141, 3142), "The angle is pi t / 2 with t = 1 / num_steps: is a factor of 2 missing?")
    expect(steps not in (1000, 1001), "sigma is not 1 / num_steps: sin(pi / (2 num_steps)) is about 1.57 / num_steps.")
    expect(steps == 1571, "Solve sin(pi / (2 num_steps)) < 10^(-60/20), or count num_steps up until it holds.")


QUIZ = (
    Question(
        "A network predicts v with a small error, close to t = 1. How large is the error of the x_0 it implies?",
        (
            Answer(
                "Much larger: there is hardly any sound in x_t", "No: that is eps-prediction, which divides by alpha."
            ),
            Answer(
                "About as large: sigma times the error of v", "x_0 = alpha x_t - sigma v, and sigma is nearly 1.", True
            ),
            Answer(
                "Zero: v contains x_0", "No: an error of v enters x_0 with the gain sigma, and there sigma is nearly 1."
            ),
        ),
    ),
    Question(
        "A network is so large that it becomes the perfect denoiser of its 500 training sounds. What does it generate?",
        (
            Answer(
                "Endless new sounds of the best quality", "No: each weight goes to sounds it knows, and they come back."
            ),
            Answer("Noise, for it has over-fitted", "No: its sounds are spotless; they are only not new."),
            Answer("Those 500 sounds", "Perfect on the training set means: it returns the training set.", True),
        ),
    ),
    Question(
        "Generated drums hiss, at -33 dB, with 10 steps of the linear grid. What do you try first?",
        (
            Answer(
                "A grid even in log-SNR that ends near -60 dB",
                "Same cost, and the last step has little to take away.",
                True,
            ),
            Answer("20 steps of the same grid", "That gives 6 dB for twice the time; the hiss stays."),
            Answer(
                "Another seed", "No: how much noise the last step must take away depends on the grid, not on the seed."
            ),
        ),
    ),
)
