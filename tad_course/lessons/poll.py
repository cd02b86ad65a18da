"""Predict, run, explain: commit to an answer before the experiment; being surprised is how it sticks.

The right letters stand in `tad_course.lessons.lesson_NN.PREDICTIONS`, away from the notebook: name -> (letter, where
the lesson explains it). The first choice counts; `predictions("NN")` at the end of the lesson says how many were right.
"""

import html
from collections.abc import Sequence
from importlib import import_module

from ipywidgets import HTML, Layout, RadioButtons, VBox

from tad_course.display.fallback import live_text, show_widget

_chosen: dict[str, str] = {}  # name of a prediction -> the letter that was chosen first


def answers(lesson: str) -> dict[str, tuple[str, str]]:
    """Return the predictions of a lesson, named by its two digits: name -> (right letter, where it is explained).

    Raises:
        ValueError: if there is no such lesson.
    """
    try:
        return import_module(f"tad_course.lessons.lesson_{lesson}").PREDICTIONS
    except (ModuleNotFoundError, AttributeError):
        raise ValueError(f"There are no predictions of a lesson {lesson!r}; write two digits, as in '02'.") from None


def predict(name: str, question: str, choices: Sequence[str]) -> None:
    """Ask for a guess before the next cell is run; the next cells answer.

    Args:
        name: "NN-word", one of the lesson's PREDICTIONS.
        question: one sentence.
        choices: two to five answers, the tempting wrong ones among them.

    Raises:
        ValueError: if the name is unknown, the choices are alike, or none of them has the right letter.
    """
    if not 2 <= len(choices) <= 5 or len(set(choices)) < len(choices):
        raise ValueError(f"A prediction needs two to five different choices, not {list(choices)}.")
    known = answers(name[:2])
    if name not in known or known[name][0] not in "ABCDE"[: len(choices)]:
        raise ValueError(f"There is no prediction {name!r} with {len(choices)} choices. Known: {', '.join(known)}.")
    labelled = [f"{letter}. {choice}" for letter, choice in zip("ABCDE", choices, strict=False)]
    show_widget(_box(name, question, labelled), _still_html(question, labelled), _still_text(question, labelled))


def predictions(lesson: str) -> None:
    """Print how many predictions of a lesson were right at the first choice, and which sections to read again."""
    known = answers(lesson)
    made = {name: _chosen[name] for name in known if name in _chosen}
    if not made:
        print(f"Predictions: you chose no answer to any of the {len(known)} questions of this lesson.")
        return
    wrong = [name for name, letter in made.items() if letter != known[name][0]]
    skipped = f" ({len(known) - len(made)} without an answer)" if len(made) < len(known) else ""
    print(f"Predictions: {len(made) - len(wrong)} of {len(known)} right{skipped}.")
    for name in wrong:
        print(f"  You said {made[name]}, the experiment says {known[name][0]}: see {known[name][1]}.")


def _box(name: str, question: str, labelled: list[str]) -> VBox:
    title = HTML(f"<b>Predict.</b> {html.escape(question)}")
    radio = RadioButtons(options=labelled, index=None, layout=Layout(width="auto"))
    radio.add_class("tad-predict")
    said = live_text()

    def chosen(change):
        letter = change["new"][0]
        _chosen.setdefault(name, letter)
        said.value = f'<div role="status" aria-live="polite">You said {letter}. Now run the next cell.</div>'

    radio.observe(chosen, "value")
    border = Layout(border_left="4px solid #0072B2", padding="2px 0 2px 12px", margin="4px 0")
    return VBox([title, radio, said], layout=border)


def _still_html(question: str, labelled: list[str]) -> str:
    items = "".join(f"<br>&emsp;{html.escape(choice)}" for choice in labelled)
    return f"<blockquote><b>Predict.</b> {html.escape(question)}{items}</blockquote>"


def _still_text(question: str, labelled: list[str]) -> str:
    return "\n".join([f"Predict. {question}", *(f"   {choice}" for choice in labelled)])
