"""Tempting mistakes of lesson 04: exercise -> title -> (what a learner writes, a part of the hint it must get)."""

GAINS = "    alpha, sigma = alpha_sigma(t)\n"
VIEWS = "def x_0_and_eps(x_t, v, t):\n" + GAINS + "    "
CONVERT = "def v_from_x_0(x_t, x_0, t):\n" + GAINS + "    "
LOSS = "def mean_loss(guess, values, p):\n    return "
WEIGHTS = (
    "def probabilities(x_t, t, sounds, prior):\n"
    + GAINS
    + "    distance = (x_t - alpha * sounds).square().sum((1, 2))\n"
    "    "
)
SOFT = "return torch.softmax(torch.log(prior) - distance / (2 * sigma**2), dim=0)"
EXACT = "def denoise(x_t, t, sounds, prior):\n    p = probabilities(x_t, t, sounds, prior)\n    return "
STEP = (
    "def ddim_step(x_t, v, t, s):\n    alpha_s, sigma_s = alpha_sigma(s)\n    alpha_t, sigma_t = alpha_sigma(t)\n"
    "    x_0, eps = alpha_t * x_t - sigma_t * v, sigma_t * x_t + alpha_t * v\n    "
)
TURN = "def ddim_step(x_t, v, t, s):\n    delta = math.pi / 2 * (t - s)\n    "
LOOP = (
    "def sample(net, x_t, times):\n    for t, s in zip(times[:-1], times[1:]):\n"
    "        t, s = float(t), float(s)\n        "
)
EVALUATE = "v = net(x_t, torch.full((len(x_t),), t))\n        "
GRID = (
    "def log_snr_times(num_steps, first_db, last_db):\n    decibels = torch.linspace(first_db, last_db, num_steps)\n"
    "    times = [t_from_snr_db(float(db)) for db in decibels]\n    "
)

