"""Exercises and quiz of lesson 07: training a tiny model."""

import re

import torch

from tad_course.lessons.check import SOLUTIONS, Wrong, as_choice, as_number, as_signal, call, close, exercise, expect
from tad_course.lessons.quiz import Answer, Question
from tad_course.model.diffusion import q_sample, v_from_x_0


def training_loss(net, x_0, t, eps, weight):
    x_t = q_sample(x_0, t, eps)
    v = v_from_x_0(x_0, eps, t)
    return (weight * (net(x_t, t) - v).square()).mean()


def ema_step(average, weights, decay):
    return decay * average + (1 - decay) * weights


@exercise("07-loss", why="Add noise, evaluate the network, compare: that is all a diffusion model is ever trained on.")
def loss(answer):
    generator = torch.Generator().manual_seed(7)
    x_0, eps = torch.randn(2, 3, 4, 8, generator=generator)
    t, weight = torch.tensor([0.1, 0.5, 0.9]), torch.tensor([2.0, 1.0, 0.7, 0.3])[:, None]
    x_t, v = q_sample(x_0, t, eps), v_from_x_0(x_0, eps, t)
    gain = torch.tensor(0.5, requires_grad=True)

    def net(x, time):  # a net like any other: its output depends on its input, on the time and on a parameter
        expect(torch.is_tensor(x) and x.shape == x_0.shape, "net takes the noisy sounds first, then the time.")
        return gain * x + torch.as_tensor(time).reshape(-1, 1, 1)

    def error(x, target, time=t):
        return weight * (net(x, time) - target).square()

    try:
        result = call(answer, net, x_0, t, eps, weight)
        again = call(answer, net, x_0, t, eps, weight)
    except RuntimeError as problem:
        if "must match the size" not in str(problem):
            raise
        raise Wrong("Shapes do not fit. Mind the order: q_sample(x_0, t, eps), but v_from_x_0(x_0, eps, t).") from None
    got, right = as_number(result, "loss"), error(x_t, v).mean()
    expect(close(got, as_number(again)), "Twice the same input gave two losses: use the eps and t given, draw none.")
    _meet_slips(got, net, x_0, t, eps, weight, error)
    expect(close(got, right), "Make x_t, evaluate net(x_t, t), subtract v, square, multiply by weight, mean.")
    lost = "Right number, but no gradient comes through it: return the tensor, without item(), detach() or no_grad()."
    expect(torch.is_tensor(result) and result.requires_grad, lost)


def _meet_slips(got, net, x_0, t, eps, weight, error):
    x_t, v = q_sample(x_0, t, eps), v_from_x_0(x_0, eps, t)
    output = net(x_t, t)
    swapped = "x_0 and eps are swapped: the order is q_sample(x_0, t, eps) and v_from_x_0(x_0, eps, t)."
    turned = "1 - t is the time of another mixture: here t = 0 is clean, and net, x_t and v share one t."
    slips = {
        error(x_0, v).mean(): "The net got the clean sound: give it x_t, with the noise in.",
        error(x_t, eps).mean(): "That compares with eps; this net predicts v.",
        error(x_t, x_0).mean(): "That compares with x_0; this net predicts v.",
        error(x_t, -v).mean(): "That target is -v: v is alpha·eps - sigma·x_0, in this order.",
        (weight * (output - v)).mean().square(): "The mean came before the square: errors of opposite sign cancel.",
        (weight * (output - v)).square().mean(): "Weight the square, not the error: now each weight counts twice.",
        (output - v).square().mean(): "The weight is missing: multiply the squares by it before the mean.",
        (weight * (output - v)).mean(): "The square is missing: errors of opposite sign cancel.",
        error(x_t, v).mean().sqrt(): "That is the root of the loss (RMSE); leave the root out.",
        error(x_t, v).mean() / 2: "That is half of the loss; leave the ½ out.",
        error(x_t, v).sum(): "That is the sum of the squares; the loss is their mean.",
        (weight * (output - v).abs()).mean(): "That is the mean distance; square it before the mean.",
        error(q_sample(eps, t, x_0), v).mean(): swapped,
        error(x_t, v_from_x_0(eps, x_0, t)).mean(): swapped,
        error(q_sample(eps, t, x_0), v_from_x_0(eps, x_0, t)).mean(): swapped,
        error(q_sample(x_0, 1 - t, eps), v).mean(): turned,
        error(q_sample(x_0, 1 - t, eps), v_from_x_0(x_0, eps, 1 - t)).mean(): turned,
        error(q_sample(x_0, 1 - t, eps), v_from_x_0(x_0, eps, 1 - t), 1 - t).mean(): turned,
        error(x_t, v, 1 - t).mean(): turned,
        error(x_t, v_from_x_0(x_0, eps, 1 - t)).mean(): turned,
    }
    for value, hint in slips.items():
        expect(not close(got, value), hint)


