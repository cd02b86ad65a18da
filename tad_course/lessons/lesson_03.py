"""Exercises, predictions and quiz of lesson 03: the mix, the walk, the SNR, what drowns first."""

import math

import torch

from tad_course.lessons.check import SOLUTIONS, as_array, as_number, as_signal, call, close, exercise, expect
from tad_course.lessons.quiz import Answer, Question

# --- what the lesson goes on with where an answer is missing or wrong; torch and math only ---


def alpha_sigma(t):
    angle = torch.as_tensor(t) * math.pi / 2
    return torch.cos(angle), torch.sin(angle)


def q_sample(x_0, alpha, sigma, eps):
    return alpha * x_0 + sigma * eps


def walk(x_0, times, noises):
    x_t = x_0
    for t, s, noise in zip(times[:-1], times[1:], noises, strict=True):
        a = alpha_sigma(s)[0] / alpha_sigma(t)[0]
        b = (1 - a**2) ** 0.5
        x_t = a * x_t + b * noise
    return x_t


def gains_after(a):
    alpha = torch.cumprod(a, 0)
    return alpha, torch.sqrt(1 - alpha**2)


def snr_db(t):
    alpha, sigma = alpha_sigma(t)
    return 20 * torch.log10(alpha / sigma)


def t_from_snr_db(snr):
    ratio = 10 ** (-snr / 20)
    return 2 / math.pi * math.atan(ratio)


def octave_power(power, hz, edges):
    rows = []
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        inside = (hz >= low) & (hz < high)
        rows.append(power[inside].sum(0))
    return torch.stack(rows)


def drowns_db(sound, noise):
    lead = 10 * torch.log10(sound.amax(1) / noise.mean(1))
    return -lead


SOLUTIONS |= {
    "03-alpha-sigma": alpha_sigma,
    "03-jump": q_sample,
    "03-walk": walk,
    "03-derive": gains_after,
    "03-snr": snr_db,
    "03-time": t_from_snr_db,
    "03-octaves": octave_power,
    "03-drowns": drowns_db,
}


# --- the checks ---


def random(*shape: int) -> torch.Tensor:
    """Return new Gaussian numbers each time: hidden inputs, which no answer can know."""
    return torch.randn(shape)


def pair(value, what: str) -> tuple:
    """Return the two parts of an answer that should be a pair."""
    expect(isinstance(value, (tuple, list)) and len(value) == 2, f"Return two things, {what}, with a comma between.")
    return tuple(value)


def expect_tensor(value) -> None:
    """Say that a list or an array came back where later cells go on with a tensor."""
    expect(isinstance(value, torch.Tensor), f"Return a tensor, for the later cells, not a {type(value).__name__}.")


@exercise(
    "03-alpha-sigma", why="A point on the quarter circle: the powers of the two gains add up to 1 at every noise level."
)
def check_alpha_sigma(answer):
    t = torch.tensor([0.0, 1 / 3, 1.0, *torch.rand(4).tolist()])
    try:
        got = pair(call(answer, t), "alpha and sigma")
    except (TypeError, ValueError, RuntimeError) as error:
        expect(
            not any(word in str(error) for word in ("scalar", "only one element", "must be real number")),
            "`math.cos` takes one number, and t may be a tensor: use `torch.cos` and `torch.sin`.",
        )
        raise
    expect(all(isinstance(x, torch.Tensor) for x in got), "For a tensor t return two tensors: use `torch.cos`.")
    alpha, sigma = (as_signal(x, t.shape, name) for x, name in zip(got, ("alpha", "sigma"), strict=True))
    angle = t * math.pi / 2
    expect(not close(alpha, angle.sin()), "Swapped: at t = 0 all is sound, so alpha is 1 there and sigma is 0.")
    expect(not close(alpha, 1 - t), "That is the straight line, which dips by 3 dB in the middle.")
    expect(not close(alpha, (1 - t).sqrt()), "That keeps the power too, but is another way; ours is cos and sin.")
    expect(not close(alpha, angle.cos() ** 2), "Those are the powers; the gains are cos and sin themselves.")
    expect(not close(alpha, (2 * angle).cos()), "t = 1 is a quarter of a turn: the angle is pi t / 2, not pi t.")
    expect(not close(alpha, t.cos()), "The angle is pi t / 2 (in radians); t alone is too short.")
    expect(close(alpha, angle.cos()), "alpha should be cos(pi t / 2).")
    expect(close(sigma, angle.sin()), "alpha is right; sigma should be sin(pi t / 2).")
    try:
        alpha, sigma = pair(call(answer, 0.3), "alpha and sigma")
    except (TypeError, AttributeError):
        expect(False, "Right for a tensor, but t may be a plain number too: start with `torch.as_tensor(t)`.")
    expect(close([as_number(alpha), as_number(sigma)], [math.cos(0.15 * math.pi), math.sin(0.15 * math.pi)]), "t = 0.3")


