"""Predict, run, explain: commit to an answer before the experiment; being surprised is how it sticks."""

import html
from collections.abc import Sequence

from ipywidgets import HTML, Layout, RadioButtons, VBox

from tad_course.display.fallback import live_text, show_widget


def predict(question: str, choices: Sequence[str]) -> None:
    """Ask for a guess before the next cell is run. There is no right or wrong here: the next cell answers.

    Args:
        question: one sentence.
        choices: two to five answers, the tempting wrong ones among them.
    """
    if not 2 <= len(choices) <= 5 or len(set(choices)) < len(choices):
        raise ValueError(f"A prediction needs two to five different choices, not {list(choices)}.")
    labelled = [f"{letter}. {choice}" for letter, choice in zip("ABCDE", choices, strict=False)]
    show_widget(_box(question, labelled), _still_html(question, labelled), _still_text(question, labelled))


def _box(question: str, labelled: list[str]) -> VBox:
    title = HTML(f"<b>Predict.</b> {html.escape(question)}")
    radio = RadioButtons(options=labelled, index=None, layout=Layout(width="auto"))
    radio.add_class("tad-predict")
    said = live_text()

    def chosen(change):
        letter = change["new"][0]
        said.value = f'<div role="status" aria-live="polite">You said {letter}. Now run the next cell.</div>'

    radio.observe(chosen, "value")
    border = Layout(border_left="4px solid #0072B2", padding="2px 0 2px 12px", margin="4px 0")
    return VBox([title, radio, said], layout=border)


def _still_html(question: str, labelled: list[str]) -> str:
    items = "".join(f"<br>&emsp;{html.escape(choice)}" for choice in labelled)
    return f"<blockquote><b>Predict.</b> {html.escape(question)}{items}</blockquote>"


def _still_text(question: str, labelled: list[str]) -> str:
    return "\n".join([f"Predict. {question}", *(f"   {choice}" for choice in labelled)])
