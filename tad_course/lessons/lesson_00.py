"""Exercises and quiz of lesson 00: a seed and a label are enough to bring a sound back."""

from torch import Tensor

from tad_course.drums import LABELS
from tad_course.generate import Model, Settings, generate
from tad_course.lessons.check import SOLUTIONS, as_choice, as_number, as_signal, call, close, exercise, expect
from tad_course.lessons.quiz import Answer, Question
from tad_course.model.checkpoint import load_model

MYSTERY_LABEL, MYSTERY_SEED = "snare", 3
PREDICTIONS = {
    "00-again": ("C", "*Again*"),
    "00-steps": ("B", "*What happened in that moment*"),
    "00-disabled": ("A", "*Is it really the network?*"),
}


def mystery(model: Model) -> Tensor:
    """Return the sound `[2, N]` to be found again. Its seed is below 6."""
    return generate(model, Settings(label=MYSTERY_LABEL, seed=MYSTERY_SEED))


@exercise("00-same", why="Label and seed, with the same model: a sound of a quarter megabyte fits on a post-it.")
def same(answer):
    expect(isinstance(answer, (tuple, list)) and len(answer) == 2, "Give two things: a label and a seed.")
    label, seed = answer
    expect(not isinstance(label, (int, float)), "First the label, then the seed; yours are the other way round.")
    seed = int(seed) if isinstance(seed, str) and seed.strip().isdigit() else seed
    label, seed = as_choice(label, " ".join(LABELS)), as_number(seed, "seed")
    expect(seed == int(seed) and 0 <= seed < 6, "The seed is one of 0, 1, 2, 3, 4, 5.")
    right_label, right_seed = label == MYSTERY_LABEL, seed == MYSTERY_SEED
    expect(right_label or not right_seed, "The seed is right. Compare the picture with one sound of each label.")
    expect(right_label, "Another instrument: compare the picture with one sound of each label, seed 0 for example.")
    expect(right_seed, "The right instrument, another seed. Compare the pictures, above all the first 50 ms.")


SOLUTIONS["00-same"] = (MYSTERY_LABEL, MYSTERY_SEED)


@exercise("00-kit", why="One function, as many kits as there are seeds, and each comes back with its seed.")
def kit(answer):
    first = call(answer, 3)
    expect(isinstance(first, dict), "Return a dict with one sound for each label: {'kick': …, 'snare': …}.")
    missing = [label for label in LABELS if label not in first]
    expect(not missing, f"The kit has no {' and no '.join(missing)}; go through all labels.")
    drums = {label: as_signal(first[label], (2, 32_768), label) for label in LABELS}
    pairs = [(a, b) for i, a in enumerate(LABELS) for b in LABELS[:i]]
    expect(not any(close(drums[a], drums[b]) for a, b in pairs), "Two drums are the same sound: use the label.")
    again = as_signal(call(answer, 4)["kick"], (2, 32_768), "kick")
    expect(not close(again, drums["kick"]), "kit(3) and kit(4) have the same kick: hand the seed on to Settings.")
    right = {label: as_signal(sound, (2, 32_768)) for label, sound in make_kit(3).items()}
    for label, sound in drums.items():
        other = next((name for name in LABELS if name != label and close(sound, right[name], atol=1e-3)), None)
        expect(other is None, f"Under {label} lies the {other}: the key and the label in Settings must be the same.")
    wrong = [label for label in LABELS if not close(drums[label], right[label], atol=1e-3)]
    expect(
        not wrong,
        f"The {', '.join(wrong)} of kit(3) is not what generate(model, Settings(label=…, seed=3)) makes: hand on that "
        "very seed, for all labels alike.",
    )


def make_kit(seed: int) -> dict[str, Tensor]:
    """Return {label: sound} of the shipped model: the solution of 00-kit."""
    model = load_model("drums")
    return {label: generate(model, Settings(label=label, seed=seed)) for label in LABELS}


SOLUTIONS["00-kit"] = make_kit


QUIZ = (
    Question(
        "You deleted a sound you loved. What brings the very same one back?",
        (
            Answer(
                "Nothing: it was random, and it is gone.", "It was random, but by a seed, and a seed can be used again."
            ),
            Answer(
                "The model, the label, the seed and the other settings.",
                "Together they decide every one of the 65,536 numbers. The studio writes them into each file it saves.",
                right=True,
            ),
            Answer("The label alone, if I press often enough.", "There are billions of seeds to press through."),
        ),
    ),
    Question(
        "What does the seed decide?",
        (
            Answer(
                "The noise that the sound is made from.",
                "All chance lies in that first noise; from there on each step is plain calculation.",
                right=True,
            ),
            Answer(
                "Which recording the model plays.",
                "It holds no recordings, only numbers learned from many drums.",
            ),
            Answer("How good the sound is.", "On average no seed is better than another."),
        ),
    ),
    Question(
        "What did the network do at each of its steps?",
        (
            Answer("It added one more layer: thump, then click, then tail.", "Each step redraws all of it."),
            Answer("It chose the best of many candidates.", "There is one sound only, and nothing to choose."),
            Answer(
                "It predicted the clean drum inside the noise, and a part of the noise was taken away.",
                "Predict, remove some noise, predict again: that is reverse diffusion. Lesson 04 builds it.",
                right=True,
            ),
        ),
    ),
)
