"""Tempting mistakes in lesson 06, and the hint that each must get."""

WRONG_ANSWERS = {
    "06-speedup": {
        "frames alone": ("conv_speed_up, attention_speed_up = 1024, 1024**2", "1,024 counts the frames alone"),
        "memory": ("conv_speed_up, attention_speed_up = 128, 131072", "128 is the memory"),
        "L squared": ("conv_speed_up, attention_speed_up = 16, 1024**2", "1,048,576 is L²"),
        "upside down": ("conv_speed_up, attention_speed_up = 1 / 16, 1 / 131072", "the cost that is left"),
    },
    "06-orthonormal": {
        "lengths only": (
            "def orthonormality_error(encode, length_samples):\n"
            "    x = torch.eye(2 * length_samples).reshape(-1, 2, length_samples)\n"
            "    return (encode(x).flatten(1).norm(dim=1) - 1).abs().max()",
            "right angles",
        ),
        "off-diagonals only": (
            "def orthonormality_error(encode, length_samples):\n"
            "    x = torch.eye(2 * length_samples).reshape(-1, 2, length_samples)\n"
            "    Q = encode(x).flatten(1).T\n"
            "    return ((Q.T @ Q) * (1 - torch.eye(len(Q)))).abs().max()",
            "doubles everything",
        ),
        "no identity": (
            "def orthonormality_error(encode, length_samples):\n"
            "    x = torch.eye(2 * length_samples).reshape(-1, 2, length_samples)\n"
            "    Q = encode(x).flatten(1).T\n"
            "    return (Q.T @ Q).abs().max()",
            "near 0",
        ),
    },
    "06-break": {
        "the sine window": ("window = torch.sin(torch.pi / (2 * M) * (torch.arange(M) + 0.5))", "still comes back"),
        "a constant": ("window = torch.full((M,), 0.5**0.5)", "½ + ½ = 1"),
        "both halves": ("window = torch.hann_window(2 * M)", "64 numbers"),
    },
    "06-mend": {
        "crossfade": ("def mend(rise):\n    return rise / (rise + rise.flip(0))", "a crossfade"),
        "unit energy": ("def mend(rise):\n    return rise / rise.norm()", "every single pair"),
        "by its own": ("def mend(rise):\n    return rise / rise.max()", "is not 1 for every n"),
    },
    "06-join": {
        "a plain product": (
            "def join(shape, gain, spread_to):\n    return shape * (spread_to @ gain)",
            "make factors of them",
        ),
        "a sum": (
            "def join(shape, gain, spread_to):\n    return shape + spread_to @ gain",
            "if the shapes were logarithms",
        ),
        "decibels": (
            "def join(shape, gain, spread_to):\n    return shape * 10 ** (spread_to @ gain / 20)",
            "natural logarithms",
        ),
        "split again": (
            "def join(shape, gain, spread_to):\n    return shape / (spread_to @ gain).exp()",
            "splits a second time",
        ),
    },
}
