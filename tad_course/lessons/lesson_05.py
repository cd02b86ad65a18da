"""Exercises and quiz of lesson 05: shapes, receptive field, and what attention costs."""

import numpy as np

from tad_course.lessons.check import as_number, as_signal, call, close, exercise, expect
from tad_course.lessons.explorers.receptive_field_explorer import down_path
from tad_course.lessons.explorers.receptive_field_explorer import receptive_field as true_field
from tad_course.lessons.quiz import Answer, Question


@exercise(
    "05-shapes",
    why="Fewer frames, more channels: going down, time is traded for features.",
)
def shapes(answer):
    expect(isinstance(answer, (tuple, list)) and len(answer) == 3, "Three levels make three shapes: a list of 3 pairs.")
    expect(all(np.size(shape) == 2 for shape in answer), "Each shape is a pair, (C, L); leave the batch out.")
    got = [tuple(as_signal(shape, (2,), "shape").astype(int)) for shape in answer]
    expect(got != [(8192, 32), (2048, 64), (512, 128)], "PyTorch puts channels before length: (C, L).")
    expect(got != [(32, 2048), (64, 512), (128, 128)], "The first factor is 1: the top level keeps the full length.")
    expect(
        got != [(32, 8192), (64, 2048), (128, 2048)], "Each level divides the length of the one above it, once more."
    )
    expect(got != [(128, 512), (64, 2048), (32, 8192)], "That is the way up; on the way down the top comes first.")
    expect(
        got != [(2, 8192), (32, 8192), (64, 2048)], "Those go in; the shapes asked for are behind each level's blocks."
    )
    expect(
        got == [(32, 8192), (64, 2048), (128, 512)],
        "Level i has channels[i]; its length: the one above over factors[i].",
    )


@exercise(
    "05-field",
    why="Every step down makes all layers below it count for more: depth buys reach at a price that hardly grows.",
)
def field(answer):
    def reach(layers):
        return as_number(call(answer, layers), "receptive field")

    plain = reach([(3, 1), (3, 1)])
    expect(plain != 6, "Two kernels of 3 overlap: the second adds only 2 to the 3 of the first, so 5.")
    expect(plain != 4, "Start at 1: a network without layers sees one sample.")
    expect(plain != 9, "Kernels do not multiply: 9 counts the paths, and they overlap. Two kernels of 3 see 5 samples.")
    expect(plain != 7, "Strides multiply; if they are added, a stride of 1 makes steps longer, and it must not.")
    expect(plain == 5, "Two convolutions with kernel 3 see 5 samples.")
    strided = reach([(4, 4), (3, 1)])
    expect(
        strided != 6, "After a stride of 4, one step of the kernel is 4 samples long: multiply by the strides so far."
    )
    expect(strided != 15 and strided != 21, "A layer's own stride counts only for the layers after it.")
    expect(strided == 12, "A stride of 4 makes each later tap count four times: 4 + 2·4 = 12.")
    layers = down_path(4, 2, 5)
    expect(reach(layers) == true_field(layers), "Right for two layers, not for many: the strides multiply up.")


@exercise(
    "05-attention",
    why="Four times as long is sixteen times the memory: one level up by a factor of 4, and it is free no more.",
)
def attention(answer):
    def size(*args):
        return as_number(call(answer, *args), "memory in bytes")

    got = size(8192, (1, 4, 4), 2, 8)
    truth = 8 * 512**2 * 4
    expect(got != 4 * 512**2, "That is one head; every head has a matrix of its own.")
    expect(got != truth / 4, "That is the count of numbers; a float32 has 4 bytes.")
    expect(not (close(got, truth / 1e6) or close(got, truth / 2**20)), "In bytes, please, not in megabytes.")
    expect(got != 8 * 512 * 4, "Every frame is compared with every frame: length times length.")
    expect(
        got not in (8 * 2048**2 * 4, 8 * 8192**2 * 4), "The level's length is the sound's over *all* factors so far."
    )
    expect(got == truth, "heads · length² · 4 bytes, with the length at that level.")
    expect(size(32768, (1, 2, 2), 1, 8) == 8 * 16384**2 * 4, "Right once, but not for other factors or levels.")


QUIZ = (
    Question(
        "The net without skips trained just as long. Why does it leave the hiss in?",
        (
            Answer(
                "It has fewer parameters.",
                "No: both have the same number of them. Adding a skip costs nothing.",
            ),
            Answer(
                "The noise, sample by sample, does not get through its bottom, so it cannot be taken out again.",
                "To predict v it must know eps exactly; 16,384 random numbers do not find a way through the bottom.",
                right=True,
            ),
            Answer(
                "It was not given the noise level.",
                "Both were given it, in every block, as a scale and a shift.",
            ),
        ),
    ),
    Question(
        "Why does self-attention sit at the bottom of the U-Net?",
        (
            Answer(
                "There the signal is short, and memory goes with the square of the length.",
                "At the top one head alone would need a matrix of 32,768 by 32,768 numbers, 4.3 GB.",
                right=True,
            ),
            Answer(
                "There the sound is cleanest.",
                "No: the bottom sees the same noisy sound as the top, more coarsely.",
            ),
            Answer(
                "Convolutions do not work on short signals.",
                "They do; most of the bottom's parameters are convolutions.",
            ),
        ),
    ),
    Question(
        "In the reference U-Net, where are most parameters, and where are the signals largest that training must keep?",
        (
            Answer(
                "Both at the top.",
                "No: the top has 32 channels, and a convolution has kernel · C² weights, few there.",
            ),
            Answer(
                "Both at the bottom.",
                "The parameters are. But the bottom has 256 frames, the top 32,768.",
            ),
            Answer(
                "Parameters at the bottom, signals at the top.",
                "Weights go with the square of the channels; a signal has channels times frames numbers.",
                right=True,
            ),
        ),
    ),
)
