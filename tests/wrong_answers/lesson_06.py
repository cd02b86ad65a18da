"""Tempting mistakes in lesson 06, and the hint that each must get."""

FOLD = """def fold(blocks, loud, quiet):
    half = blocks.shape[-1] // 2
    b, a = blocks[..., :-1, half:].flip(-1), blocks[..., 1:, :half]
    folded = blocks.clone()
    folded[..., :-1, half:] = {before}
    folded[..., 1:, :half] = {after}
    return folded"""
DCT = """def dct_matrix(size):
    n = torch.arange(size) + 0.5
    return {result}"""
ENCODE = """def encode(x, window):
    M = len(window)
    loud, quiet = {halves}
    blocks = x.unflatten(-1, (-1, M))
    z = {z}
    return {result}"""
HALVES = "window[M // 2 :], window[: M // 2].flip(0)"
CODED = "fold(blocks, loud, quiet) @ dct_matrix(M)"
CHANNELS = "z.transpose(-1, -2).flatten(1, 2)"
DECODE = """def decode(z, window):
    M = len(window)
    loud, quiet = window[M // 2 :], window[: M // 2].flip(0)
    z = z.unflatten(1, (-1, M)).transpose(-1, -2)
    return {result}.flatten(-2)"""
IMPULSES = """def orthonormality_error(encoder, length_samples):
    Q = encoder(torch.eye(2 * length_samples).reshape(-1, 2, length_samples)).flatten(1).T
    error = Q.T @ Q - torch.eye(2 * length_samples)
    return {result}"""
SCALE = """def pink_scale(size, level):
    k = torch.arange(size)
    return ({rms}).repeat(2)[:, None]"""

