"""Exercises and quiz of lesson 06: what length costs, folding, orthonormality, windows, the scale of each band."""

import time

import torch
from torch import Tensor

from tad_course.audio.spectra import error_db
from tad_course.lessons.check import SOLUTIONS, as_array, as_number, as_signal, call, close, exercise, expect
from tad_course.lessons.quiz import Answer, Question
from tad_course.model.transforms import LappedTransform, Patching, band_scale, vorbis_window

BLOCK_SIZE = 64


@exercise(
    "06-speedup",
    why="The convolution needs 4 times fewer multiplications, attention 1,024 times fewer. That is why attention "
    "waits until a signal is short.",
)
def speed_up(answer):
    expect(not callable(answer), "Hand over two numbers, not a function.")
    numbers = as_array(answer, "speed-ups").reshape(-1)
    expect(numbers.size == 2, "Hand over both numbers: (convolution, attention).")
    convolution, attention = numbers.real
    expect(min(numbers.real) > 0, "A speed-up is a positive number: the old cost divided by the new one.")
    upside_down = convolution < 1 or attention < 1
    expect(not upside_down, "That is the cost that is left; a speed-up is the old cost divided by the new one.")
    expect(not close(numbers, [1024, 4]), "The other way round: first the convolution, then attention.")
    expect(not close(convolution, 64), "64 counts the frames alone; the channels grew from 32 to 128, and count as C².")
    expect(
        not close(convolution, 16), "16 is how much fewer numbers there are, C·L; a convolution multiplies C²·L times."
    )
    expect(close(convolution, 4), "Put both pairs (C, L) into 3·C²·L and divide the first by the second.")
    expect(
        not close(attention, 64**2),
        "4,096 is L² alone; each of its comparisons multiplies C numbers, 32 before and 128 now.",
    )
    expect(close(attention, 1024), "Put both pairs (C, L) into C·L² and divide the first by the second.")


@exercise(
    "06-fold",
    why="Each pair (b, a) was turned by an angle of its own, and nothing else happened. So the way back is the same "
    "function with the opposite angle, -quiet.",
)
def fold_it(answer):
    blocks = torch.randn(1, 2, 5, 8, generator=torch.Generator().manual_seed(6))
    loud, quiet = halves(vorbis_window(8).float())
    folded = torch.as_tensor(as_signal(call(answer, blocks, loud, quiet), (1, 2, 5, 8), "result")).float()
    right = fold(blocks, loud, quiet)
    expect(not close(folded, blocks), "All blocks came back as they were: nothing is mixed yet.")
    expect(not close(folded, fold(blocks, quiet, loud)), "`loud` and `quiet` are exchanged: near 1 is `loud`.")
    expect(
        not close(folded, fold(blocks, loud, -quiet)),
        "The signs are exchanged: that turns by the opposite angle, which is the way back.",
    )
    expect(
        not close(folded, fold(blocks, loud, quiet, flip_back=False)),
        "b' is listed from the border outwards, as b is; in its block it stands the other way round. Flip it back.",
    )
    expect(
        not close(folded[..., 0, :4], 0 * folded[..., 0, :4]) and close(folded[..., 0, :4], blocks[..., 0, :4]),
        "The first half block has no border before it: it must come back as it was.",
    )
    lengths = folded.square().sum(), blocks.square().sum()
    expect(
        close(*lengths),
        "A rotation keeps the energy; yours changes it. Look at the signs: one is a minus. And the whole first line is "
        "turned round, not one of its terms.",
    )
    expect(close(folded, right), "Write both equations with b and a from *before* the mixing: loud·b - quiet·a, …")


def fold(blocks: Tensor, loud: Tensor, quiet: Tensor, flip_back: bool = True) -> Tensor:
    """Mix the mirror pairs across each border of `[..., L, M]`: the solution of 06-fold."""
    half = blocks.shape[-1] // 2
    b, a = blocks[..., :-1, half:].flip(-1), blocks[..., 1:, :half]
    folded = blocks.clone()
    before = loud * b - quiet * a
    folded[..., :-1, half:] = before.flip(-1) if flip_back else before
    folded[..., 1:, :half] = loud * a + quiet * b
    return folded


