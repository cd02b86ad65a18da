"""Exercises and quiz of lesson 07: training a tiny model."""

import torch

from tad_course.lessons.check import Wrong, as_choice, as_number, as_signal, call, close, exercise, expect
from tad_course.lessons.quiz import Answer, Question
from tad_course.model.diffusion import q_sample, v_from_x_0


@exercise("07-loss", why="Noise, ask, compare: these three lines are all that a diffusion model is ever taught by.")
def loss(answer):
    generator = torch.Generator().manual_seed(7)
    x_0, eps = torch.randn(2, 3, 4, 8, generator=generator)
    t = torch.tensor([0.1, 0.5, 0.9])
    x_t, v = q_sample(x_0, t, eps), v_from_x_0(x_0, eps, t)

    def error(guess, target):
        return (guess - target).square()

    def net(x, time):  # a net like any other: its answer depends on what it hears and on the time it is told
        expect(torch.is_tensor(x) and x.shape == x_0.shape, "The net wants the noisy sounds first, then the time.")
        return 0.5 * x + torch.as_tensor(time).reshape(-1, 1, 1)

    got = as_number(call(answer, net, x_0, t, eps), "loss")
    expect(got >= 0, "A loss is never negative: is the square missing?")
    expect(not close(got, error(net(x_0, t), v).mean()), "The net got the clean sound: show it x_t, with the noise in.")
    expect(not close(got, error(net(x_t, t), eps).mean()), "That compares with eps; this net is asked for v.")
    expect(not close(got, error(net(x_t, t), x_0).mean()), "That compares with x_0; this net is asked for v.")
    expect(not close(got, error(net(x_t, t), v).sum()), "That is the sum of the squares; the loss is their mean.")
    expect(not close(got, (net(x_t, t) - v).abs().mean()), "That is the mean distance; square it before the mean.")
    expect(close(got, error(net(x_t, t), v).mean()), "Make x_t, ask the net at (x_t, t), compare with v, square, mean.")


@exercise("07-ema", why="A tenth of a line, and the average is calmer than any of the nets it was made from.")
def ema(answer):
    average, weights = torch.tensor([1.0, -2.0, 0.0]), torch.tensor([3.0, 0.0, 4.0])
    got = as_signal(call(answer, average, weights, 0.9), (3,), "new average")
    swapped, summed = 0.1 * average + 0.9 * weights, 0.9 * average + weights
    expect(not close(got, swapped), "The wrong one is kept: `decay` is the share of the *old average* that stays.")
    expect(not close(got, summed), "The two shares must sum to 1, or the average grows: what is left for the new one?")
    expect(not close(got, (average + weights) / 2), "That is a plain mean and forgets half at each step; use `decay`.")
    expect(not close(got, 0.9 * average), "The new weights are missing: they come in with what is left of the share.")
    expect(close(got, 0.9 * average + 0.1 * weights), "Keep `decay` of the old average, add `1 - decay` of the new.")


@exercise("07-keep", why="0.999 is fine for 10,000 steps; after 300 the average is still three quarters untrained.")
def keep(answer):
    got = as_number(call(answer, 0.9, 3), "share")
    expect(not close(got, 1 - 0.9**3), "That is the share of all that came later; the question is what is left.")
    expect(not close(got, 0.9 * 3), "A share above 1? Each step keeps `decay` of what the step before had kept.")
    expect(not close(got, 1 - 3 * 0.1), "Each step takes a tenth of what is *left*, not of the whole.")
    expect(not close(got, 0.1**3), "That is what would be left if each step kept only 1 - decay.")
    expect(close(got, 0.729), "After one step 0.9 is left, after two 0.9 · 0.9: go on.")
    expect(close(as_number(call(answer, 0.999, 300)), 0.7407), "It holds for 3 steps; let it use `num_steps`.")


WORDS = "longer overfit too-fast"


@exercise("07-curve", why="Two curves tell what one hides: always draw the held-out loss beside the training loss.")
def curve(answer):
    expect(isinstance(answer, dict), "Keep the form of the starter: a dictionary with an entry for each run.")
    found = {name: as_choice(answer.get(name), WORDS) for name in "ABC"}
    hints = {
        ("A", "longer"): "A: the training loss falls, but for whom? Look at what the held-out loss does meanwhile.",
        ("A", "too-fast"): "A: both curves are smooth; steps that are too large make a curve jump.",
        ("B", "longer"): "B: it did not get better in the second half at all; more of that will not help.",
        ("B", "overfit"): "B: in over-fitting the two curves part; here both jump up and down together.",
        ("C", "overfit"): "C: the two curves still lie on each other, so nothing has been learnt by heart.",
        ("C", "too-fast"): "C: too fast would jump. Where is the curve heading at its right end?",
    }
    for pair in found.items():
        if pair in hints:
            raise Wrong(hints[pair])


QUIZ = (
    Question(
        "Your loss has stood near 0.3 for a thousand steps. Is the model finished?",
        (
            Answer(
                "Yes: when the loss stands still, nothing is learnt any more.",
                "The mean hides that some noise levels still improve. Look at the loss by level, and listen.",
            ),
            Answer(
                "No: a good model reaches 0.",
                "It cannot: where a sound is nearly all noise, nobody can know which drum is under it.",
            ),
            Answer(
                "One cannot tell from that number alone.",
                "It is a mean over noise levels and over dice; listening and the loss by level tell more.",
                right=True,
            ),
        ),
    ),
    Question(
        "Why do we listen to the average (EMA) of the weights and not to the weights themselves?",
        (
            Answer(
                "The weights jitter around a good place, and their average lies nearer to it.",
                "Each step follows 8 sounds only; averaging over many steps cancels their errors.",
                right=True,
            ),
            Answer(
                "The average trains faster.",
                "It is not trained at all: it follows the weights, and nothing flows back into them.",
            ),
            Answer(
                "It makes the model smaller.",
                "It has exactly as many numbers; while training there are even two copies.",
            ),
        ),
    ),
    Question(
        "You have only 20 recordings. What is the first sign that the model learns them by heart?",
        (
            Answer("The training loss rises.", "It falls, and beautifully so: that is what makes it dangerous."),
            Answer(
                "The held-out loss turns and rises while the training loss falls on.",
                "So keep a few recordings out of training, and stop there.",
                right=True,
            ),
            Answer("The generated sounds get noisy.", "They sound better and better: they are your recordings."),
        ),
    ),
)
