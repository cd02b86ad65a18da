"""Tempting mistakes of lesson 03: exercise -> title -> (what a learner writes, a part of the hint it must get)."""

JUMP = "def jump(x_0, t, eps):\n    angle = t[:, None, None] * math.pi / 2\n    "

WRONG_ANSWERS = {
    "03-jump": {
        "no axes added": (
            "def jump(x_0, t, eps):\n    return torch.cos(math.pi * t / 2) * x_0 + torch.sin(math.pi * t / 2) * eps",
            "two more axes",
        ),
        "straight line": (
            "def jump(x_0, t, eps):\n    t = t[:, None, None]\n    return (1 - t) * x_0 + t * eps",
            "straight line",
        ),
        "swapped": (JUMP + "return angle.sin() * x_0 + angle.cos() * eps", "Swapped"),
        "powers for gains": (JUMP + "return angle.cos() ** 2 * x_0 + angle.sin() ** 2 * eps", "Squares are powers"),
        "half a turn": (JUMP + "return (2 * angle).cos() * x_0 + (2 * angle).sin() * eps", "quarter of a turn"),
        "one number's cosine": (
            "def jump(x_0, t, eps):\n    return math.cos(math.pi * t / 2) * x_0 + math.sin(math.pi * t / 2) * eps",
            "torch.cos",
        ),
        "another equal-power fade": (
            "def jump(x_0, t, eps):\n    t = t[:, None, None]\n    return (1 - t).sqrt() * x_0 + t.sqrt() * eps",
            "another way",
        ),
        "no return": (JUMP + "x_t = angle.cos() * x_0 + angle.sin() * eps", "`return`"),
    },
    "03-snr": {
        "power for amplitude": (
            "def find_t(snr):\n    return 2 / math.pi * math.atan(10 ** (-snr / 10))",
            "ratio of powers",
        ),
        "sign": ("def find_t(snr):\n    return 2 / math.pi * math.atan(10 ** (snr / 20))", "mind the sign"),
        "angle, not t": ("def find_t(snr):\n    return math.atan(10 ** (-snr / 20))", "2 / pi"),
        "the factor upside down": (
            "def find_t(snr):\n    return math.pi / 2 * math.atan(10 ** (-snr / 20))",
            "not pi / 2",
        ),
        "degrees": ("def find_t(snr):\n    return math.degrees(math.atan(10 ** (-snr / 20)))", "degrees"),
        "sign and factor": (
            "def find_t(snr):\n    return 2 / math.pi * math.atan(10 ** (snr / 10))",
            "Sign and factor",
        ),
        "stops at the ratio": ("def find_t(snr):\n    return 10 ** (-snr / 20)", "undo the tangent"),
        "on the straight line": ("def find_t(snr):\n    return 1 / (1 + 10 ** (snr / 20))", "straight line"),
        "torch for a number": (
            "def find_t(snr):\n    return 2 / math.pi * torch.atan(10 ** (-snr / 20))",
            "math.atan",
        ),
        "sigma for the ratio": ("def find_t(snr):\n    return 2 / math.pi * math.asin(10 ** (-snr / 20))", "not sigma"),
        "natural logarithm": (
            "def find_t(snr):\n    return 2 / math.pi * math.atan(math.exp(-snr / 2))",
            "for log_snr",
        ),
    },
    "03-survivor": {
        "the brightest": ("survivor = 'hihat'\ndef last_t(g):\n    return t_from_snr_db(-max(g))", "widest bands"),
        "the loud one": ("survivor = 'snare'\ndef last_t(g):\n    return t_from_snr_db(-max(g))", "wires of a snare"),
        "only the class": ("survivor = 'kick'\ndef last_t(g):\n    ...", "The class is right"),
        "the band's number": ("survivor = 'kick'\ndef last_t(g):\n    return t_from_snr_db(-g.argmax())", "argmax"),
        "the lead": ("survivor = 'kick'\ndef last_t(g):\n    return max(g)", "That is the lead"),
        "the first band": ("survivor = 'kick'\ndef last_t(g):\n    return t_from_snr_db(-min(g))", "first band"),
        "the sign": ("survivor = 'kick'\ndef last_t(g):\n    return t_from_snr_db(max(g))", "The sign"),
        "the mean": ("survivor = 'kick'\ndef last_t(g):\n    return t_from_snr_db(-torch.mean(g))", "Not the mean"),
    },
}
