"""Mistakes that tempt in lesson 07: exercise -> title -> (source, a piece of the hint it must get)."""

LOSS = "def training_loss(net, x_0, t, eps):\n    x_t = q_sample(x_0, t, eps)\n    return "

WRONG_ANSWERS = {
    "07-loss": {
        "clean input": (
            "def training_loss(net, x_0, t, eps):\n    return (net(x_0, t) - v_from_x_0(x_0, eps, t)).square().mean()",
            "clean sound",
        ),
        "target eps": (LOSS + "(net(x_t, t) - eps).square().mean()", "asked for v"),
        "target x_0": (LOSS + "(net(x_t, t) - x_0).square().mean()", "compares with x_0"),
        "sum": (LOSS + "(net(x_t, t) - v_from_x_0(x_0, eps, t)).square().sum()", "sum of the squares"),
        "no square": (LOSS + "(net(x_t, t) - v_from_x_0(x_0, eps, t)).abs().mean()", "square it"),
    },
    "07-ema": {
        "swapped": (
            "def ema(average, weights, decay):\n    return decay * weights + (1 - decay) * average",
            "old average",
        ),
        "shares above one": ("def ema(average, weights, decay):\n    return decay * average + weights", "sum to 1"),
        "plain mean": ("def ema(average, weights, decay):\n    return (average + weights) / 2", "plain mean"),
    },
    "07-keep": {
        "the rest": ("def share_left(decay, num_steps):\n    return 1 - decay**num_steps", "came later"),
        "straight line": (
            "def share_left(decay, num_steps):\n    return 1 - num_steps * (1 - decay)",
            "what is *left*",
        ),
        "product": ("def share_left(decay, num_steps):\n    return decay * num_steps", "above 1"),
    },
    "07-curve": {
        "training loss only": ('diagnosis = {"A": "longer", "B": "too-fast", "C": "longer"}', "held-out"),
        "all patience": ('diagnosis = {"A": "overfit", "B": "longer", "C": "longer"}', "second half"),
        "all over-fitted": ('diagnosis = {"A": "overfit", "B": "too-fast", "C": "overfit"}', "lie on each other"),
    },
}