@exercise("03-jump", why="One line, any noise level, whole batches: this is the forward process of the training loop.")
def check_jump(answer):
    for shape in ((2, 9), (3, 2, 8)):
        x_0, eps = random(2, *shape)
        angle = torch.rand(3, 1, 1) * 1.3 + 0.1 if len(shape) == 3 else torch.tensor(0.4)
        alpha, sigma = angle.cos(), angle.sin()
        if len(shape) == 2:
            alpha, sigma = float(alpha), float(sigma)
        got = as_signal(call(answer, x_0, alpha, sigma, eps), shape, "x_t")
        expect(not close(got, sigma * x_0 + alpha * eps), "Swapped: alpha is the gain of x_0, sigma that of eps.")
        expect(not close(got, alpha**2 * x_0 + sigma**2 * eps), "Squares are powers; the gains are alpha and sigma.")
        expect(not close(got, alpha * x_0 + (1 - alpha) * eps), "Not 1 - alpha: the gain of the noise is sigma.")
        expect(not close(got, x_0 + sigma * eps), "x_0 has a gain too, alpha; without it the variance grows.")
        expect(not close(got, alpha * x_0 - sigma * eps), "The noise is added, not subtracted.")
        expect(not close(got, alpha * sigma * x_0 * eps), "A mix is a sum: gain times sound plus gain times noise.")
        expect(close(got, alpha * x_0 + sigma * eps), "x_t = alpha x_0 + sigma eps, with the gains that you are given.")


@exercise("03-walk", why="Every step keeps the variance at 1, so any number of steps does.")
def check_walk(answer):
    for count in (2, 5):
        times = torch.cat([torch.zeros(1), torch.rand(count).sort().values * 0.4 + torch.linspace(0.2, 0.5, count)])
        x_0, noises = random(2, 7), random(count, 2, 7)
        got = as_signal(call(answer, x_0, times, noises), (2, 7), "x_t")
        alpha, sigma = (x.tolist() for x in alpha_sigma(times))

        def variant(gains, noises=noises, x_0=x_0, alpha=alpha, sigma=sigma, count=count):
            x = x_0
            for i in range(count):
                a, b = gains(alpha[i] / alpha[i + 1], sigma[i], alpha[i + 1], sigma[i + 1])
                x = a * x + b * noises[i]
            return x

        expect(
            not close(got, x_0), "That is x_0: keep the result of each step, `x_t = ...`, and return x_t at the end."
        )
        expect(
            not close(got, variant(lambda q, _, alpha_s, sigma_s: (alpha_s, sigma_s))),
            "Those are the gains from x_0 to s, again in each step; from t to s the gain is a = alpha_s / alpha_t.",
        )
        expect(
            not close(got, variant(lambda q, sigma_t, _, sigma_s: (1 / q, sigma_s))),
            "With b = sigma_s each step adds all the noise that s should have; some is there already.",
        )
        expect(
            not close(got, variant(lambda q, *_: (1 / q, 1 - 1 / q))),
            "Powers add up, not gains: a² + b² = 1, so b is the square root of 1 - a².",
        )
        expect(not close(got, variant(lambda q, *_: (1 / q, 1 - 1 / q**2))), "1 - a² is b²: take its square root.")
        expect(
            not close(got, variant(lambda q, sigma_t, _, sigma_s: (1 / q, sigma_s - sigma_t))),
            "Not the difference of the sigmas: powers add up, so a² + b² = 1.",
        )
        expect(
            not close(got, variant(lambda q, *_: (1 / q, (1 - q**-2) ** 0.5), noises[:1].expand_as(noises))),
            "Each step takes a noise of its own: noises[i] in step i.",
        )
        a = alpha[1] / alpha[0]
        expect(
            not close(got, a * x_0 + (1 - a**2) ** 0.5 * noises[0]),
            "Only the first step was taken: is the `return` inside the loop?",
        )
        right = variant(lambda q, *_: (1 / q, max(1 - q**-2, 0) ** 0.5))
        expect(close(got, right, 2e-3, 1e-4), "In each step x = a x + b noise, a = alpha_s / alpha_t and a² + b² = 1.")