WRONG_ANSWERS = {
    "04-views": {
        "other order": (VIEWS + "return sigma * x_t + alpha * v, alpha * x_t - sigma * v", "other order"),
        "sign of x_0": (VIEWS + "return alpha * x_t + sigma * v, sigma * x_t + alpha * v", "The sign in x_0"),
        "sign of eps": (VIEWS + "return alpha * x_t - sigma * v, sigma * x_t - alpha * v", "The sign in eps"),
        "v taken for eps": (VIEWS + "return (x_t - sigma * v) / alpha, v", "v is not eps"),
        "gains of eps": (VIEWS + "return alpha * x_t - sigma * v, alpha * x_t + sigma * v", "In eps sigma"),
        "only x_0": (VIEWS + "return alpha * x_t - sigma * v", "two things"),
        "divides by sigma": (
            VIEWS + "x_0 = alpha * x_t - sigma * v\n    return x_0, (x_t - alpha * x_0) / sigma",
            "is something divided",
        ),
    },
    "04-convert": {
        "stops at eps": (CONVERT + "return (x_t - alpha * x_0) / sigma", "first half"),
        "the sign": (CONVERT + "return (x_0 - alpha * x_t) / sigma", "The sign: v"),
        "not divided by sigma": (CONVERT + "return alpha * (x_t - alpha * x_0) - sigma * x_0", "divide by sigma to"),
        "x_t for eps": (CONVERT + "return alpha * x_t - sigma * x_0", "not yet eps"),
        "plus for minus": (CONVERT + "return alpha * (x_t - alpha * x_0) / sigma + sigma * x_0", "The sign of x_0"),
        "divided by alpha": (CONVERT + "return alpha * (x_t - alpha * x_0) / alpha - sigma * x_0", "not alpha"),
        "just the difference": (CONVERT + "return x_t - x_0", "is not the noise"),
        "difference by sigma": (CONVERT + "return (x_t - x_0) / sigma", "has the gain alpha"),
        "alpha forgotten in eps": (CONVERT + "return alpha * (x_t - x_0) / sigma - sigma * x_0", "not x_t - x_0"),
        "short form, not divided": (CONVERT + "return alpha * x_t - x_0", "Nearly"),
    },
    "04-loss": {
        "p unused": (LOSS + "(guess[:, None] - values).square().mean(1)", "p is not used"),
        "absolute": (LOSS + "(p * (guess[:, None] - values).abs()).sum(1)", "absolute loss"),
        "loss of the mean": (LOSS + "(guess - (p * values).sum()).square()", "Square first"),
        "averaged again": (LOSS + "(p * (guess[:, None] - values).square()).mean(1)", "do not average"),
        "p squared": (LOSS + "(p * (guess[:, None] - values)).square().sum(1)", "not p"),
        "summed over guesses": (LOSS + "(p * (guess[:, None] - values).square()).sum(0)", "the shape [4]"),
    },
    "04-weights": {
        "no prior": (WEIGHTS + "return torch.softmax(-distance / (2 * sigma**2), 0)", "is not used"),
        "prior, no logarithm": (
            WEIGHTS + "return torch.softmax(prior - distance / (2 * sigma**2), 0)",
            "Add the logarithm",
        ),
        "prior after the softmax": (
            WEIGHTS + "return prior * torch.softmax(-distance / (2 * sigma**2), 0)",
            "no longer add up",
        ),
        "exp of large numbers": (
            WEIGHTS + "p = prior * torch.exp(-distance / (2 * sigma**2))\n    return p / p.sum()",
            "NaN for real sounds",
        ),
        "not divided by the sum": (WEIGHTS + "return prior * torch.exp(-distance / (2 * sigma**2))", "by their sum"),
        "no softmax": (WEIGHTS + "return torch.log(prior) - distance / (2 * sigma**2)", "Those are the logarithms"),
        "sigma, not its square": (
            WEIGHTS + "return torch.softmax(torch.log(prior) - distance / (2 * sigma), 0)",
            "sigma squared",
        ),
        "no factor of 2": (
            WEIGHTS + "return torch.softmax(torch.log(prior) - distance / sigma**2, 0)",
            "factor of 2",
        ),
        "alpha forgotten": (WEIGHTS.replace("alpha * sounds", "sounds") + SOFT, "alpha d_k"),
        "plus for minus": (
            WEIGHTS + "return torch.softmax(torch.log(prior) + distance / (2 * sigma**2), 0)",
            "a minus",
        ),
        "mean of squares": (WEIGHTS.replace("sum", "mean") + SOFT, "not their mean"),
        "distance not squared": (WEIGHTS + "distance = distance.sqrt()\n    " + SOFT, "without a root"),
        "one distance for all": (WEIGHTS.replace("sum((1, 2))", "sum()") + SOFT, "One distance for each"),
    },
    "04-exact": {
        "the likeliest alone": (EXACT + "sounds[p.argmax()]", "likeliest sound alone"),
        "plain mean": (EXACT + "sounds.mean(0)", "weigh the same"),
        "priors": (EXACT + "(prior[:, None, None] * sounds).sum(0)", "Those are the priors"),
        "mean for sum": (EXACT + "(p[:, None, None] * sounds).mean(0)", "Sum, do not average"),
        "summed over samples": (EXACT + "(p[:, None, None] * sounds).sum(2)", "should be [2, 5]"),
        "shrunk": (EXACT + "alpha_sigma(t)[0] * (p[:, None, None] * sounds).sum(0)", "without alpha"),
    },
    "04-step": {
        "noise forgotten": (STEP + "return alpha_s * x_0", "noise is missing"),
        "all the way": (STEP + "return x_0", "step all the way"),
        "mixed for t again": (STEP + "return alpha_t * x_0 + sigma_t * eps", "back at x_t"),
        "angle too short": (
            TURN.replace("math.pi / 2 * ", "") + "return math.cos(delta) * x_t - math.sin(delta) * v",
            "in radians",
        ),
        "v for eps": (STEP + "return alpha_s * x_0 + sigma_s * v", "not the noise"),
        "v for x_0": (STEP + "return alpha_s * v + sigma_s * eps", "not the sound"),
        "noise of t": (STEP + "return alpha_s * x_0 + sigma_t * eps", "The noise still"),
        "sound of t": (STEP + "return alpha_t * x_0 + sigma_s * eps", "The sound still"),
        "x_0's formula at s": (STEP + "return alpha_s * x_t - sigma_s * v", "where v was predicted"),
        "new noise": (STEP + "return alpha_s * x_0 + sigma_s * torch.randn_like(x_0)", "no new noise"),
        "wrong way round": (TURN + "return math.cos(delta) * x_t + math.sin(delta) * v", "towards the noise"),
        "straight along v": (TURN + "return x_t - delta * v", "leaves the circle"),
        "divides by sigma": (
            STEP + "eps = (x_t - alpha_t * x_0) / sigma_t\n    return alpha_s * x_0 + sigma_s * eps",
            "from t = 0",
        ),
        "divides by alpha": (
            STEP + "x_0 = (x_t - sigma_t * eps) / alpha_t\n    return alpha_s * x_0 + sigma_s * eps",
            "from t = 1",
        ),
    },
    "04-loop": {
        "return in the loop": (LOOP + EVALUATE + "return ddim_step(x_t, v, t, s)", "inside the loop"),
        "nothing kept": (LOOP + EVALUATE + "ddim_step(x_t, v, t, s)\n    return x_t", "has not changed"),
        "time as a number": (
            LOOP + "v = net(x_t, t)\n        x_t = ddim_step(x_t, v, t, s)\n    return x_t",
            "one number for each sound",
        ),
        "time at s": (
            LOOP + EVALUATE.replace(", t))", ", s))") + "x_t = ddim_step(x_t, v, t, s)\n    return x_t",
            "evaluated at s",
        ),
        "one v for all": (
            "def sample(net, x_t, times):\n    v = net(x_t, torch.full((len(x_t),), float(times[0])))\n"
            "    for t, s in zip(times[:-1], times[1:]):\n        x_t = ddim_step(x_t, v, float(t), float(s))\n"
            "    return x_t",
            "predicted again",
        ),
        "last step missing": (
            LOOP.replace("times[:-1], times[1:]", "times[:-2], times[1:-1]")
            + EVALUATE
            + "x_t = ddim_step(x_t, v, t, s)\n    return x_t",
            "The last step",
        ),
        "one time for all": (
            LOOP + EVALUATE.replace("(len(x_t),)", "(1,)") + "x_t = ddim_step(x_t, v, t, s)\n    return x_t",
            "not [1]",
        ),
    },
    "04-grid": {
        "no ends": (GRID + "return torch.tensor(times)", "1 in front"),
        "does not start at 1": (GRID + "return torch.tensor([*times, 0.0])", "first time should be 1"),
        "no 0": (GRID + "return torch.tensor([1.0, *times[1:]])", "at its end"),
        "one too many": (GRID + "return torch.tensor([1.0, *times, 0.0])", "steps need"),
        "overwritten end": (
            GRID.replace("num_steps)\n", "num_steps + 1)\n") + "return torch.tensor([1.0, *times[1:-1], 0.0])",
            "do not overwrite",
        ),
        "even in t": (
            "def log_snr_times(num_steps, first_db, last_db):\n    return torch.linspace(1, 0, num_steps + 1)",
            "Even in t",
        ),
        "rising": (GRID + "return torch.tensor([0.0, *times[:0:-1], 1.0])", "should fall"),
        "ten for twenty": (
            "def log_snr_times(num_steps, first_db, last_db):\n"
            "    decibels = torch.linspace(first_db, last_db, num_steps)\n"
            "    times = 2 / math.pi * torch.atan(10 ** (-decibels / 10))\n"
            "    return torch.cat([torch.ones(1), times[1:], torch.zeros(1)])",
            "not 10",
        ),
    },
}