@exercise("07-ema", why="One line a step, and the average is calmer than any of the nets it was made from.")
def ema(answer):
    average, weights = torch.tensor([1.0, -2.0, 0.0]), torch.tensor([3.0, 0.0, 4.0])
    got = as_signal(call(answer, average, weights, 0.9), (3,), "new average")
    swapped, summed = 0.1 * average + 0.9 * weights, 0.9 * average + weights
    expect(not close(got, swapped), "The wrong one is kept: `decay` is the share of the *old average* that stays.")
    expect(not close(got, summed), "The two shares must sum to 1, or the average grows: what is left for the new one?")
    expect(not close(got, (average + weights) / 2), "That is a plain mean and forgets half at each step; use `decay`.")
    expect(not close(got, 0.9 * average), "The new weights are missing: they come in with what is left of the share.")
    expect(close(got, ema_step(average, weights, 0.9)), "Keep `decay` of the old average, add `1 - decay` of the new.")
    trained = weights.clone()
    answer(average.clone(), trained, 0.9)
    expect(close(trained, weights), "Right, but it changes `weights` in place, and training goes on with them.")


@exercise("07-keep", why="0.999 is fine for 10,000 steps; after 300 the average is still three quarters untrained.")
def keep(answer):
    got = as_number(call(answer, 0.9, 3), "share")
    expect(not close(got, 1 - 0.9**3), "That is the share of all that came later; the question is what is left.")
    expect(not close(got, 0.9 * 3), "A share above 1? Each step keeps `decay` of what the step before had kept.")
    expect(not close(got, 1 - 3 * 0.1), "Each step takes a tenth of what is *left*, not of the whole.")
    expect(not close(got, 0.1**3), "That is what would be left if each step kept only 1 - decay.")
    expect(not close(got, 0.9**2), "One step too few: after one step decay is left, not everything.")
    expect(close(got, 0.729), "After one step 0.9 is left, after two 0.9 · 0.9: go on.")
    expect(close(as_number(call(answer, 0.999, 300)), 0.7407), "It holds for 3 steps; let it use `num_steps`.")


WORDS = "longer overfit too-fast"


def _word(answer) -> str:
    """Return one of `WORDS`, however it was spelt: "too fast", "Too_fast", "over-fitting" and so on."""
    plain = re.sub(r"[^a-z]", "", str(answer).lower())
    spelt = {"toofast": "too-fast", "overfit": "overfit", "overfitting": "overfit", "trainlonger": "longer"}
    return as_choice(spelt.get(plain, plain), WORDS)


@exercise("07-curve", why="Two curves tell what one hides: always draw the held-out loss beside the training loss.")
def curve(answer):
    expect(isinstance(answer, dict), "Keep the form of the starter: a dictionary with an entry for each run.")
    found = {name: _word(answer.get(name)) for name in "ABC"}
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


SOLUTIONS |= {"07-loss": training_loss, "07-ema": ema_step}


QUIZ = (
    Question(
        "Your loss has stood near 0.3 for a thousand steps. Is the model finished?",
        (
            Answer(
                "Yes: when the loss stands still, nothing is learnt any more.",
                "The mean hides that some noise levels still improve. Look at the loss by noise level, and listen.",
            ),
            Answer(
                "No: a good model reaches 0.",
                "It cannot: where a sound is nearly all noise, nobody can know which drum is under it.",
            ),
            Answer(
                "One cannot tell from that number alone.",
                "It is a mean over noise levels and coefficients; listening and the loss by noise level tell more.",
                right=True,
            ),
        ),
    ),
    Question(
        "Why do we listen to the average (EMA) of the weights and not to the weights themselves?",
        (
            Answer(
                "Each step overshoots a little; the average of many steps lies nearer to their middle.",
                "Each step follows 8 sounds only; averaging over many steps cancels part of their errors.",
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
        "A plain net leaves a haze under its kicks. What does the preconditioning of the shipped nets change?",
        (
            Answer(
                "It filters the finished sound until the haze is gone.",
                "Nothing is done to the finished sound: decoding is one linear map. What changes is what the network "
                "is given and how its output is used, at each step.",
            ),
            Answer(
                "Each coefficient comes to the network divided by the local level, and goes back with the right gain.",
                "Then quiet coefficients look like loud ones, and the gain they need, up to 1/sigma, is no longer left "
                "to the convolutions.",
                right=True,
            ),
            Answer(
                "It makes the sound, and the network only polishes it.",
                "With the network disabled the result is noise: you heard it.",
            ),
        ),
    ),
)
