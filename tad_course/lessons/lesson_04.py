"""Exercises, predictions and quiz of lesson 04: v, the posterior mean, the DDIM step, the loop, the grid."""

import math

import torch

from tad_course.lessons.check import SOLUTIONS, as_array, as_signal, call, close, exercise, expect
from tad_course.lessons.quiz import Answer, Question

# --- what the lesson goes on with where an answer is missing or wrong; torch and math only ---


def x_0_and_eps(x_t, v, t):
    alpha, sigma = math.cos(math.pi * t / 2), math.sin(math.pi * t / 2)
    return alpha * x_t - sigma * v, sigma * x_t + alpha * v


def v_from_x_0(x_t, x_0, t):
    alpha, sigma = math.cos(math.pi * t / 2), math.sin(math.pi * t / 2)
    eps = (x_t - alpha * x_0) / sigma
    return alpha * eps - sigma * x_0


def mean_loss(guess, values, p):
    losses = (guess[:, None] - values).square()
    return (p * losses).sum(1)


def probabilities(x_t, t, sounds, prior):
    alpha, sigma = math.cos(math.pi * t / 2), math.sin(math.pi * t / 2)
    distance = (x_t - alpha * sounds).square().sum((1, 2))
    log_likelihood = -distance / (2 * sigma**2)
    return torch.softmax(torch.log(prior) + log_likelihood, dim=0)


def denoise(x_t, t, sounds, prior):
    p = probabilities(x_t, t, sounds, prior)
    return (p[:, None, None] * sounds).sum(0)


def ddim_step(x_t, v, t, s):
    alpha_t, sigma_t = math.cos(math.pi * t / 2), math.sin(math.pi * t / 2)
    alpha_s, sigma_s = math.cos(math.pi * s / 2), math.sin(math.pi * s / 2)
    x_0 = alpha_t * x_t - sigma_t * v
    eps = sigma_t * x_t + alpha_t * v
    return alpha_s * x_0 + sigma_s * eps


def sample(net, x_t, times, step=ddim_step):
    for t, s in zip(times[:-1], times[1:], strict=True):
        t, s = float(t), float(s)
        v = net(x_t, torch.full((len(x_t),), t))
        x_t = step(x_t, v, t, s)
    return x_t


def log_snr_times(num_steps, first_db, last_db):
    decibels = torch.linspace(first_db, last_db, num_steps)
    times = 2 / math.pi * torch.atan(10 ** (-decibels / 20))
    times[0] = 1
    return torch.cat([times, torch.zeros(1)])


SOLUTIONS |= {
    "04-views": x_0_and_eps,
    "04-convert": v_from_x_0,
    "04-loss": mean_loss,
    "04-weights": probabilities,
    "04-exact": denoise,
    "04-step": ddim_step,
    "04-loop": sample,
    "04-grid": log_snr_times,
}


# --- the checks ---


def gains(t: float) -> tuple[float, float]:
    return math.cos(math.pi * t / 2), math.sin(math.pi * t / 2)


