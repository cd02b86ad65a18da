"""Tempting mistakes of lesson 03: exercise -> title -> (what a learner writes, a part of the hint it must get)."""

ALPHA = "def alpha_sigma(t):\n    t = torch.as_tensor(t)\n    return "
JUMP = "def q_sample(x_0, alpha, sigma, eps):\n    return "
WALK = """def walk(x_0, times, noises):
    x_t = x_0
    for t, s, noise in zip(times[:-1], times[1:], noises):
        (alpha_t, sigma_t), (alpha_s, sigma_s) = alpha_sigma(t), alpha_sigma(s)
        a = alpha_s / alpha_t
        """
DERIVE = "def gains_after(a):\n    alpha = torch.cumprod(a, 0)\n    return alpha, "
SNR = "def snr_db(t):\n    alpha, sigma = alpha_sigma(t)\n    return "
TIME = "def t_from_snr_db(snr):\n    return "
OCTAVES = "def octave_power(power, hz, edges):\n    pairs = zip(edges[:-1], edges[1:])\n    return torch.stack("
DROWNS = "def drowns_db(sound, noise):\n    return "

WRONG_ANSWERS = {
    "03-alpha-sigma": {
        "straight line": (ALPHA + "1 - t, t", "straight line"),
        "swapped": (ALPHA + "torch.sin(math.pi * t / 2), torch.cos(math.pi * t / 2)", "Swapped"),
        "half a turn": (ALPHA + "torch.cos(math.pi * t), torch.sin(math.pi * t)", "quarter of a turn"),
        "no angle": (ALPHA + "torch.cos(t), torch.sin(t)", "too short"),
        "powers": (ALPHA + "torch.cos(math.pi * t / 2) ** 2, torch.sin(math.pi * t / 2) ** 2", "Those are the powers"),
        "another equal-power fade": (ALPHA + "(1 - t).sqrt(), t.sqrt()", "another way"),
        "one number's cosine": (
            "def alpha_sigma(t):\n    return math.cos(math.pi * t / 2), math.sin(math.pi * t / 2)",
            "`torch.cos` and",
        ),
        "tensors only": (
            "def alpha_sigma(t):\n    return torch.cos(math.pi * t / 2), torch.sin(math.pi * t / 2)",
            "plain number",
        ),
        "only one": (ALPHA + "torch.cos(math.pi * t / 2)", "two things"),
    },
    "03-jump": {
        "swapped": (JUMP + "sigma * x_0 + alpha * eps", "Swapped"),
        "powers for gains": (JUMP + "alpha**2 * x_0 + sigma**2 * eps", "Squares are powers"),
        "gains that add up to 1": (JUMP + "alpha * x_0 + (1 - alpha) * eps", "Not 1 - alpha"),
        "variance grows": (JUMP + "x_0 + sigma * eps", "has a gain too"),
        "subtracted": (JUMP + "alpha * x_0 - sigma * eps", "not subtracted"),
        "no return": ("def q_sample(x_0, alpha, sigma, eps):\n    x_t = alpha * x_0 + sigma * eps", "`return`"),
    },
    "03-walk": {
        "gains from the start": (WALK + "x_t = alpha_s * x_t + sigma_s * noise\n    return x_t", "again in each step"),
        "all the noise again": (WALK + "x_t = a * x_t + sigma_s * noise\n    return x_t", "some is there already"),
        "gains that add up to 1": (WALK + "x_t = a * x_t + (1 - a) * noise\n    return x_t", "Powers add up"),
        "no root": (WALK + "x_t = a * x_t + (1 - a**2) * noise\n    return x_t", "square root"),
        "difference of sigmas": (WALK + "x_t = a * x_t + (sigma_s - sigma_t) * noise\n    return x_t", "difference"),
        "one noise": (WALK + "x_t = a * x_t + (1 - a**2) ** 0.5 * noises[0]\n    return x_t", "noise of its own"),
        "return in the loop": (
            WALK + "x_t = a * x_t + (1 - a**2) ** 0.5 * noise\n        return x_t",
            "inside the loop",
        ),
        "nothing kept": (WALK + "a * x_t + (1 - a**2) ** 0.5 * noise\n    return x_t", "keep the result"),
    },
    "03-derive": {
        "single steps": ("def gains_after(a):\n    return a, torch.sqrt(1 - a**2)", "single steps"),
        "sum for product": (
            "def gains_after(a):\n    alpha = torch.cumsum(a, 0)\n    return alpha, torch.sqrt(1 - a**2)",
            "multiply",
        ),
        "power for gain": (DERIVE + "1 - alpha**2", "square root"),
        "old noise not shrunk": (DERIVE + "torch.sqrt(torch.cumsum(1 - a**2, 0))", "shrunk by each later step"),
        "last noise only": (DERIVE + "torch.sqrt(1 - a**2)", "last step"),
        "gains that add up to 1": (DERIVE + "1 - alpha", "not gains"),
        "noises multiplied": (DERIVE + "torch.cumprod(torch.sqrt(1 - a**2), 0)", "not multiplied"),
        "the end only": (
            "def gains_after(a):\n    alpha = torch.prod(a)\n    return alpha, torch.sqrt(1 - alpha**2)",
            "one after each step",
        ),
    },
    "03-snr": {
        "10 for 20": (SNR + "10 * torch.log10(alpha / sigma)", "ratio of amplitudes"),
        "20 of the power": (SNR + "20 * torch.log10(alpha**2 / sigma**2)", "ratio of powers"),
        "upside down": (SNR + "20 * torch.log10(sigma / alpha)", "The sign"),
        "log-SNR": (SNR + "torch.log(alpha**2 / sigma**2)", "log-SNR"),
        "natural logarithm": (SNR + "20 * torch.log(alpha / sigma)", "log10"),
        "the ratio": (SNR + "alpha**2 / sigma**2", "ratio of the powers; now"),
        "straight line": ("def snr_db(t):\n    return 20 * torch.log10((1 - t) / t)", "straight line"),
        "one number's logarithm": (SNR + "20 * math.log10(alpha / sigma)", "torch.log10"),
    },
    "03-time": {
        "power for amplitude": (TIME + "2 / math.pi * math.atan(10 ** (-snr / 10))", "ratio of powers"),
        "sign": (TIME + "2 / math.pi * math.atan(10 ** (snr / 20))", "mind the sign"),
        "angle, not t": (TIME + "math.atan(10 ** (-snr / 20))", "2 / pi."),
        "the factor upside down": (TIME + "math.pi / 2 * math.atan(10 ** (-snr / 20))", "not pi / 2"),
        "degrees": (TIME + "math.degrees(math.atan(10 ** (-snr / 20)))", "degrees"),
        "sign and factor": (TIME + "2 / math.pi * math.atan(10 ** (snr / 10))", "Sign and factor"),
        "stops at the ratio": (TIME + "10 ** (-snr / 20)", "undo the tangent"),
        "on the straight line": (TIME + "1 / (1 + 10 ** (snr / 20))", "straight line"),
        "torch for a number": (TIME + "2 / math.pi * torch.atan(10 ** (-snr / 20))", "math.atan"),
        "sigma for the ratio": (TIME + "2 / math.pi * math.asin(10 ** (-snr / 20))", "not sigma"),
        "natural logarithm": (TIME + "2 / math.pi * math.atan(math.exp(-snr / 2))", "for log_snr"),
    },
    "03-octaves": {
        "mean": (OCTAVES + "[power[(hz >= a) & (hz < b)].mean(0) for a, b in pairs])", "mean over the bins"),
        "both edges": (OCTAVES + "[power[(hz >= a) & (hz <= b)].sum(0) for a, b in pairs])", "counted twice"),
        "no edge": (OCTAVES + "[power[(hz > a) & (hz < b)].sum(0) for a, b in pairs])", "left out"),
        "no end": (OCTAVES + "[power[hz >= a].sum(0) for a, b in pairs])", "ends at `high`"),
        "no start": (OCTAVES + "[power[hz < b].sum(0) for a, b in pairs])", "starts at `low`"),
        "frames added up": (OCTAVES + "[power[(hz >= a) & (hz < b)].sum() for a, b in pairs])", "frames apart"),
        "a list": (
            "def octave_power(power, hz, edges):\n    pairs = zip(edges[:-1], edges[1:])\n"
            "    return [power[(hz >= a) & (hz < b)].sum(0) for a, b in pairs]",
            "torch.stack",
        ),
    },
    "03-drowns": {
        "silence averaged in": (DROWNS + "-10 * torch.log10(sound.mean(1) / noise.mean(1))", "silence too"),
        "the sign": (DROWNS + "10 * torch.log10(sound.amax(1) / noise.mean(1))", "The sign"),
        "20 for 10": (DROWNS + "-20 * torch.log10(sound.amax(1) / noise.mean(1))", "not 20"),
        "loudest noise": (DROWNS + "-10 * torch.log10(sound.amax(1) / noise.amax(1))", "its maximum is chance"),
        "frame by frame": (DROWNS + "-10 * torch.log10((sound / noise).amax(1))", "frame by frame"),
        "the last octave only": (DROWNS + "(-10 * torch.log10(sound.amax(1) / noise.mean(1))).min()", "each octave"),
        "the ratio": (DROWNS + "noise.mean(1) / sound.amax(1)", "ratio of the powers"),
    },
}
