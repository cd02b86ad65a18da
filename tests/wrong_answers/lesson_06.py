"""Tempting mistakes in lesson 06, and the hint that each must get."""

FOLD = """def fold(blocks, loud, quiet):
    half = blocks.shape[-1] // 2
    b, a = blocks[..., :-1, half:].flip(-1), blocks[..., 1:, :half]
    folded = blocks.clone()
    folded[..., :-1, half:] = {before}
    folded[..., 1:, :half] = {after}
    return folded"""
IMPULSES = """def orthonormality_error(encode, length_samples):
    Q = encode(torch.eye(2 * length_samples).reshape(-1, 2, length_samples)).flatten(1).T
    error = Q.T @ Q - torch.eye(2 * length_samples)
    return {result}"""

WRONG_ANSWERS = {
    "06-speedup": {
        "frames alone": ("conv_speed_up, attention_speed_up = 64, 64**2", "64 counts the frames alone"),
        "memory": ("conv_speed_up, attention_speed_up = 16, 1024", "16 is how much fewer numbers"),
        "L squared": ("conv_speed_up, attention_speed_up = torch.tensor([4, 64**2])", "4,096 is L² alone"),
        "upside down": ("conv_speed_up, attention_speed_up = 1 / 4, 1 / 1024", "the cost that is left"),
        "exchanged": ("conv_speed_up, attention_speed_up = 1024, 4", "The other way round"),
        "negative": ("conv_speed_up, attention_speed_up = -4, -1024", "a positive number"),
    },
    "06-fold": {
        "not flipped back": (
            FOLD.format(before="loud * b - quiet * a", after="loud * a + quiet * b"),
            "Flip it back",
        ),
        "the opposite angle": (
            FOLD.format(before="(loud * b + quiet * a).flip(-1)", after="loud * a - quiet * b"),
            "opposite angle",
        ),
        "exchanged": (
            FOLD.format(before="(quiet * b - loud * a).flip(-1)", after="quiet * a + loud * b"),
            "are exchanged: near 1",
        ),
        "two pluses": (
            FOLD.format(before="(loud * b + quiet * a).flip(-1)", after="loud * a + quiet * b"),
            "one is a minus",
        ),
        "nothing": (FOLD.format(before="b.flip(-1)", after="a"), "nothing is mixed yet"),
    },
    "06-orthonormal": {
        "lengths only": (
            "def orthonormality_error(encode, length_samples):\n"
            "    x = torch.eye(2 * length_samples).reshape(-1, 2, length_samples)\n"
            "    return (encode(x).flatten(1).norm(dim=1) ** 2 - 1).abs().max()",
            "right angles",
        ),
        "off-diagonals only": (
            IMPULSES.format(result="(error * (1 - torch.eye(len(error)))).abs().max()"),
            "doubles everything",
        ),
        "no identity": (IMPULSES.format(result="(Q.T @ Q).abs().max()"), "near 0"),
        "no abs": (IMPULSES.format(result="error.max()"), "halves everything"),
        "abs of the diagonal only": (
            IMPULSES.format(result="torch.maximum(error.diagonal().abs().max(), error.max())"),
            "more than 90°",
        ),
        "the mean": (IMPULSES.format(result="error.abs().mean()"), "That is the mean"),
        "the spectral norm": (IMPULSES.format(result="torch.linalg.matrix_norm(error, 2)"), "norm of the whole"),
    },
    "06-break": {
        "the sine window": ("window = torch.sin(torch.pi / (2 * M) * (torch.arange(M) + 0.5))", "still comes back"),
        "a constant": ("window = torch.full((M,), 0.5**0.5)", "½ + ½ = 1"),
        "another constant": ("window = torch.full((M,), 0.9)", "changes the level"),
        "both halves": ("window = torch.hann_window(2 * M)", "64 numbers"),
        "the straight ramp": ("window = (torch.arange(M) + 0.5) / M", "straight ramp"),
        "zeros": ("window = torch.zeros(M)", "silence"),
        "a fade-out": ("window = 1 - torch.linspace(0, 1, M) ** 2", "falls somewhere"),
    },
    "06-mend": {
        "crossfade": ("def mend(rise):\n    return rise / (rise + rise.flip(0))", "a crossfade"),
        "unit energy": ("def mend(rise):\n    return rise / rise.norm()", "every single pair"),
        "by its own": ("def mend(rise):\n    return rise / rise.max()", "is not 1 for every n"),
        "always the sine": (
            "def mend(rise):\n    return torch.sin(torch.pi / (2 * M) * (torch.arange(M) + 0.5))",
            "the same window for every",
        ),
        "a constant": ("def mend(rise):\n    return torch.full((M,), 0.5**0.5)", "no fade-in any more"),
    },
    "06-scale": {
        "3 dB of amplitude": ("def pink_rms(level, k):\n    return level / (k + 1)", "6 dB an octave"),
        "the power": ("def pink_rms(level, k):\n    return level**2 / (k + 1)", "the power of each band"),
        "from 1": ("def pink_rms(level, k):\n    return level / torch.sqrt(k)", "divided by zero"),
        "no level": ("def pink_rms(level, k):\n    return 1 / torch.sqrt(k + 1)", "an rms of `level`"),
        "3 dB a band": (
            "def pink_rms(level, k):\n    return level * 10 ** (-3 * k / 20)",
            "from each band to the next",
        ),
        "rising": ("def pink_rms(level, k):\n    return level * torch.sqrt(k + 1)", "That rises"),
    },
}