WRONG_ANSWERS = {
    "06-patch": {
        "no transpose": (
            "def patch(x, size):\n    return x.unflatten(-1, (-1, size)).flatten(1, 2)",
            "frames must be the last axis",
        ),
        "reshape": (
            "def patch(x, size):\n    return x.reshape(len(x), -1, x.shape[-1] // size)",
            "Only the shape was changed",
        ),
        "no flatten": (
            "def patch(x, size):\n    return x.unflatten(-1, (-1, size)).transpose(-1, -2)",
            "four axes",
        ),
        "left and right alternate": (
            "def patch(x, size):\n    return x.unflatten(-1, (-1, size)).permute(0, 3, 1, 2).flatten(1, 2)",
            "alternate",
        ),
        "numpy": (
            "def patch(x, size):\n    z = x.unflatten(-1, (-1, size)).transpose(-1, -2).flatten(1, 2)\n"
            "    return z.numpy()",
            "torch tensor",
        ),
    },
    "06-fold": {
        "not flipped back": (
            FOLD.format(before="loud * b - quiet * a", after="loud * a + quiet * b"),
            "Flip it back",
        ),
        "one term flipped back": (
            FOLD.format(before="(loud * b).flip(-1) - quiet * a", after="loud * a + quiet * b"),
            "not one of its terms",
        ),
        "the opposite angle": (
            FOLD.format(before="(loud * b + quiet * a).flip(-1)", after="loud * a - quiet * b"),
            "opposite angle",
        ),
        "exchanged": (
            FOLD.format(before="(quiet * b - loud * a).flip(-1)", after="quiet * a + loud * b"),
            "are exchanged: near 1",
        ),
        "b' in the second line": (
            FOLD.format(
                before="(loud * b - quiet * a).flip(-1)",
                after="loud * a + quiet * folded[..., :-1, half:].flip(-1)",
            ),
            "mixed already",
        ),
        "nothing": (FOLD.format(before="b.flip(-1)", after="a"), "nothing is mixed yet"),
        "in place": (
            "def fold(blocks, loud, quiet):\n"
            "    half = blocks.shape[-1] // 2\n"
            "    b, a = blocks[..., :-1, half:].flip(-1), blocks[..., 1:, :half].clone()\n"
            "    blocks[..., :-1, half:] = (loud * b - quiet * a).flip(-1)\n"
            "    blocks[..., 1:, :half] = loud * a + quiet * b\n"
            "    return blocks",
            "changes what it is given",
        ),
    },
    "06-dct": {
        "no factor": (DCT.format(result="torch.cos(math.pi / size * n[:, None] * n)"), "is missing: without it"),
        "factor 2/M": (
            DCT.format(result="2 / size * torch.cos(math.pi / size * n[:, None] * n)"),
            "the root of that",
        ),
        "the DCT-II": (
            DCT.format(result="math.sqrt(2 / size) * torch.cos(math.pi / size * n[:, None] * (n - 0.5))"),
            "One of the two",
        ),
        "no halves": (
            DCT.format(result="math.sqrt(2 / size) * torch.cos(math.pi / size * (n - 0.5)[:, None] * (n - 0.5))"),
            "Both ½ are missing",
        ),
        "sines": (
            DCT.format(result="math.sqrt(2 / size) * torch.sin(math.pi / size * n[:, None] * n)"),
            "sin where cos",
        ),
        "2π": (
            DCT.format(result="math.sqrt(2 / size) * torch.cos(2 * math.pi / size * n[:, None] * n)"),
            "half* waves",
        ),
        "one row": (DCT.format(result="math.sqrt(2 / size) * torch.cos(math.pi / size * n * n)"), "the shape"),
        "double": (
            DCT.format(result="math.sqrt(2 / size) * torch.cos(math.pi / size * n[:, None] * n).double()"),
            "float32",
        ),
    },
    "06-encode": {
        "no transpose": (ENCODE.format(halves=HALVES, z=CODED, result="z.flatten(1, 2)"), "before the frames"),
        "no fold": (
            ENCODE.format(halves=HALVES, z="blocks @ dct_matrix(M)", result=CHANNELS),
            "The blocks are not folded",
        ),
        "no cosines": (
            ENCODE.format(halves=HALVES, z="fold(blocks, loud, quiet)", result=CHANNELS),
            "cosines are missing",
        ),
        "quiet not turned round": (
            ENCODE.format(halves="window[M // 2 :], window[: M // 2]", z=CODED, result=CHANNELS),
            "turned round",
        ),
        "the lower half is loud": (
            ENCODE.format(halves="window[: M // 2], window[M // 2 :]", z=CODED, result=CHANNELS),
            "comes from the lower half",
        ),
        "cosines first": (
            ENCODE.format(halves=HALVES, z="fold(blocks @ dct_matrix(M), loud, quiet)", result=CHANNELS),
            "the other way round",
        ),
        "the opposite angle": (
            ENCODE.format(halves=HALVES, z="fold(blocks, loud, -quiet) @ dct_matrix(M)", result=CHANNELS),
            "for the way back",
        ),
        "reshape": (
            ENCODE.format(halves=HALVES, z=CODED, result="z.reshape(len(x), -1, x.shape[-1] // M)"),
            "mixed up",
        ),
    },
    "06-decode": {
        "no unfolding": (DECODE.format(result="(z @ dct_matrix(M))"), "the fold is not"),
        "further": (DECODE.format(result="fold(z @ dct_matrix(M), loud, quiet)"), "turns further"),
        "the same order": (DECODE.format(result="(fold(z, loud, -quiet) @ dct_matrix(M))"), "opposite order"),
        "no cosines": (DECODE.format(result="fold(z, loud, -quiet)"), "the cosines are not"),
        "exchanged": (DECODE.format(result="fold(z @ dct_matrix(M), quiet, -loud)"), "are exchanged"),
        "still four axes": (
            DECODE.format(result="fold(z @ dct_matrix(M), loud, -quiet)").removesuffix(".flatten(-2)"),
            "but it should be",
        ),
    },
    "06-orthonormal": {
        "lengths only": (
            "def orthonormality_error(encoder, length_samples):\n"
            "    x = torch.eye(2 * length_samples).reshape(-1, 2, length_samples)\n"
            "    return (encoder(x).flatten(1).norm(dim=1) ** 2 - 1).abs().max()",
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
        "always 64 samples": (
            "def orthonormality_error(encoder, length_samples):\n"
            "    Q = encoder(torch.eye(128).reshape(-1, 2, 64)).flatten(1).T\n"
            "    return (Q.T @ Q - torch.eye(128)).abs().max()",
            "not always of one length",
        ),
        "squares": (IMPULSES.format(result="error.square().max()"), "largest *square*"),
    },
    "06-scale": {
        "3 dB of amplitude": (SCALE.format(rms="level / (k + 1)"), "6 dB an octave"),
        "the power": (SCALE.format(rms="level**2 / (k + 1)"), "the power of each band"),
        "from 1": (SCALE.format(rms="level / torch.sqrt(k)"), "divided by zero"),
        "no level": (SCALE.format(rms="1 / torch.sqrt(k + 1)"), "an rms of `level`"),
        "3 dB a band": (SCALE.format(rms="level * 10 ** (-3 * k / 20)"), "from each band to the next"),
        "rising": (SCALE.format(rms="level * torch.sqrt(k + 1)"), "That rises"),
        "mid alone": (
            "def pink_scale(size, level):\n    return (level / torch.sqrt(torch.arange(size) + 1))[:, None]",
            "the shape",
        ),
        "side goes on": (
            "def pink_scale(size, level):\n    return (level / torch.sqrt(torch.arange(2 * size) + 1))[:, None]",
            "begin again",
        ),
        "each twice": (
            "def pink_scale(size, level):\n"
            "    return (level / torch.sqrt(torch.arange(size) + 1)).repeat_interleave(2)[:, None]",
            "not every number twice",
        ),
    },
    "06-mend": {
        "crossfade": ("def mend(rise):\n    return rise / (rise + rise.flip(0))", "a crossfade"),
        "unit energy": ("def mend(rise):\n    return rise / rise.norm()", "every single pair"),
        "by its own": ("def mend(rise):\n    return rise / rise.max()", "is not 1 for every n"),
        "always the sine": (
            "def mend(rise):\n    M = len(rise)\n    return torch.sin(torch.pi / (2 * M) * (torch.arange(M) + 0.5))",
            "the same window for every",
        ),
        "the sine, a little steeper": (
            "def mend(rise):\n    M = len(rise)\n    u = torch.sin(torch.pi / (2 * M) * (torch.arange(M) + 0.5)) ** 3\n"
            "    return u / torch.sqrt(u**2 + u.flip(0) ** 2)",
            "the same number",
        ),
        "a constant": ("def mend(rise):\n    return torch.full((len(rise),), 0.5**0.5)", "no fade-in any more"),
    },
}