@exercise("03-derive", why="Whatever the steps are: alpha is the product of all a, and alpha² + sigma² stays 1.")
def check_derive(answer):
    for count in (3, 6):
        a = torch.rand(count) * 0.3 + 0.65
        got = pair(call(answer, a), "alpha and sigma")
        for value in got:
            expect_tensor(value)
        alpha, sigma = (as_array(x, name) for x, name in zip(got, ("alpha", "sigma"), strict=True))
        expect(
            alpha.size == sigma.size == count,
            f"For {count} steps there should be {count} gains alpha and {count} sigma: one after each step, not "
            f"{alpha.size} and {sigma.size}.",
        )
        right = torch.cumprod(a, 0)
        power = 1 - right**2
        expect(not close(alpha, a), "Those are the gains of the single steps; the gain of x_0 is their product so far.")
        expect(not close(alpha, torch.cumsum(a, 0)), "Gains one after the other multiply: `torch.cumprod`.")
        expect(close(alpha, right), "alpha after step i should be a[0] a[1] … a[i].")
        expect(not close(sigma, power), "alpha is right. That is the power of the noise; sigma is its square root.")
        expect(
            not close(sigma, torch.cumsum(1 - a**2, 0).sqrt()),
            "alpha is right. For sigma, older noise is shrunk by each later step: its power P becomes a² P + (1 - a²).",
        )
        expect(not close(sigma, (1 - a**2).sqrt()), "alpha is right. That is only the noise of the last step.")
        expect(not close(sigma, 1 - right), "alpha is right. Powers add up to 1, not gains: alpha² + sigma² = 1.")
        expect(
            not close(sigma, torch.cumprod((1 - a**2).sqrt(), 0)),
            "alpha is right. Noises are added, not multiplied: follow their power, P becomes a² P + (1 - a²).",
        )
        expect(close(sigma, power.sqrt()), "alpha is right. The power of the noise after each step is 1 - alpha².")


@exercise("03-snr", why="Alpha and sigma are amplitudes, so the factor is 20; their squares would take 10.")
def check_snr(answer):
    t = torch.tensor([0.1, 0.5, *(torch.rand(3) * 0.9 + 0.05).tolist()])
    try:
        got = call(answer, t)
    except (TypeError, ValueError) as error:
        words = ("scalar", "only one element", "must be real number")
        expect(not any(word in str(error) for word in words), "`math.log10` takes one number: use `torch.log10`.")
        raise
    expect_tensor(got)
    got = as_signal(got, t.shape, "SNR")
    right = 20 * torch.log10(1 / torch.tan(t * math.pi / 2))
    expect(not close(got, -right), "The sign: where there is more sound than noise, the SNR is above 0 dB.")
    expect(not close(got, right / 2), "Alpha / sigma is a ratio of amplitudes: 20 log10, or 10 log10 of its square.")
    expect(not close(got, right * 2), "alpha² / sigma² is a ratio of powers: 10 log10, or 20 of alpha / sigma.")
    expect(not close(got, right * math.log(10) / 10), "That is the log-SNR, a natural logarithm; decibels take log10.")
    expect(not close(got, right * math.log(10)), "`torch.log` is the natural logarithm; decibels take `torch.log10`.")
    expect(not close(got, 10 ** (right / 10)), "That is the ratio of the powers; now 10 log10 of it.")
    expect(not close(got, 10 ** (right / 20)), "That is alpha / sigma; now 20 log10 of it.")
    line = 20 * torch.log10((1 - t) / t)
    expect(not close(got, line), "That is the straight line: take alpha and sigma from `alpha_sigma(t)`.")
    expect(close(got, right, 1e-3, 1e-3), "The SNR in dB is 20 log10 of alpha / sigma.")


