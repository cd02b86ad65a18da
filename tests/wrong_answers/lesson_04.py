"""Tempting mistakes of lesson 04: exercise -> title -> (what a learner writes, a part of the hint it must get)."""

CONVERT = "def find_v(x_t, x_0, t):\n    alpha, sigma = alpha_sigma(t)\n    "
EXACT = (
    "def denoise(x_t, t, sounds, prior):\n    alpha, sigma = alpha_sigma(t)\n"
    "    distance = (x_t - alpha * sounds).square().sum((1, 2))\n    "
)
MEAN = "\n    return (p[:, None, None] * sounds).sum(0)"
STEP = (
    "def step_with_v(x_t, v, t, s):\n    alpha_s, sigma_s = alpha_sigma(s)\n    alpha_t, sigma_t = alpha_sigma(t)\n"
    "    x_0, eps = alpha_t * x_t - sigma_t * v, sigma_t * x_t + alpha_t * v\n    "
)
TURN = "def step_with_v(x_t, v, t, s):\n    delta = math.pi / 2 * (t - s)\n    "

WRONG_ANSWERS = {
    "04-convert": {
        "stops at eps": (CONVERT + "return (x_t - alpha * x_0) / sigma", "first half"),
        "the sign": (CONVERT + "return (x_0 - alpha * x_t) / sigma", "The sign"),
        "not divided by sigma": (CONVERT + "return alpha * (x_t - alpha * x_0) - sigma * x_0", "divide by sigma"),
        "x_t for eps": (CONVERT + "return alpha * x_t - sigma * x_0", "not yet eps"),
        "plus for minus": (CONVERT + "return alpha * (x_t - alpha * x_0) / sigma + sigma * x_0", "The sign of x_0"),
        "divided by alpha": (CONVERT + "return alpha * (x_t - alpha * x_0) / alpha - sigma * x_0", "not alpha"),
        "just the difference": (CONVERT + "return x_t - x_0", "is not the noise"),
    },
    "04-exact": {
        "no prior": (EXACT + "p = torch.softmax(-distance / (2 * sigma**2), 0)" + MEAN, "not used"),
        "prior, no logarithm": (
            EXACT + "p = torch.softmax(prior - distance / (2 * sigma**2), 0)" + MEAN,
            "Add the logarithm",
        ),
        "prior after the softmax": (
            EXACT + "p = prior * torch.softmax(-distance / (2 * sigma**2), 0)" + MEAN,
            "no longer add up",
        ),
        "exp of large numbers": (
            EXACT + "p = prior * torch.exp(-distance / (2 * sigma**2))\n    p = p / p.sum()" + MEAN,
            "use logarithms",
        ),
        "sigma, not its square": (
            EXACT + "p = torch.softmax(torch.log(prior) - distance / (2 * sigma), 0)" + MEAN,
            "squared",
        ),
        "alpha forgotten": (
            EXACT.replace("alpha * sounds", "sounds")
            + "p = torch.softmax(torch.log(prior) - distance / (2 * sigma**2), 0)"
            + MEAN,
            "alpha d_k",
        ),
        "plus for minus": (
            EXACT + "p = torch.softmax(torch.log(prior) + distance / (2 * sigma**2), 0)" + MEAN,
            "a minus",
        ),
        "mean of squares": (
            EXACT.replace("sum", "mean") + "p = torch.softmax(torch.log(prior) - distance / (2 * sigma**2), 0)" + MEAN,
            "not their mean",
        ),
        "distance not squared": (
            EXACT + "p = torch.softmax(torch.log(prior) - distance.sqrt() / (2 * sigma**2), 0)" + MEAN,
            "without a root",
        ),
        "one distance for all": (
            EXACT.replace("sum((1, 2))", "sum()")
            + "p = torch.softmax(torch.log(prior) - distance / (2 * sigma**2), 0)"
            + MEAN,
            "One distance for each sound",
        ),
        "weights not divided by their sum": (
            EXACT + "p = prior * torch.exp(-distance / (2 * sigma**2))" + MEAN,
            "divide by their sum",
        ),
        "the likeliest alone": (
            EXACT + "return sounds[(torch.log(prior) - distance / (2 * sigma**2)).argmax()]",
            "most probable sound alone",
        ),
    },
    "04-ddim": {
        "noise forgotten": (STEP + "return alpha_s * x_0", "noise is missing"),
        "all the way": (STEP + "return x_0", "step all the way"),
        "mixed for t again": (STEP + "return alpha_t * x_0 + sigma_t * eps", "back at x_t"),
        "angle too short": (
            TURN.replace("math.pi / 2 * ", "") + "return math.cos(delta) * x_t - math.sin(delta) * v",
            "too short",
        ),
        "v for eps": (STEP + "return alpha_s * x_0 + sigma_s * v", "not the noise"),
        "noise of t": (STEP + "return alpha_s * x_0 + sigma_t * eps", "level of t"),
        "x_0's formula at s": (STEP + "return alpha_s * x_t - sigma_s * v", "where v was predicted"),
        "new noise": (STEP + "return alpha_s * x_0 + sigma_s * torch.randn_like(x_0)", "no new noise"),
        "wrong way round": (TURN + "return math.cos(delta) * x_t + math.sin(delta) * v", "wrong way"),
        "straight along v": (TURN + "return x_t - delta * v", "leaves the circle"),
        "divides by alpha": (
            "def step_with_v(x_t, v, t, s):\n    alpha_s, sigma_s = alpha_sigma(s)\n    alpha, sigma = alpha_sigma(t)\n"
            "    eps = sigma * x_t + alpha * v\n    x_0 = (x_t - sigma * eps) / (alpha if t < 1 else 0)\n"
            "    return alpha_s * x_0 + sigma_s * eps",
            "NaN or infinite",
        ),
    },
    "04-fewest": {
        "one too few": ("fewest = 1570", "One more"),
        "40 dB": ("fewest = 158", "-40 dB"),
        "one too many": ("fewest = 1572", "fewer steps"),
        "sigma squared": ("fewest = 50", "not of its square"),
        "half the angle": ("fewest = 3142", "factor of 2"),
        "a ratio of powers": ("fewest = 1_570_797", "ratio of powers"),
        "not whole": ("fewest = math.pi / 2 / math.asin(0.001)", "round up"),
    },
}