def sound_and_noise(*shape: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return new Gaussian numbers each time, a clean sound and its noise: hidden inputs, which no answer can know."""
    return torch.randn(shape), torch.randn(shape)


def some_time(low: float = 0.15, high: float = 0.4) -> float:
    """Return a time away from 0, 0.5 and 1, where wrong formulas would look right."""
    return low + (high - low) * float(torch.rand(()))


def tensor(value):
    """Return the answer, which must be a tensor: later cells go on with it."""
    expect(isinstance(value, torch.Tensor), f"Return a tensor, for the later cells, not a {type(value).__name__}.")
    return value


def agree(a, b) -> bool:
    return close(a, b, rtol=1e-3, atol=1e-3)


@exercise("04-views", why="A turn of the circle: nothing is divided, so it works at every noise level.")
def check_views(answer):
    for shape in ((2, 9), (3, 2, 8)):
        t, (x_0, eps) = some_time(), sound_and_noise(*shape)
        alpha, sigma = gains(t)
        x_t, v = alpha * x_0 + sigma * eps, alpha * eps - sigma * x_0
        got = call(answer, x_t, v, t)
        expect(isinstance(got, (tuple, list)) and len(got) == 2, "Return two things: `return x_0, eps`.")
        sound, noise = as_signal(tensor(got[0]), shape, "x_0"), as_signal(tensor(got[1]), shape, "eps")
        expect(not (agree(sound, eps) and agree(noise, x_0)), "Right, but in the other order: first x_0, then eps.")
        expect(not agree(sound, alpha * x_t + sigma * v), "The sign in x_0: turn back, so minus sigma v.")
        expect(not agree(sound, (x_t - sigma * v) / alpha), "v is not eps: no division; x_0 = alpha x_t - sigma v.")
        expect(not agree(sound, sigma * x_t - alpha * v), "The gains of x_0 are swapped: alpha belongs to x_t.")
        expect(agree(sound, x_0), "x_0 should be alpha x_t - sigma v.")
        expect(not agree(noise, sigma * x_t - alpha * v), "x_0 is right. The sign in eps: plus alpha v.")
        expect(not agree(noise, alpha * x_t + sigma * v), "x_0 is right. In eps sigma belongs to x_t, alpha to v.")
        expect(agree(noise, eps), "x_0 is right; eps should be sigma x_t + alpha v.")
    for t in (0.0, 1.0, 1e-7):
        alpha, sigma = gains(t)
        sound, noise = call(answer, alpha * x_0 + sigma * eps, alpha * eps - sigma * x_0, t)
        hint = f"Right in between, but not at t = {t:g}: is something divided by alpha or sigma?"
        finite = bool(torch.isfinite(torch.as_tensor(sound)).all() and torch.isfinite(torch.as_tensor(noise)).all())
        expect(finite and agree(sound, x_0) and agree(noise, eps), hint)


@exercise("04-convert", why="With this, any denoiser that predicts x_0 can be used where a sampler expects v.")
def check_convert(answer):
    for t in (some_time(), 0.8, 1.0):
        (alpha, sigma), (x_0, eps) = gains(t), sound_and_noise(2, 8)
        x_t = alpha * x_0 + sigma * eps
        got = as_signal(tensor(call(answer, x_t, x_0, t)), (2, 8), "v")
        if t == 1:
            expect(agree(got, -x_0), "At t = 1 it is wrong: divide by sigma, which is 1 there, and never by alpha.")
            continue
        by_alpha = (x_t - alpha * x_0) / alpha
        slips = (
            (eps, "That is eps, the first half of the way; v = alpha eps - sigma x_0."),
            (sigma * x_0 - alpha * eps, "The sign: v points towards the noise, alpha eps - sigma x_0."),
            (alpha * x_0 - sigma * eps, "Mixed up: alpha belongs to eps here, sigma to x_0."),
            (x_t - x_0, "The difference of x_t and x_0 is not the noise: alpha x_0 is in x_t."),
            ((x_t - x_0) / sigma, "In x_t the sound has the gain alpha: subtract alpha x_0, then divide by sigma."),
            (alpha * (x_t - x_0) / sigma - sigma * x_0, "The noise in x_t is x_t - alpha x_0, not x_t - x_0."),
            (alpha * x_t - sigma * x_0, "v is made of eps and x_0; x_t is not yet eps: subtract alpha x_0 from it."),
            (alpha * x_t - x_0, "Nearly: it is that, divided by sigma."),
            ((x_t - alpha * x_0) / sigma - sigma * x_0, "eps is right; its gain in v is alpha."),
            (alpha * eps + sigma * x_0, "The sign of x_0: minus sigma x_0."),
            (by_alpha, "What is left is sigma eps: divide by sigma, not alpha."),
            (alpha * by_alpha - sigma * x_0, "What is left is sigma eps: divide by sigma, not alpha."),
            (alpha * (x_t - alpha * x_0) - sigma * x_0, "x_t - alpha x_0 is sigma eps; divide by sigma to get eps."),
        )
        for wrong, hint in slips:
            expect(not agree(got, wrong), hint)
        expect(agree(got, alpha * eps - sigma * x_0), "First eps = (x_t - alpha x_0) / sigma, then put it into v.")


@exercise("04-loss", why="A mean over what may be true, weighted with how probable it is: an expectation.")
def check_loss(answer):
    guess, values = torch.randn(7), torch.randn(4)
    p = torch.tensor([0.5, 0.25, 0.15, 0.1])[torch.randperm(4)]
    got = as_signal(tensor(call(answer, guess, values, p)), (7,), "loss")
    table = guess[:, None] - values
    expect(not close(got, table.square().mean(1)), "p is not used: the probable values count more.")
    expect(not close(got, (p * table.square()).mean(1)), "Sum over the values, do not average: the p add up to 1.")
    expect(not close(got, (p * table.abs()).sum(1)), "That is the absolute loss; the squared loss needs a square.")
    expect(not close(got, (guess - (p * values).sum()).square()), "Square first, then average; here it is reversed.")
    expect(not close(got, (p * table).sum(1).square()), "Square first, then average; here it is reversed.")
    expect(not close(got, ((p * table) ** 2).sum(1)), "Square the difference only, not p.")
    expect(not close(got, (p * table.square()).sum(1).sqrt()), "No root: the loss is the mean of the squares.")
    expect(close(got, (p * table.square()).sum(1)), "For each guess: the sum over k of p[k] (guess - values[k])².")


def posterior(x_t, t, sounds, prior, shrink=None, variance=None, distance=None):
    """Return the right probabilities, or what comes out when `alpha`, `2 sigma²` or the distance is replaced."""
    alpha, sigma = gains(t)
    if distance is None:
        distance = (x_t - (alpha if shrink is None else shrink) * sounds).square().sum((1, 2))
    return torch.softmax(torch.log(prior) - distance / (2 * sigma**2 if variance is None else variance), dim=0)


@exercise("04-weights", why="Bayes' rule in logarithms. It works for two samples and for 65,536.")
def check_weights(answer):
    count, channels, length = 4, 2, 5
    sounds, t = 0.5 * torch.randn(count, channels, length), some_time(0.5, 0.65)
    prior = torch.tensor([0.5, 0.25, 0.15, 0.1])[torch.randperm(count)]
    (alpha, sigma), x_t = gains(t), 0.6 * torch.randn(channels, length)
    try:
        got = as_signal(tensor(call(answer, x_t, t, sounds, prior)), (count,), "p")
    except RuntimeError as error:
        expect("size of tensor" not in str(error), "Sum over channels and samples, dims (1, 2); one number a sound.")
        raise
    squares = (x_t - alpha * sounds).square()
    distance = squares.sum((1, 2))
    even, likelihood = torch.full((count,), 1 / count), torch.exp(-distance / (2 * sigma**2))
    slips = (
        (posterior(x_t, t, sounds, even), "The prior is not used: add its logarithm before the softmax."),
        (posterior(x_t, t, sounds, prior.exp()), "Add the logarithm of the prior, not the prior itself."),
        (posterior(x_t, t, sounds, even) * prior, "They no longer add up to 1: the prior belongs inside the softmax."),
        (prior * likelihood, "They do not add up to 1: divide by their sum."),
        (torch.log(prior) - distance / (2 * sigma**2), "Those are the logarithms; `softmax` makes probabilities."),
        (posterior(x_t, t, sounds, prior, shrink=1), "In x_t each sound is alpha times as large: alpha d_k."),
        (posterior(x_t, t, sounds, prior, variance=2 * sigma), "Divide by 2 sigma squared, the variance."),
        (posterior(x_t, t, sounds, prior, variance=sigma**2), "A factor of 2 is missing: 2 sigma²."),
        (posterior(x_t, t, sounds, prior, variance=-2 * sigma**2), "The nearest should be the likeliest: a minus."),
        (posterior(x_t, t, sounds, prior, distance=squares.mean((1, 2))), "A sum over all samples, not their mean."),
        (posterior(x_t, t, sounds, prior, distance=distance.sqrt()), "The distance goes in squared, without a root."),
        (posterior(x_t, t, sounds, prior, distance=squares.sum()), "One distance for each sound: dims (1, 2) only."),
    )
    for wrong, hint in slips:
        expect(not close(got, wrong, atol=1e-4), hint)
    expect(close(got, posterior(x_t, t, sounds, prior), atol=1e-4), "p_k ~ prior_k exp(-|x_t - alpha d_k|² / 2 sigma²)")
    long = torch.randn(3, 2, 20_000)
    x_t = alpha * long[1] + sigma * torch.randn(2, 20_000)
    raw = torch.as_tensor(call(answer, x_t, t, long, torch.tensor([0.6, 0.3, 0.1])))
    expect(torch.isfinite(raw).all(), "NaN for real sounds: exp(-30000) is 0. Keep to logarithms, then `softmax`.")
    expect(close(raw, [0, 1, 0], atol=1e-3), "Short sounds come out right, long ones do not: keep to logarithms.")


@exercise("04-exact", why="The target of all training, in closed form, because here we know every sound.")
def check_exact(answer):
    sounds, t = 0.5 * torch.randn(4, 2, 5), some_time(0.5, 0.65)
    prior = torch.tensor([0.4, 0.3, 0.2, 0.1])
    x_t = 0.6 * torch.randn(2, 5)
    got = as_signal(tensor(call(answer, x_t, t, sounds, prior)), (2, 5), "x_0")
    p = posterior(x_t, t, sounds, prior)
    expect(not close(got, sounds[p.argmax()]), "That is the likeliest sound alone; the best guess is the mean.")
    expect(not close(got, sounds.mean(0)), "All sounds weigh the same: use the probabilities.")
    expect(not close(got, (prior[:, None, None] * sounds).sum(0)), "Those are the priors; x_t has not been looked at.")
    expect(not close(got, (p[:, None, None] * sounds).mean(0)), "Sum, do not average: the p add up to 1 already.")
    alpha = gains(t)[0]
    expect(not close(got, alpha * (p[:, None, None] * sounds).sum(0)), "The clean sounds, without alpha.")
    expect(close(got, (p[:, None, None] * sounds).sum(0), atol=1e-4), "The sum over k of p[k] sounds[k].")


@exercise("04-step", why="Two gains, no division: cos δ x_t - sin δ v. The sampler is this line in a loop.")
def check_step(answer):
    for shape, t, s in (((2, 8), 0.8, 0.35), ((3, 2, 7), some_time(0.55, 0.95), some_time(0.05, 0.25))):
        (alpha, sigma), (alpha_s, sigma_s), (x_0, eps) = gains(t), gains(s), sound_and_noise(*shape)
        x_t, v = alpha * x_0 + sigma * eps, alpha * eps - sigma * x_0
        got = as_signal(tensor(call(answer, x_t, v, t, s)), shape, "x_s")
        again = as_signal(call(answer, x_t, v, t, s), shape, "x_s")
        delta = math.pi / 2 * (t - s)
        straight = "A straight line along v leaves the circle; turn with cos and sin."
        slips = (
            (x_0, "That is x_0, a step all the way; put the noise of time s back in."),
            (alpha_s * x_0, "The noise is missing: add sigma_s eps."),
            (x_t, "You are back at x_t: mix with alpha and sigma of s, not of t."),
            (alpha_s * x_0 + sigma * eps, "The noise still has the gain of t: it should be sigma_s."),
            (alpha * x_0 + sigma_s * eps, "The sound still has the gain of t: it should be alpha_s."),
            (alpha_s * x_t - sigma_s * v, "x_0 comes from x_t and v with the gains of t, where v was predicted."),
            (math.cos(t - s) * x_t - math.sin(t - s) * v, "The angle is pi / 2 times t - s, in radians."),
            (alpha_s * x_0 + sigma_s * v, "v is not the noise: eps = sigma_t x_t + alpha_t v."),
            (alpha_s * v + sigma_s * eps, "v is not the sound: x_0 = alpha_t x_t - sigma_t v."),
            (math.cos(delta) * x_t + math.sin(delta) * v, "Turned towards the noise: mind the sign of v."),
            (x_t - delta * v, straight),
            (x_t - (t - s) * v, straight),
        )
        for wrong, hint in slips:
            expect(not agree(got, wrong), hint)
        expect(close(got, again), "Two calls, two answers: DDIM draws no new noise, it keeps the eps that is in x_t.")
        expect(agree(got, alpha_s * x_0 + sigma_s * eps), "First x_0 and eps from x_t and v, then mix them for s.")
    for t, s in ((1.0, 0.0), (1.0, 0.4), (0.0, 0.0), (0.0, 0.5), (1e-9, 0.3), (1 - 1e-9, 0.6)):
        (alpha, sigma), (alpha_s, sigma_s) = gains(t), gains(s)
        got = torch.as_tensor(call(answer, alpha * x_0 + sigma * eps, alpha * eps - sigma * x_0, t, s))
        finite = bool(torch.isfinite(got).all())
        hint = f"It fails from t = {t:.0f} to s = {s:g}: is something divided by alpha or sigma? Never divide."
        expect(finite and agree(got, alpha_s * x_0 + sigma_s * eps), hint)


def _reference(net, x_t, times, at=0, fixed=False):
    """Return every x_t on the way; `at` = 1 evaluates the network at the wrong end of each step."""
    way, v = [], None
    for pair in zip(times[:-1], times[1:], strict=True):
        v = v if fixed and v is not None else net(x_t, torch.full((len(x_t),), pair[at]))
        x_t = ddim_step(x_t, v, *pair)
        way.append(x_t)
    return way


@exercise("04-loop", why="That is the sampler. Lesson 07 calls it with a network in place of the formula.")
def check_loop(answer):
    times, weight = [1.0, 0.9, 0.65, 0.3, 0.0], torch.randn(2, 2)
    x_1, asked = torch.randn(3, 2, 8), []

    def right_net(x, t):
        return torch.tanh(weight @ x) * (1 + t[:, None, None])

    def net(x, t):
        asked.append(t)
        expect(isinstance(t, torch.Tensor), "The network takes the time as a tensor [B], one number for each sound.")
        expect(t.shape == (3,), f"The network takes the time as a tensor [B] = [3], not {list(t.shape)}.")
        expect(x.shape == (3, 2, 8), f"x_t has become {list(x.shape)}: it should stay [B, C, L].")
        expect(len(asked) < 100, "The loop does not end.")
        return right_net(x, t.float())

    for given in (times, torch.tensor(times)):
        asked.clear()
        got = call(answer, net, x_1, given)
        expect(isinstance(got, torch.Tensor), "Return the last x_t, a tensor, not all of them.")
        got = as_signal(got, (3, 2, 8), "x_0")
        way = _reference(right_net, x_1, times)
        hint = "Only the first step was taken: the `return` stands inside the loop."
        expect(not agree(got, way[0]) or len(asked) != 1, hint)
        expect(not agree(got, x_1), "x_t has not changed: keep the result of `ddim_step` in `x_t`.")
        hint = "v must be predicted again in each step: evaluate the network inside the loop."
        expect(not agree(got, _reference(right_net, x_1, times, fixed=True)[-1]), hint)
        hint = "The network is evaluated at s; it should be at t, the time of the x_t that it is given."
        expect(not agree(got, _reference(right_net, x_1, times, at=1)[-1]), hint)
        expect(not agree(got, way[-2]), "The last step, to t = 0, is missing.")
        expect(len(asked) == 4, f"Five times are four steps; your loop evaluates the network {len(asked)} times.")
        expect(agree(got, way[-1]), "In each step: v = net(x_t, t), then x_t = ddim_step(x_t, v, t, s).")


@exercise("04-grid", why="The last step now starts at the SNR that you choose, however many steps there are.")
def check_grid(answer):
    for steps, first, final in ((5, -30.0, 60.0), (9, -25.0, 30.0), (2, -20.0, 10.0)):
        got = as_array(call(answer, steps, first, final), "times").squeeze()
        right = log_snr_times(steps, first, final)
        inner = 2 / math.pi * torch.atan(10 ** (-torch.linspace(first, final, steps) / 20))
        longer = 2 / math.pi * torch.atan(10 ** (-torch.linspace(first, final, steps + 1) / 20))
        expect(not (got.shape == inner.shape and close(got, inner)), "The 0 is missing at the end, and 1 in front.")
        expect(not close(got, torch.cat([inner, torch.zeros(1)])), "The first time should be 1, pure noise.")
        expect(not (got.shape == inner.shape and close(got, right[:-1])), "The 0 is missing at its end.")
        hint = f"{steps} steps need {steps + 1} times; yours are {got.size}."
        expect(got.shape == (steps + 1,), hint)
        expect(not close(got, right.flip(0)), "The times should fall, from 1 to 0.")
        longer[0], longer[-1] = 1, 0
        hint = "The last step should start at last_db: make num_steps values, then append 0 (do not overwrite)."
        expect(steps == 2 or not close(got, longer), hint)
        expect(steps == 2 or not close(got, torch.linspace(1, 0, steps + 1)), "Even in t; it should be even in dB.")
        halves = 2 / math.pi * torch.atan(10 ** (-torch.linspace(first, final, steps) / 10))
        halves[0] = 1
        hint = "SNR in decibels is 20 log10 of alpha / sigma, not 10: use `t_from_snr_db`."
        expect(not close(got, torch.cat([halves, torch.zeros(1)])), hint)
        expect(close(got[0], 1), "The first time should be 1, pure noise.")
        expect(close(got[-1], 0), "The last time should be 0, no noise.")
        expect(close(got, right), "num_steps values even from first_db to last_db, made into times; then 1 and 0.")


PREDICTIONS = {
    "04-error": ("C", "section 2, *Three views of one thing*"),
    "04-guess": ("A", "section 3, *The best guess is a mean*"),
    "04-decide": ("B", "section 4, *The exact denoiser*"),
    "04-many": ("A", "section 6, *The whole way*"),
    "04-hiss": ("C", "section 7, *Steps and hiss*"),
}


QUIZ = (
    Question(
        "A network predicts v with a small error, close to t = 1. How large is the error of x_0 then?",
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
                "Endless new sounds of the best quality",
                "No: its output is always a weighted mean of sounds that it knows.",
            ),
            Answer("Noise, for it has over-fitted", "No: its sounds are clean, but none of them is new."),
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