@exercise("03-time", why="Noise levels are chosen in decibels; lesson 04 builds a whole grid of times with this.")
def check_time(answer):
    snr = 3 + 4 * float(torch.rand(()))
    try:
        got = as_number(call(answer, snr), "t")
    except TypeError as error:
        expect("must be Tensor" not in str(error), "snr is a number, and `torch.atan` takes tensors: use `math.atan`.")
        raise
    ratio, power = 10 ** (-snr / 20), 10 ** (-snr / 10)
    turn, angle = 2 / math.pi, math.atan(ratio)
    expect(not close(got, turn * math.atan(power)), "10^(-snr/10) is a ratio of powers; sigma / alpha needs 20.")
    expect(not close(got, turn * math.atan(1 / ratio)), "A high SNR must give a small t: mind the sign.")
    expect(not close(got, ratio), "That is sigma / alpha, which is tan(pi t / 2); now undo the tangent.")
    expect(not close(got, ratio / (1 + ratio)), "That is the t of the straight line; on the circle it takes `atan`.")
    expect(not close(got, angle), "That is the angle; t is the angle times 2 / pi.")
    expect(not close(got, angle / turn), "The angle is pi t / 2, so t is the angle times 2 / pi, not pi / 2.")
    expect(not close(got, math.degrees(angle)), "Those are degrees; a quarter of a turn is t = 1.")
    expect(not close(got, turn * math.atan(1 / power)), "Sign and factor: sigma / alpha is 10 to the power -snr/20.")
    expect(not close(got, turn * math.tan(ratio)), "From t to the ratio leads the tangent; back, the arc tangent.")
    expect(not close(got, turn * math.atan(math.exp(-snr / 2))), "That is for log_snr; decibels need powers of 10.")
    expect(not close(got, turn * math.asin(ratio)), "10^(-snr/20) is sigma / alpha, not sigma: use `atan`.")
    expect(close(got, turn * angle), "tan(pi t / 2) = sigma / alpha = 10^(-snr/20).")
    expect(close(as_number(call(answer, 0.0)), 0.5), "At 0 dB sound and noise are equally strong: t = 0.5.")
    expect(close(as_number(call(answer, -snr)), 1 - got), "A positive SNR comes out right, a negative one does not.")
    expect(close(as_number(call(answer, 20)), turn * math.atan(0.1)), "It should take whole numbers too, such as 20.")


@exercise("03-octaves", why="Every bin is in exactly one octave, so the octaves share out the power without a gap.")
def check_octaves(answer):
    for bins, frames, count in ((17, 3, 3), (40, 5, 4)):
        hz, edges = torch.arange(bins) * 50.0, torch.tensor([50.0 * 2**k for k in range(count + 1)])
        power = torch.rand(bins, frames) + 0.1
        got = call(answer, power, hz, edges)
        if isinstance(got, (list, tuple)) and len(got) and all(isinstance(row, torch.Tensor) for row in got):
            expect(False, "Return one tensor [octaves, frames], not a list of rows: `torch.stack(rows)`.")
        expect_tensor(got)
        got = as_array(got)
        bounds = list(zip(edges[:-1], edges[1:], strict=True))

        def variant(inside, power=power, hz=hz, bounds=bounds):
            return torch.stack([power[inside(hz, low, high)].sum(0) for low, high in bounds])

        right = variant(lambda hz, low, high: (hz >= low) & (hz < high))
        expect(got.shape != (count,), "[octaves] only: add up over the bins (axis 0), and keep the frames apart.")
        expect(
            got.shape == (count, frames),
            f"The shape should be [octaves, frames] = {[count, frames]}, not {list(got.shape)}.",
        )
        counts = torch.tensor([[2.0**k] for k in range(count)])
        expect(not close(got, right / counts), "That is the mean over the bins; the power of a band is the sum.")
        expect(
            not close(got, variant(lambda hz, low, high: (hz >= low) & (hz <= high))),
            "A bin right on an edge is counted twice: take hz >= low and hz < high.",
        )
        expect(
            not close(got, variant(lambda hz, low, high: (hz > low) & (hz < high))),
            "A bin right on an edge is left out: take hz >= low and hz < high.",
        )
        expect(
            not close(got, variant(lambda hz, low, high: hz >= low)),
            "Each row holds all that is above its lower edge: it ends at `high`.",
        )
        expect(
            not close(got, variant(lambda hz, low, high: hz < high)),
            "Each row holds all that is below its upper edge: it starts at `low`.",
        )
        expect(close(got, right), "Row k is the sum of power over the bins with edges[k] <= hz < edges[k + 1].")