def halves(window: Tensor) -> tuple[Tensor, Tensor]:
    """Return loud and quiet, `[M/2]` each and from the border outwards, of the rising half `window` `[M]`."""
    half = len(window) // 2
    return window[half:], window[:half].flip(0)


@exercise(
    "06-orthonormal",
    why="Every unit impulse becomes a vector of length 1, at a right angle to all others: a rotation. Noise that is "
    "white before it is white after it.",
)
def orthonormal(answer):
    def measure(encode):
        return as_number(call(answer, encode, 4 * 8), "error")

    def louder(x):
        return 2 * Patching(8).encode(x)

    def quieter(x):
        return 0.5 * Patching(8).encode(x)

    def leaning(x):  # columns of length 1, which are not at right angles
        z = Patching(8).encode(x)
        return torch.cat([z[:, :1] + 0.6 * z[:, 1:2], 0.8 * z[:, 1:2], z[:, 2:]], dim=1)

    def opposed(x):  # the same, at more than right angles
        z = Patching(8).encode(x)
        return torch.cat([z[:, :1] - 0.6 * z[:, 1:2], 0.8 * z[:, 1:2], z[:, 2:]], dim=1)

    def three(x):  # three columns that lean on each other: the norm of the matrix is more than its largest entry
        z = Patching(8).encode(x)
        third = (2 * z[:, :1] - z[:, 1:2] + 2 * z[:, 2:3]) / 3
        return torch.cat([z[:, :1], 0.6 * z[:, :1] + 0.8 * z[:, 1:2], third, z[:, 3:]], dim=1)

    expect(abs(measure(LappedTransform(8).encode)) < 1e-3, "For the lapped transform the error should be near 0.")
    doubled = measure(louder)
    expect(not close(doubled, 3 / 64), "That is the mean of QᵀQ - I: one bad pair hides in it. Take the largest entry.")
    expect(doubled > 0.5, "A transform that doubles everything got through: compare with 1 on the diagonal.")
    expect(
        measure(leaning) > 0.3, "Lengths of 1 are half of it: columns must also stand at right angles to each other."
    )
    without_abs = "got through: entries of QᵀQ - I can be below 0. Take absolute values first."
    expect(measure(quieter) > 0.5, f"A transform that halves everything {without_abs}")
    expect(measure(opposed) > 0.3, f"A transform whose columns lie at more than 90° {without_abs}")
    for encode in (louder, quieter, leaning, opposed, three):
        hint = "That is a norm of the whole matrix QᵀQ - I. Take the largest absolute value of a single entry."
        expect(close(measure(encode), orthonormality_error(encode, 4 * 8), rtol=0.01), hint)


def orthonormality_error(encode, length_samples: int) -> Tensor:
    """Return the largest absolute entry of QᵀQ - I: the solution of 06-orthonormal."""
    impulses = torch.eye(2 * length_samples).reshape(-1, 2, length_samples)
    q = encode(impulses).flatten(1).T
    return (q.T @ q - torch.eye(q.shape[1])).abs().max()


@exercise(
    "06-break",
    why="Where loud² + quiet² is not 1, the overlap does not add up to the sound again: it is too loud or too quiet, "
    "once a block. 44,100 / 64 = 689 times a second, and that is a tone.",
)
def break_it(answer):
    window = as_array(answer, "window")
    expect(window.size == BLOCK_SIZE, f"The rising half has {BLOCK_SIZE} numbers; yours has {window.size}.")
    window = torch.as_tensor(window.reshape(-1)).float()
    expect(window.min() >= 0 and window.max() <= 1, "Keep all numbers between 0 and 1: it is a fade-in.")
    expect(window.max() > 0, "With zeros only, nothing comes back at all: that is silence. Let it rise.")
    steps = window.diff()
    if window.max() - window.min() < 1e-3:
        expect(
            round_trip_db(window) > -40, "A constant √½ is no fade-in, and yet ½ + ½ = 1: all comes back. Let it rise."
        )
        expect(False, "A constant is no fade-in: it changes the level at the overlaps. Let it rise.")
    expect(steps.min() > -1e-5, "Yours falls somewhere; a fade-in rises from its first number to its last.")
    expect(steps.max() - steps.min() > 1e-4, "That is a straight ramp, which you have heard above. Bend it.")
    expect(
        round_trip_db(window) > -40,
        "The sound still comes back: your window has w[n]² + w[63 - n]² = 1. Pick a rise that has not.",
    )


