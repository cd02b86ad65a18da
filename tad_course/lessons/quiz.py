"""Quizzes: three questions at the end of a lesson, every answer explained, right or wrong.

The questions of lesson NN live in `tad_course.lessons.lesson_NN.QUIZ`; `quiz("NN")` shows them as radio buttons
(mouse or keyboard). Where no kernel runs, they are a plain list with the explanations folded away.
"""

import html
from dataclasses import dataclass
from importlib import import_module

from ipywidgets import HTML, Layout, RadioButtons, VBox

from tad_course.display.fallback import live_text, show_widget


@dataclass(frozen=True)
class Answer:
    """One answer of a question and the sentence that says why it is right or wrong."""

    text: str
    why: str
    right: bool = False


@dataclass(frozen=True)
class Question:
    """A question with its answers, exactly one of them right."""

    text: str
    answers: tuple[Answer, ...]

    def __post_init__(self):
        if sum(answer.right for answer in self.answers) != 1:
            raise ValueError(f"The question {self.text!r} needs exactly one right answer.")
        if len({answer.text for answer in self.answers}) != len(self.answers):
            raise ValueError(f"The question {self.text!r} has the same answer twice.")


def questions(lesson: str) -> tuple[Question, ...]:
    """Return the questions of a lesson, named by its two digits: `questions("02")`.

    Raises:
        ValueError: if there is no quiz of that name.
    """
    try:
        return import_module(f"tad_course.lessons.lesson_{lesson}").QUIZ
    except (ModuleNotFoundError, AttributeError):
        raise ValueError(
            f"There is no quiz {lesson!r}; write the two digits of the lesson, as in quiz('02')."
        ) from None


def explain(answer: Answer) -> str:
    """Return the sentence that follows a chosen answer."""
    return f"{'✓ Right.' if answer.right else '✗ Not quite.'} {answer.why}"


def quiz(lesson: str) -> None:
    """Show the quiz of a lesson, named by its two digits: `quiz("02")`."""
    asked = questions(lesson)
    boxes = [_question_box(number, question) for number, question in enumerate(asked, 1)]
    show_widget(VBox(boxes), still_html(asked), still_text(asked))


def _question_box(number: int, question: Question) -> VBox:
    title = HTML(f"<b>{number}. {html.escape(question.text)}</b>")
    options = [(answer.text, answer) for answer in question.answers]
    radio = RadioButtons(options=options, index=None, layout=Layout(width="auto"))
    radio.add_class("tad-quiz")
    feedback = live_text()

    def answered(change):
        color = "#00654B" if change["new"].right else "#A33F00"
        text = html.escape(explain(change["new"]))
        feedback.value = f'<div role="status" aria-live="polite" style="color:{color}">{text}</div>'

    radio.observe(answered, "value")
    return VBox([title, radio, feedback], layout=Layout(margin="0 0 12px 0"))


def still_html(asked: tuple[Question, ...]) -> str:
    """Return the questions as HTML whose explanations unfold on a click or a key."""
    return "".join(_still_question(number, question) for number, question in enumerate(asked, 1))


def _still_question(number: int, question: Question) -> str:
    items = "".join(
        f"<li><details><summary>{html.escape(a.text)}</summary>{html.escape(explain(a))}</details></li>"
        for a in question.answers
    )
    return f"<p><b>{number}. {html.escape(question.text)}</b></p><ul>{items}</ul>"


def still_text(asked: tuple[Question, ...]) -> str:
    """Return the questions and their answers, unexplained, as plain text."""
    lines = []
    for number, question in enumerate(asked, 1):
        lines += [f"{number}. {question.text}"] + [f"   ( ) {answer.text}" for answer in question.answers]
    return "\n".join(lines)
