"""Exercises, predictions and quiz of lesson 06: patching, the lapped transform, noise, the scale of each band."""

import math
import time
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from tad_course.lessons.check import SOLUTIONS, as_array, as_number, call, close, exercise, expect, expect_none_of
from tad_course.lessons.quiz import Answer, Question
from tad_course.model.transforms import LappedTransform, Patching, sine_window, vorbis_window

PREDICTIONS = {
    "06-predict-cost": ("C", "*What length costs*"),
    "06-predict-error": ("B", "*The same error of level, three times*"),
    "06-predict-white": ("A", "*White noise stays white*"),
    "06-predict-proof": ("C", "*The comparison by training*"),
    "06-predict-window": ("B", "*Break the window and mend it*"),
}


def random_tensor(*shape: int, seed: int = 6) -> Tensor:
    """Return normal noise of a shape, the same for each seed."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def result(answer, shape: tuple[int, ...], *args) -> Tensor:
    """Return what an answer makes of `args`: a float32 tensor of `shape`."""
    value = call(answer, *args)
    expect(isinstance(value, Tensor), "Return a torch tensor: the cells below calculate with it.")
    as_array(value, "result")
    expect(
        tuple(value.shape) == shape, f"The result has the shape {list(value.shape)}, but it should be {list(shape)}."
    )
    expect(value.dtype == torch.float32, f"The result is {value.dtype}; the cells below calculate with torch.float32.")
    return value


# --- the transforms ---


@exercise(
    "06-patch",
    why="Nothing is calculated; the samples of a block are channels now. 512 frames are left of 32,768 samples.",
)
def patch_it(answer):
    for batch, channels, frames, size in ((1, 2, 5, 8), (3, 2, 4, 6), (2, 1, 7, 4)):
        x = random_tensor(batch, channels, frames * size, seed=size)
        shape = (batch, channels * size, frames)
        blocks = x.unflatten(-1, (frames, size))
        value = call(answer, x, size)
        given = list(getattr(value, "shape", ()))
        expect(
            given not in ([batch, channels * frames, size], [batch, frames, channels * size]),
            f"{given}: frames and positions are exchanged. The frames must be the last axis.",
        )
        expect(
            len(given) != 4,
            f"The result has four axes, {given}: join the channels and the positions with .flatten(1, 2).",
        )
        z = result(answer, shape, x, size)
        expect(
            not close(z, x.reshape(shape)) or close(z, patch(x, size)),
            "Only the shape was changed. Neighboring samples must get different channels: exchange the two axes of "
            "the blocks (.transpose) before you join them.",
        )
        mixed = blocks.permute(0, 3, 1, 2).flatten(1, 2)
        expect(
            channels == 1 or not close(z, mixed),
            "Left and right alternate. First all positions of the left channel, then all of the right one.",
        )
        expect(close(z, patch(x, size)), "z[c·size + n, l] should be x[c, l·size + n]: compare one number by hand.")


def patch(x: Tensor, size: int) -> Tensor:
    """Turn [B, C, N] into [B, C·size, N/size]: the solution of 06-patch."""
    blocks = x.unflatten(-1, (-1, size))
    return blocks.transpose(-1, -2).flatten(1, 2)


@exercise(
    "06-fold",
    why="Each pair (b, a) was turned by an angle of its own. So the way back is the same function with the opposite "
    "angle, -quiet.",
)
def fold_it(answer):
    angles = torch.rand(3, generator=torch.Generator().manual_seed(4)) * math.pi / 4
    cases = (
        (random_tensor(1, 2, 5, 8), *halves(vorbis_window(8).float())),
        (random_tensor(3, 4, 6, seed=7), torch.cos(angles), torch.sin(angles)),
    )
    for blocks, loud, quiet in cases:
        judge_fold(result(answer, tuple(blocks.shape), blocks, loud, quiet), blocks, loud, quiet)


def judge_fold(folded: Tensor, blocks: Tensor, loud: Tensor, quiet: Tensor) -> None:
    """Say what is wrong with `folded`, if anything is."""
    half = blocks.shape[-1] // 2
    right = fold(blocks, loud, quiet)
    if close(folded, right):
        return
    expect(not close(folded, blocks), "All blocks came back as they were: nothing is mixed yet.")
    expect(not close(folded, fold(blocks, quiet, loud)), "`loud` and `quiet` are exchanged: near 1 is `loud`.")
    expect(
        not close(folded, fold(blocks, loud, -quiet)),
        "The signs are exchanged: that turns by the opposite angle, which is the way back.",
    )
    not_back = right.clone()
    not_back[..., :-1, half:] = right[..., :-1, half:].flip(-1)
    expect(
        not close(folded, not_back),
        "b' is listed from the border outwards, as b is; in its block it stands the other way round. Flip it back.",
    )
    b, a = blocks[..., :-1, half:].flip(-1), blocks[..., 1:, :half]
    one_after_another = right.clone()
    one_after_another[..., 1:, :half] = loud * a + quiet * (loud * b - quiet * a)
    expect(
        not close(folded, one_after_another),
        "The second line uses b', which is mixed already. Both need b and a from before the mixing.",
    )
    expect(
        close(folded[..., 0, :half], blocks[..., 0, :half]),
        "The first half block has no border before it: it must come back as it was.",
    )
    expect(
        close(folded.square().sum(), blocks.square().sum()),
        "A rotation keeps the energy; yours changes it. Look at the signs: one is a minus. And the whole first line is "
        "turned round, not one of its terms.",
    )
    expect(False, "Write both equations with b and a from *before* the mixing: loud·b - quiet·a, loud·a + quiet·b.")


def fold(blocks: Tensor, loud: Tensor, quiet: Tensor) -> Tensor:
    """Mix the mirror pairs across each border of `[..., L, M]`: the solution of 06-fold."""
    half = blocks.shape[-1] // 2
    b, a = blocks[..., :-1, half:].flip(-1), blocks[..., 1:, :half]
    folded = blocks.clone()
    folded[..., :-1, half:] = (loud * b - quiet * a).flip(-1)
    folded[..., 1:, :half] = loud * a + quiet * b
    return folded


def halves(window: Tensor) -> tuple[Tensor, Tensor]:
    """Return loud and quiet, `[M/2]` each and from the border outwards, of the rising half `window` `[M]`."""
    half = len(window) // 2
    return window[half:], window[:half].flip(0)


@exercise(
    "06-dct",
    why="Rows of length 1, all at right angles: a rotation (with a mirror). The matrix is symmetric and its own "
    "inverse, so one function serves both ways.",
)
def dct_it(answer):
    for size in (8, 12, 64):
        matrix = result(answer, (size, size), size)
        n = torch.arange(size) + 0.5
        product = n[:, None] * n[None, :]
        right = dct_matrix(size)
        expect(
            not close(matrix, torch.cos(math.pi / size * product)),
            "The factor √(2/M) is missing: without it a row has the length √(M/2), not 1.",
        )
        expect(
            not close(matrix, 2 / size * torch.cos(math.pi / size * product)),
            "The factor is 2/M; it should be the root of that, so that each row has the length 1.",
        )
        scale = math.sqrt(2 / size)
        expect(
            not close(matrix, scale * torch.cos(math.pi / size * n[:, None] * (n - 0.5)), atol=1e-4)
            and not close(matrix, scale * torch.cos(math.pi / size * (n - 0.5)[:, None] * n), atol=1e-4),
            "One of the two ½ is missing: both n + ½ and k + ½.",
        )
        expect(
            not close(matrix, scale * torch.cos(math.pi / size * (n - 0.5)[:, None] * (n - 0.5)), atol=1e-4),
            "Both ½ are missing: n + ½ and k + ½.",
        )
        expect(not close(matrix, scale * torch.sin(math.pi / size * product), atol=1e-4), "sin where cos should be.")
        expect(
            not close(matrix, scale * torch.cos(2 * math.pi / size * product), atol=1e-4),
            "π/M in the cosine, not 2π/M: row k has k + ½ *half* waves in a block.",
        )
        expect(close(matrix, right, atol=1e-4), "√(2/M) · cos(π/M · (n + ½)(k + ½)): compare the first number by hand.")


def dct_matrix(size: int) -> Tensor:
    """Return the orthonormal DCT-IV [size, size]: the solution of 06-dct."""
    n = torch.arange(size) + 0.5
    return math.sqrt(2 / size) * torch.cos(math.pi / size * n[:, None] * n[None, :])


def lapped_cases() -> Iterator[tuple[Tensor, Tensor]]:
    """Yield (sounds, window) of several shapes."""
    yield random_tensor(1, 2, 5 * 8), vorbis_window(8).float()
    yield random_tensor(3, 2, 4 * 6, seed=7), sine_window(6).float()
    yield random_tensor(2, 1, 3 * 16, seed=8), vorbis_window(16).float()


@exercise(
    "06-encode",
    why="Fold, then cosines: the transform that AAC, Vorbis and Opus are built on, in four lines.",
)
def encode_it(answer):
    for x, window in lapped_cases():
        size = len(window)
        loud, quiet = halves(window)
        blocks = x.unflatten(-1, (-1, size))
        right = encode(x, window)
        value = call(answer, x, window)
        given = list(getattr(value, "shape", ()))
        batch, rows, frames = right.shape
        expect(
            given not in ([batch, x.shape[1], frames, size], [batch, x.shape[1] * frames, size]),
            f"{given}: the bands must come before the frames. Go on as in `patch`: .transpose(-1, -2).flatten(1, 2).",
        )
        z = result(answer, (batch, rows, frames), x, window)
        if close(z, right, atol=1e-4):
            continue

        def as_z(folded, size=size):
            return (folded @ dct_matrix(size)).transpose(-1, -2).flatten(1, 2)

        slips = {
            "The blocks are not folded: these are the cosines of each block alone.": as_z(blocks),
            "The blocks are folded, but their cosines are missing: multiply by dct_matrix(M).": patch(
                fold(blocks, loud, quiet).flatten(-2), size
            ),
            "`quiet` is listed from the border outwards: the first half of the window, turned round (.flip(0)).": as_z(
                fold(blocks, loud, quiet.flip(0))
            ),
            "`loud` is the upper half of the window, near 1; `quiet` comes from the lower half.": as_z(
                fold(blocks, quiet.flip(0), loud)
            ),
            "`loud` and `quiet` are exchanged: `loud` is the upper half of the window.": as_z(
                fold(blocks, quiet, loud)
            ),
            "First the fold, then the cosines; yours is the other way round.": fold(
                blocks @ dct_matrix(size), loud, quiet
            )
            .transpose(-1, -2)
            .flatten(1, 2),
            "-quiet turns the other way: that is for the way back.": as_z(fold(blocks, loud, -quiet)),
            "Frames and bands are mixed up: .transpose(-1, -2) before .flatten(1, 2).": (
                fold(blocks, loud, quiet) @ dct_matrix(size)
            ).reshape(right.shape),
        }
        expect_none_of(z, slips, atol=1e-4)
        expect(False, "Four steps: blocks (.unflatten), fold, @ dct_matrix(M), and the axes as in `patch`.")


def encode(x: Tensor, window: Tensor) -> Tensor:
    """Turn sounds [B, C, N] into coefficients [B, C·M, N/M]: the solution of 06-encode."""
    size = len(window)
    loud, quiet = window[size // 2 :], window[: size // 2].flip(0)
    blocks = x.unflatten(-1, (-1, size))
    z = fold(blocks, loud, quiet) @ dct_matrix(size)
    return z.transpose(-1, -2).flatten(1, 2)


@exercise(
    "06-decode",
    why="Opposite rotations in the opposite order: every sample comes back, up to rounding.",
)
def decode_it(answer):
    for x, window in lapped_cases():
        size = len(window)
        loud, quiet = halves(window)
        z = encode(x, window)
        back = result(answer, tuple(x.shape), z, window)
        if close(back, x, atol=1e-4):
            continue
        folded = z.unflatten(1, (-1, size)).transpose(-1, -2)
        blocks = folded @ dct_matrix(size)
        slips = {
            "The cosines are undone; the fold is not.": blocks.flatten(-2),
            "The fold is undone with +quiet, which turns further. The way back is -quiet.": fold(
                blocks, loud, quiet
            ).flatten(-2),
            "The opposite order: first undo the cosines, then the fold.": (
                fold(folded, loud, -quiet) @ dct_matrix(size)
            ).flatten(-2),
            "The fold is undone, the cosines are not: multiply by dct_matrix(M) first.": fold(
                folded, loud, -quiet
            ).flatten(-2),
            "`loud` and `quiet` are exchanged: `loud` is the upper half of the window.": fold(
                blocks, quiet, -loud
            ).flatten(-2),
            "`quiet` is listed from the border outwards: turn the lower half of the window round.": fold(
                blocks, loud, -quiet.flip(0)
            ).flatten(-2),
            "Frames and bands are mixed up: .unflatten(1, (-1, M)), then .transpose(-1, -2).": fold(
                z.reshape(folded.shape) @ dct_matrix(size), loud, -quiet
            ).flatten(-2),
        }
        expect_none_of(back, slips, atol=1e-4)
        expect(False, "The sound does not come back. Undo the steps of `encode` one by one, the last one first.")


def decode(z: Tensor, window: Tensor) -> Tensor:
    """Turn coefficients [B, C·M, L] back into sounds [B, C, L·M]: the solution of 06-decode."""
    size = len(window)
    loud, quiet = window[size // 2 :], window[: size // 2].flip(0)
    blocks = z.unflatten(1, (-1, size)).transpose(-1, -2) @ dct_matrix(size)
    return fold(blocks, loud, -quiet).flatten(-2)


# --- what the transforms do to noise ---


@exercise(
    "06-orthonormal",
    why="Every unit impulse becomes a vector of length 1, at a right angle to all others: a rotation. Noise that is "
    "white before it is white after it.",
)
def orthonormal(answer):
    def measure(encode: Callable) -> float:
        return as_number(call(answer, encode, 4 * 8), "error")

    def by(matrix: Tensor) -> Callable:  # a transform [B, 2, N] -> [B, 16, N / 8]
        return lambda x: torch.einsum("ij,bjl->bil", matrix, Patching(8).encode(x))

    def with_columns(*columns: tuple[float, ...]) -> Callable:
        matrix = torch.eye(16)
        for number, column in enumerate(columns):
            matrix[: len(column), number] = torch.tensor(column)
        return by(matrix)

    louder, quieter = by(2 * torch.eye(16)), by(0.5 * torch.eye(16))
    leaning, opposed = with_columns((1.0,), (0.6, 0.8)), with_columns((1.0,), (-0.6, 0.8))
    expect(abs(measure(LappedTransform(8).encode)) < 1e-3, "For the lapped transform the error should be near 0.")
    doubled = measure(louder)
    expect(not close(doubled, 3 / 64), "That is the mean of QᵀQ - I: one bad pair hides in it. Take the largest entry.")
    expect(doubled > 0.5, "A transform that doubles everything got through: compare with 1 on the diagonal.")
    expect(
        measure(leaning) > 0.1, "Lengths of 1 are half of it: columns must also stand at right angles to each other."
    )
    without_abs = "got through: entries of QᵀQ - I can be below 0. Take absolute values first."
    expect(measure(quieter) > 0.5, f"A transform that halves everything {without_abs}")
    expect(measure(opposed) > 0.1, f"A transform whose columns lie at more than 90° {without_abs}")
    expect(
        not close(measure(leaning), 0.36, rtol=0.01), "That is the largest *square* of an entry. Take absolute values."
    )
    random_ones = [by(random_tensor(16, 16, seed=seed) * strength) for seed, strength in ((1, 0.1), (2, 0.4), (3, 2.0))]
    for encode in (louder, quieter, leaning, opposed, *random_ones):
        hint = "That is a norm of the whole matrix QᵀQ - I. Take the largest absolute value of a single entry."
        expect(close(measure(encode), orthonormality_error(encode, 4 * 8), rtol=0.01), hint)

    def by_length(x: Tensor) -> Tensor:
        return Patching(8).encode(x) * math.sqrt(x.shape[-1] / 16)

    hint = "The impulses must be as long as `length_samples` says, not always of one length."
    for length in (32, 64):
        right = orthonormality_error(by_length, length)
        expect(close(as_number(call(answer, by_length, length), "error"), right, rtol=0.01), hint)


def orthonormality_error(encode, length_samples: int) -> Tensor:
    """Return the largest absolute entry of QᵀQ - I: the solution of 06-orthonormal."""
    impulses = torch.eye(2 * length_samples).reshape(-1, 2, length_samples)
    q = encode(impulses).flatten(1).T
    return (q.T @ q - torch.eye(q.shape[1])).abs().max()


@exercise(
    "06-scale",
    why="One number and one slope stand for the levels of 64 bands. The model divides by this scale, adds noise, and "
    "multiplies by it on the way back.",
)
def scale_it(answer):
    for size, level in ((64, 0.14), (8, 0.5), (12, 2.0)):
        scale = result(answer, (2 * size, 1), size, level)[:, 0]
        k = torch.arange(size)
        mid, side = scale[:size], scale[size:]
        expect(
            not close(mid, side) or not close(scale, (k + 1.0).repeat(2) ** -0.5),
            "The lowest band should have an rms of `level`.",
        )
        whole = level * (torch.arange(2 * size) + 1.0) ** -0.5
        expect(
            not close(scale, whole),
            "The side bands begin again at k = 0: the scale of mid, and the same once more (.repeat(2)).",
        )
        expect(
            not close(scale, (level * (k + 1.0) ** -0.5).repeat_interleave(2)),
            "First all bands of mid, then all bands of side: .repeat(2), not every number twice.",
        )
        slips = {
            "That falls by 6 dB an octave. 3 dB is half the *power*, and the rms is the root of the power.": level
            / (k + 1),
            "That is the power of each band. Wanted is its root, the rms.": level**2 / (k + 1),
            "That rises. Drums get softer towards the treble.": level * (k + 1) ** 0.5,
            "That loses 3 dB from each band to the next; an octave is twice the frequency, k + 1 twice as large.": level
            * 10 ** (-3 * k / 20),
        }
        for hint, slip in slips.items():
            expect(not close(mid, slip), hint)
        expect(not close(mid, level * 2 ** (-k / 2)), list(slips)[-1])
        right = pink_scale(size, level)[:, 0]
        nearly = (scale / right - 1).abs().max() < 0.01  # 3 dB is not quite half the power
        expect(nearly, "Twice k + 1, half the power: which power of k + 1 is that?")


def pink_scale(size: int, level: float) -> Tensor:
    """Return the expected rms [2·size, 1] of the bands of mid and side: the solution of 06-scale."""
    k = torch.arange(size)
    return (level / torch.sqrt(k + 1.0)).repeat(2)[:, None]


@exercise(
    "06-mend",
    why="Any fade-in can be made into a window for perfect reconstruction (Princen & Bradley, 1986); which one you "
    "take decides how well bands are kept apart.",
)
def mend_it(answer):
    windows = []
    for size, power, seed in ((64, 1, 1), (64, 4, 2), (16, 0.5, 3), (10, 2, 4)):
        steps = torch.rand(size, generator=torch.Generator().manual_seed(seed)) + 0.1
        rise = (steps.cumsum(0) / steps.sum()) ** power
        window = result(answer, (size,), rise)
        windows.append(window)
        squares = window**2 + window.flip(0) ** 2
        expect(
            not close(window + window.flip(0), torch.ones(size)),
            "Yours sums to 1 with its mirror image, as a crossfade does. But the window acts twice, on the way in and "
            "on the way out: it is the squares that must sum to 1.",
        )
        expect(
            not close((window**2).sum(), 1.0),
            "The whole window has energy 1; what is needed is 1 for every single pair n and M - 1 - n.",
        )
        expect(window.max() - window.min() > 1e-3, "A constant √½ is no fade-in any more: the rise is lost.")
        ignored = close(window, sine_window(size)) or close(window, vorbis_window(size))
        ignored = ignored or (len(windows) == 2 and close(*windows))
        expect(
            not ignored, "Yours returns the same window for every `rise`. Mend the one that is given: keep its ratios."
        )
        expect(close(squares, torch.ones(size)), "w[n]² + w[M - 1 - n]² is not 1 for every n.")
        expect(
            close(window * rise.flip(0), window.flip(0) * rise, atol=1e-3),
            "The squares sum to 1, but w[n] / w[M - 1 - n] is not rise[n] / rise[M - 1 - n]. Divide both numbers of a "
            "pair by the same number.",
        )
        expect(window.min() >= 0, "A fade-in has no negative numbers.")


def mend(rise: Tensor) -> Tensor:
    """Return a window [M] with w[n]² + w[M-1-n]² = 1 that keeps the ratio of each pair: the solution of 06-mend."""
    return rise / torch.sqrt(rise**2 + rise.flip(0) ** 2)


SOLUTIONS |= {
    "06-patch": patch,
    "06-fold": fold,
    "06-dct": dct_matrix,
    "06-encode": encode,
    "06-decode": decode,
    "06-orthonormal": orthonormality_error,
    "06-scale": pink_scale,
    "06-mend": mend,
}


@torch.no_grad()
def evaluation_ms(model) -> float:
    """Return the processor time in ms of one network evaluation of an `AudioDiffusion` for one sound, best of three."""
    denoise, x_t, took = model.denoiser(), torch.randn(1, *model.shape), []
    for _ in range(3):
        start = time.process_time()
        denoise(x_t, 0.5)
        took.append(time.process_time() - start)
    return 1000 * min(took)


QUIZ = (
    Question(
        "Two equal networks, trained for as long, one on patches, one on lapped coefficients. Why does the first hiss?",
        (
            Answer(
                "It was trained worse: its loss is higher.",
                "Their losses are not even comparable: each counts other numbers. What counts is what an error of one "
                "number sounds like.",
            ),
            Answer(
                "A number of patching is a sample: each error holds all frequencies.",
                "An error in one lapped coefficient is a short wave in its own band; and a quiet band is multiplied by "
                "a small scale on the way back.",
                right=True,
            ),
            Answer(
                "Patching loses the treble of the sound.",
                "It loses nothing: it only moves samples, and its way back is exact.",
            ),
        ),
    ),
    Question(
        "Why is diffusion of the coefficients of an orthonormal transform still diffusion of the waveform?",
        (
            Answer(
                "Because the transform throws phase away.",
                "No, it keeps it: the waveform comes back up to rounding. A magnitude spectrogram would throw it away.",
            ),
            Answer(
                "Because it has as many numbers out as in.",
                "So has one that doubles every number, and noise is no longer of variance 1 after that.",
            ),
            Answer(
                "Because white noise stays white, and x_t turns with it.",
                "A rotation maps alpha·x_0 + sigma·eps to alpha·z_0 + sigma·eps', and eps' has the same distribution "
                "as eps.",
                right=True,
            ),
        ),
    ),
    Question(
        "The pink scale divides band k by level / √(k + 1). What does it change?",
        (
            Answer(
                "The treble counts in the loss too; and the noise is pink in the waveform.",
                "White noise is added to the scaled coefficients, and multiplied by the scale on the way back.",
                right=True,
            ),
            Answer(
                "Nothing: it is undone exactly after the network.",
                "The sound comes back exactly, yes. But the loss and the noise live in between.",
            ),
            Answer(
                "It is a rotation too, so noise stays white.",
                "No: it stretches each axis by another factor. After it, noise of variance 1 is pink in the waveform.",
            ),
        ),
    ),
)