@exercise("03-drowns", why="The loudest moment of a band decides how long it can be told from the noise.")
def check_drowns(answer):
    for octaves, frames in ((3, 4), (5, 9)):
        sound = 10 ** (4 * torch.rand(octaves, frames) - 2)
        noise = torch.rand(octaves, frames) + 0.5
        got = call(answer, sound, noise)
        expect_tensor(got)
        got = as_array(got, "SNR")
        expect(got.size == octaves, f"There should be one SNR for each octave, {octaves}, not {got.size}.")
        got = got.reshape(octaves)
        loudest, mean = sound.amax(1), noise.mean(1)
        right = -10 * torch.log10(loudest / mean)
        expect(not close(got, -right), "The sign: a band g dB ahead of the noise drowns where the SNR of all is -g.")
        expect(
            not close(got, 10 * torch.log10(mean / sound.mean(1))),
            "That averages the sound over all frames, silence too: take its loudest frame, `amax`.",
        )
        expect(not close(got, 2 * right), "These are powers: 10 log10, not 20.")
        expect(not close(got, 10 ** (right / 10)), "That is the ratio of the powers; now 10 log10 of it.")
        expect(not close(got, 10 ** (-right / 10)), "That is the ratio of the powers; now -10 log10 of it.")
        expect(
            not close(got, -10 * torch.log10(loudest / noise.amax(1))),
            "The noise is the same at all times: its mean over the frames is its power, its maximum is chance.",
        )
        expect(
            not close(got, -10 * torch.log10((sound / noise).amax(1))),
            "Do not divide frame by frame: one frame of noise is chance. Take the mean of the noise first.",
        )
        expect(not close(got, right * math.log(10)), "`torch.log` is the natural logarithm; decibels take `log10`.")
        expect(
            close(got, right, 1e-3, 1e-3),
            "-10 log10 of the sound's loudest frame over the noise's mean, for each octave.",
        )


PREDICTIONS = {
    "03-fade": ("C", "section 2, *A cross-fade*"),
    "03-tenth": ("A", "section 4, *How noisy is that?*"),
    "03-lost-first": ("B", "section 5, *What drowns first?*"),
    "03-survivor": ("C", "section 5, *What drowns first?*"),
    "03-same-noise": ("A", "section 6, *Small steps (optional)*"),
}

QUIZ = (
    Question(
        "Why is the quarter circle used, and not gains that add up to 1?",
        (
            Answer(
                "Sound and noise are uncorrelated, so their powers add up",
                "alpha² + sigma² = 1 keeps the variance at 1.",
                True,
            ),
            Answer(
                "It makes the SNR fall evenly in t",
                "No: on the circle the SNR is steep at both ends; section 4 plots it.",
            ),
            Answer(
                "Only then can one jump to any t at once", "No: a straight line can be jumped as well; it dips by 3 dB."
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
        "Why can generation start from random numbers that have never met a drum?",
        (
            Answer(
                "Because x_1 is a drum, only a very noisy one",
                "No: at t = 1 alpha is 0, and nothing of the drum is left.",
            ),
            Answer(
                "Because x_1 has one distribution for all drums, and we can sample it",
                "At t = 1 each drum has become N(0, I), so new Gaussian numbers are as good a start as any x_1.",
                True,
            ),
            Answer(
                "Because the noise holds all frequencies, and so every drum",
                "No: every frequency is there, but at random phases and levels; it holds no drum.",
            ),
        ),
    ),
)