def round_trip_db(window: Tensor) -> float:
    """Return the error in dB of encoding and decoding noise with the rising half `window` `[block_size]`."""
    transform = LappedTransform(len(window))
    transform.c, transform.s = halves(window)
    x = torch.randn(1, 2, 16 * len(window), generator=torch.Generator().manual_seed(6))
    return error_db(transform.decode(transform.encode(x)), x)


@exercise(
    "06-mend",
    why="Any fade-in can be made into a window for perfect reconstruction (Princen & Bradley, 1986); which one you "
    "take decides how well bands are kept apart.",
)
def mend(answer):
    windows = []
    for rise in (torch.linspace(0.1, 1, BLOCK_SIZE), torch.linspace(0.3, 1, BLOCK_SIZE) ** 4):
        window = as_signal(call(answer, rise), (BLOCK_SIZE,), "window")
        mirrored = window[::-1]
        expect(
            not close(window + mirrored, 1.0 + 0 * window),
            "Yours sums to 1 with its mirror image, as a crossfade does. But the window acts twice, on the way in and "
            "on the way out: it is the squares that must sum to 1.",
        )
        expect(
            not close((window**2).sum(), 1.0),
            "The whole window has energy 1; what is needed is 1 for every single pair n and 63 - n.",
        )
        expect(close(window**2 + mirrored**2, 1.0 + 0 * window), "w[n]² + w[63 - n]² is not 1 for every n.")
        expect(window.max() - window.min() > 1e-3, "A constant √½ is no fade-in any more: the rise is lost.")
        expect((window[1:] >= window[:-1]).all(), "The mended window should still rise, as the given one does.")
        windows.append(window)
    expect(
        not close(*windows, atol=1e-3),
        "Yours returns the same window for every `rise`. Mend the one that is given: a steeper rise, a steeper window.",
    )


@exercise(
    "06-scale",
    why="One number and one slope stand for 64 loudnesses. The model divides by this scale, adds noise, and multiplies "
    "by it on the way back.",
)
def scale_line(answer):
    k = torch.arange(BLOCK_SIZE)
    for level in (0.14, 0.5):
        rms = as_signal(call(answer, level, k), (BLOCK_SIZE,), "rms")
        expect(not close(rms, (k + 1.0) ** -0.5), "The lowest band should have an rms of `level`.")
        expect(
            not close(rms, level / (k + 1)),
            "That falls by 6 dB an octave. 3 dB is half the *power*, and the rms is the root of the power.",
        )
        expect(not close(rms, level**2 / (k + 1)), "That is the power of each band. Wanted is its root, the rms.")
        expect(not close(rms, level * (k + 1) ** 0.5), "That rises. Drums get softer towards the treble.")
        expect(
            not close(rms, level * 10 ** (-3 * k / 20)) and not close(rms, level * 2 ** (-k / 2)),
            "That loses 3 dB from each band to the next; an octave is twice the frequency, k + 1 twice as large.",
        )
        right = band_scale(BLOCK_SIZE, level, 0.5)[:BLOCK_SIZE, 0]
        nearly = (torch.as_tensor(rms).double() / right - 1).abs().max() < 0.01  # 3 dB is not quite half the power
        expect(close(rms, right) or nearly, "Twice k + 1, half the power: which power of k + 1 is that?")


SOLUTIONS |= {
    "06-fold": fold,
    "06-orthonormal": orthonormality_error,
    "06-scale": lambda level, k: level / torch.sqrt(k + 1.0),
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
