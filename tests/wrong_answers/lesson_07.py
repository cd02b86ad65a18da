"""Mistakes that tempt in lesson 07: exercise -> title -> (source, a piece of the hint it must get)."""

DEF = "def training_loss(net, x_0, t, eps, weight):\n    "
LOSS = DEF + "x_t = q_sample(x_0, t, eps)\n    v = v_from_x_0(x_0, eps, t)\n    return "
OWN_NOISE = DEF + (
    "eps = torch.randn_like(x_0)\n    x_t, v = q_sample(x_0, t, eps), v_from_x_0(x_0, eps, t)\n"
    "    return (weight * (net(x_t, t) - v).square()).mean()"
)
TURNED = DEF + (
    "x_t, v = q_sample(x_0, 1 - t, eps), v_from_x_0(x_0, eps, 1 - t)\n"
    "    return (weight * (net(x_t, 1 - t) - v).square()).mean()"
)
SWAPPED = DEF + (
    "x_t, v = q_sample(eps, t, x_0), v_from_x_0(x_0, eps, t)\n    return (weight * (net(x_t, t) - v).square()).mean()"
)
MIXED_ORDER = DEF + (
    "x_t, v = q_sample(x_0, eps, t), v_from_x_0(x_0, eps, t)\n    return (weight * (net(x_t, t) - v).square()).mean()"
)

WRONG_ANSWERS = {
    "07-loss": {
        "clean input": (LOSS + "(weight * (net(x_0, t) - v).square()).mean()", "clean sound"),
        "target eps": (LOSS + "(weight * (net(x_t, t) - eps).square()).mean()", "compares with eps"),
        "target x_0": (LOSS + "(weight * (net(x_t, t) - x_0).square()).mean()", "compares with x_0"),
        "own noise": (OWN_NOISE, "draw none"),
        "x_0 and eps swapped": (SWAPPED, "are swapped"),
        "order of arguments": (MIXED_ORDER, "Shapes do not fit"),
        "mean before square": (LOSS + "(weight * (net(x_t, t) - v)).mean().square()", "before the square"),
        "time turned round": (TURNED, "another mixture"),
        "root": (LOSS + "(weight * (net(x_t, t) - v).square()).mean().sqrt()", "RMSE"),
        "half": (LOSS + "0.5 * (weight * (net(x_t, t) - v).square()).mean()", "leave the ½ out"),
        "sum": (LOSS + "(weight * (net(x_t, t) - v).square()).sum()", "sum of the squares"),
        "no square": (LOSS + "(weight * (net(x_t, t) - v).abs()).mean()", "mean distance"),
        "no weight": (LOSS + "(net(x_t, t) - v).square().mean()", "weight is missing"),
        "weight inside the square": (LOSS + "(weight * (net(x_t, t) - v)).square().mean()", "counts twice"),
        "no gradient": (LOSS + "(weight * (net(x_t, t) - v).square()).mean().item()", "no gradient"),
    },
    "07-ema": {
        "swapped": (
            "def ema(average, weights, decay):\n    return decay * weights + (1 - decay) * average",
            "old average",
        ),
        "shares above one": ("def ema(average, weights, decay):\n    return decay * average + weights", "sum to 1"),
        "plain mean": ("def ema(average, weights, decay):\n    return (average + weights) / 2", "plain mean"),
        "weights changed": (
            "def ema(average, weights, decay):\n    weights *= 1 - decay\n    return decay * average + weights",
            "in place",
        ),
    },
    "07-keep": {
        "the rest": ("def share_left(decay, num_steps):\n    return 1 - decay**num_steps", "came later"),
        "straight line": (
            "def share_left(decay, num_steps):\n    return 1 - num_steps * (1 - decay)",
            "what is *left*",
        ),
        "product": ("def share_left(decay, num_steps):\n    return decay * num_steps", "above 1"),
        "one step short": (
            "def share_left(decay, num_steps):\n    return decay ** (num_steps - 1)",
            "One step too few",
        ),
    },
    "07-curve": {
        "training loss only": ('diagnosis = {"A": "longer", "B": "too-fast", "C": "longer"}', "held-out"),
        "all patience": ('diagnosis = {"A": "overfit", "B": "longer", "C": "longer"}', "second half"),
        "all over-fitted": ('diagnosis = {"A": "overfit", "B": "too fast", "C": "overfit"}', "lie on each other"),
    },
}
