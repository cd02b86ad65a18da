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
            "alpha x_k",
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
        "a ratio of powers": ("fewest = 1_570_797", "ratio of powers"),
        "not whole": ("fewest = math.pi / 2 / math.asin(0.001)", "round up"),
    },
}
