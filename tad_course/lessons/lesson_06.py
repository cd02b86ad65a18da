"""Exercises and quiz of lesson 06: what length costs, orthonormality, the window condition, gain and shape."""

import torch

from tad_course.audio.spectra import error_db
from tad_course.lessons.check import as_array, as_number, as_signal, call, close, exercise, expect
from tad_course.lessons.quiz import Answer, Question
from tad_course.model.transforms import LappedTransform, Patching

BLOCK_SIZE = 64


@exercise(
    "06-speedup",
    why="A sixteenth of the multiplications, not a hundred-thousandth of the attention: that is why attention waits "
    "until a signal is short.",
)
def speed_up(answer):
    expect(isinstance(answer, (tuple, list)) and len(answer) == 2, "Hand over both numbers: (convolution, attention).")
    convolution, attention = (as_number(value, "speed-up") for value in answer)
    upside_down = convolution < 1 or attention < 1
    expect(not upside_down, "That is the cost that is left; a speed-up is the old cost divided by the new one.")
    expect(
        convolution != 1024,
        "1,024 counts the frames alone; the channels grew from 32 to 256, and a convolution has C².",
    )
    expect(convolution != 128, "128 is the memory, C·L; the multiplications of a convolution go with C²·L.")
    expect(convolution == 16, "Put both pairs (C, L) into 3·C²·L and divide the first by the second.")
    expect(
        attention != 1024**2,
        "1,048,576 is L² alone; each of its comparisons multiplies C numbers, 32 before and 256 now.",
    )
    expect(attention == 131072, "Put both pairs (C, L) into C·L² and divide the first by the second.")


@exercise(
    "06-orthonormal",
    why="Every unit impulse becomes a vector of length 1, at a right angle to all others: a rotation. Noise that is "
    "white in front of it is white behind it.",
)
def orthonormal(answer):
    def measure(encode):
        return as_number(call(answer, encode, 4 * 8), "error")

    def louder(x):
        return 2 * Patching(8).encode(x)

    def skewed(x):  # unit columns, but not at right angles
        z = Patching(8).encode(x)
        return torch.cat([z[:, :1], 0.6 * z[:, :1] + 0.8 * z[:, 1:2], z[:, 2:]], dim=1)

    # The transpose of that mix: its columns, one for each impulse, have length 1 and lean on each other.
    def leaning(x):
        z = Patching(8).encode(x)
        return torch.cat([z[:, :1] + 0.6 * z[:, 1:2], 0.8 * z[:, 1:2], z[:, 2:]], dim=1)

    expect(abs(measure(LappedTransform(8).encode)) < 1e-3, "For the lapped transform the error should be near 0.")
    expect(measure(louder) > 0.5, "A transform that doubles everything got through: compare with 1 on the diagonal.")
    found = min(measure(skewed), measure(leaning))
    expect(found > 0.3, "Lengths of 1 are half of it: the columns must stand at right angles too, all off-diagonals 0.")
    expect(close(measure(louder), 3, rtol=0.01), "Take the largest absolute entry of QᵀQ - I.")


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
    if round_trip_db(window) < -40:
        expect(window.max() - window.min() > 1e-3, "A constant √½ is no fade-in, and yet ½ + ½ = 1: all comes back.")
        expect(False, "The sound still comes back: your window has w[n]² + w[63 - n]² = 1. Pick a rise that has not.")


def round_trip_db(window: torch.Tensor) -> float:
    """Return the error in dB of encoding and decoding noise with the rising half `window` `[block_size]`."""
    transform, half = LappedTransform(len(window)), len(window) // 2
    transform.c, transform.s = window[half:], window[:half].flip(0)
    x = torch.randn(1, 2, 16 * len(window), generator=torch.Generator().manual_seed(6))
    return error_db(transform.decode(transform.encode(x)), x)


@exercise(
    "06-mend",
    why="Any fade-in can be made into a window for perfect reconstruction (Princen & Bradley, 1986); which one you "
    "take decides how well bands are kept apart.",
)
def mend(answer):
    for rise in (torch.linspace(0.1, 1, BLOCK_SIZE), torch.linspace(0.3, 1, BLOCK_SIZE) ** 2):
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
        expect((window[1:] >= window[:-1]).all(), "The mended window should still rise, as the given one does.")


@exercise(
    "06-join",
    why="One product, exactly undone. And a drum that is 12 dB softer is a sum now: ln 4 less in every gain.",
)
def join(answer):
    spread_to = LappedTransform(8).groups().T  # [16, 10]
    generator = torch.Generator().manual_seed(6)
    shape, gain = (torch.randn(2, channels, 5, generator=generator) for channels in spread_to.shape)
    z = as_signal(call(answer, shape, gain, spread_to), (2, 16, 5), "z")
    own = spread_to @ gain
    expect(not close(z, shape * own), "The gains are logarithms: make factors of them before you multiply.")
    expect(
        not close(z, shape + own), "Adding would be right if the shapes were logarithms too. They are plain numbers."
    )
    expect(not close(z, shape / own.exp()), "That divides by the loudness: it splits a second time.")
    expect(
        not close(z, shape * 10 ** (own / 20)), "10^(gain / 20) undoes decibels. These gains are natural logarithms."
    )
    expect(
        close(z, shape * own.exp()),
        "Give each band the gain of its group with spread_to @ gain; then shape times e^gain.",
    )


QUIZ = (
    Question(
        "A network errs by the same small amount behind patching and behind the lapped transform. Where does the ear "
        "notice?",
        (
            Answer(
                "Behind the lapped transform: its errors spread over two blocks.",
                "No: spreading is what hides them. They fade in and out, and stay in the bands where the sound is.",
            ),
            Answer(
                "Behind patching: its errors end at a hard edge, once a block.",
                "Edges are broad-band: clicks, 689 of them a second for blocks of 64.",
                right=True,
            ),
            Answer(
                "Nowhere: the two errors have the same energy.",
                "No: the energy is the same, but the ear asks where "
                "in frequency it lies, and whether the sound covers it.",
            ),
        ),
    ),
    Question(
        "Why is diffusion behind the tiles, or any other orthonormal transform, still diffusion of the waveform?",
        (
            Answer(
                "Because the transform throws phase away.",
                "No, it keeps it: the waveform comes back to the last bit "
                "or so. A magnitude spectrogram would throw it away.",
            ),
            Answer(
                "Because all tiles have the same area.",
                "They have, but so has whatever is stretched or skewed afterwards. What counts is that folds and "
                "cosines, however often, do nothing but rotate.",
            ),
            Answer(
                "Because white noise stays white, and x_t turns with it.",
                "A rotation maps alpha·x_0 + sigma·eps to "
                "alpha·z_0 + sigma·eps', and eps' has the same distribution as eps.",
                right=True,
            ),
        ),
    ),
    Question(
        "Whitening divides each place by how loud drums of that class are there. What does gain and shape divide by?",
        (
            Answer(
                "By how loud this very drum is there, and it diffuses that loudness too.",
                "So a quiet drum, and a long tail, get as much care as a loud attack; and how loud and how long a drum "
                "is becomes something that the model draws by itself.",
                right=True,
            ),
            Answer(
                "By the same, only in narrower bands.",
                "No: most of its groups of bands are wider than that. What is new is that each sound has a divisor of "
                "its own.",
            ),
            Answer(
                "By nothing: it is a rotation, like the lapped transform before it.",
                "No: it divides by a loudness that depends on the sound. The way back is exact, but white noise does "
                "not stay white.",
            ),
        ),
    ),
)
