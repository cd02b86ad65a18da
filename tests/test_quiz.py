"""Quizzes and predictions: every answer is explained, and they work without a kernel too."""

import ast
import re
from collections import Counter
from importlib import import_module
from pathlib import Path

import ipywidgets
import nbformat
import pytest

from tad_course.lessons.poll import answers, predict, predictions
from tad_course.lessons.quiz import Answer, Question, explain, questions, quiz, still_html

LESSONS = sorted(
    path.stem[-2:] for path in Path(import_module("tad_course.lessons").__file__).parent.glob("lesson_*.py")
)
QUESTION = Question("Which?", (Answer("<this>", "Because.", right=True), Answer("that", "No: it is this.")))


@pytest.fixture
def displayed(monkeypatch):
    def run(make, *args) -> dict:
        """Return the MIME bundle that `make(*args)` displays."""
        bundles = []
        monkeypatch.setattr("tad_course.display.fallback.display", lambda data, raw: bundles.append(data))
        make(*args)
        return bundles[0]

    return run


def widget_of(bundle: dict):
    model_id = bundle["application/vnd.jupyter.widget-view+json"]["model_id"]
    return next(w for w in ipywidgets.widgets.widget._instances.values() if w.model_id == model_id)


def radios(widget) -> list:
    if isinstance(widget, ipywidgets.RadioButtons):
        return [widget]
    return [r for child in getattr(widget, "children", ()) for r in radios(child)]


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_asks_three_questions_and_explains_every_answer(lesson):
    asked = questions(lesson)
    assert len(asked) == 3
    for question in asked:
        assert len(question.answers) >= 3
        assert all(len(answer.why) > 20 for answer in question.answers)


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_right_answer_is_not_always_in_the_same_place(lesson):
    assert len({[a.right for a in question.answers].index(True) for question in questions(lesson)}) > 1


def test_a_question_needs_exactly_one_right_answer():
    with pytest.raises(ValueError, match="exactly one right answer"):
        Question("Which?", (Answer("a", "x", True), Answer("b", "y", True)))


def test_the_still_quiz_folds_every_explanation_away_and_escapes_text():
    text = still_html((QUESTION,))
    assert text.count("<details>") == text.count("</summary>") == 2
    assert "&lt;this&gt;" in text and "<this>" not in text


def test_explanations_tell_right_from_wrong_in_words():
    assert [explain(a)[:5] for a in QUESTION.answers] == ["✓ Rig", "✗ Not"]


def test_an_unknown_quiz_says_how_to_name_one():
    with pytest.raises(ValueError, match=r"quiz\('02'\)"):
        quiz("two")


@pytest.fixture
def two_predictions(monkeypatch):
    known = {"02-one": ("B", "section 1"), "02-two": ("A", "section 2")}
    monkeypatch.setattr("tad_course.lessons.lesson_02.PREDICTIONS", known, raising=False)
    monkeypatch.setattr("tad_course.lessons.poll._chosen", {})


def test_a_prediction_keeps_the_choice_and_prints_the_same_every_time(displayed, two_predictions):
    args = "02-one", "What happens?", ["It is louder", "It is the same"]
    first, second = displayed(predict, *args), displayed(predict, *args)
    assert (
        first["text/plain"]
        == second["text/plain"]
        == "Predict. What happens?\n   A. It is louder\n   B. It is the same"
    )
    assert first["text/html"] == second["text/html"]
    box = widget_of(first)
    (radio,) = radios(box)
    assert radio.value is None
    radio.value = "B. It is the same"
    assert "You said B" in box.children[-1].value


def test_the_first_choice_counts_and_the_end_of_the_lesson_says_where_to_look_again(displayed, two_predictions, capsys):
    predictions("02")
    assert "no answer to any of the 2" in capsys.readouterr().out
    for name, choices in (("02-one", ["B. b", "A. a"]), ("02-two", ["B. b", "A. a"])):
        (radio,) = radios(widget_of(displayed(predict, name, "What?", ["a", "b"])))
        for choice in choices:
            radio.value = choice
        predictions("02")
    once, twice = capsys.readouterr().out.split("Predictions: ")[1:]
    assert once == "1 of 2 right (1 without an answer).\n"
    assert twice == "1 of 2 right.\n  You said B, the experiment says A: see section 2.\n"


def test_choosing_an_answer_of_a_quiz_shows_its_explanation(monkeypatch, displayed):
    monkeypatch.setattr("tad_course.lessons.quiz.questions", lambda lesson: (QUESTION,))
    box = widget_of(displayed(quiz, "xx"))
    (radio,) = radios(box)
    radio.index = 1
    feedback = box.children[0].children[-1].value
    assert re.search("Not quite. No: it is this.", feedback) and 'aria-live="polite"' in feedback


@pytest.mark.parametrize("choices", [["only one"], ["a", "a"], list("abcdef")])
def test_a_prediction_needs_two_to_five_different_choices(choices, two_predictions):
    with pytest.raises(ValueError, match="two to five"):
        predict("02-one", "What?", choices)


@pytest.mark.parametrize("name", ["02-three", "two", "99-one"])
def test_a_prediction_must_be_known(name, two_predictions):
    with pytest.raises(ValueError, match="no prediction"):
        predict(name, "What?", ["a", "b"])


def asked_in(lesson: str) -> dict[str, int]:
    """Return the predictions of a lesson's notebook: name -> number of choices."""
    (path,) = (Path(__file__).parents[1] / "notebooks").glob(f"{lesson}_*.ipynb")
    found = {}
    for cell in nbformat.read(path, 4).cells:
        if cell.cell_type == "code" and "predict(" in cell.source:
            call = next(
                node
                for node in ast.walk(ast.parse(cell.source))
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "predict"
            )
            found[call.args[0].value] = len(call.args[2].elts)
    return found


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_asks_every_prediction_that_it_knows_and_its_answers_are_spread(lesson):
    known = answers(lesson)
    asked = asked_in(lesson)
    assert set(known) == set(asked) and asked
    letters = [known[name][0] for name in asked]
    assert all(letter in "ABC" for letter in letters)
    assert max(letters.count(letter) for letter in "ABC") <= 2 or len(letters) > 6
    assert len(letters) < 3 or set(letters) == set("ABC")


def test_over_all_lessons_no_letter_is_right_much_more_often_than_another():
    counts = Counter(letter for lesson in LESSONS for letter, _ in answers(lesson).values())
    assert max(counts.values()) <= 1.3 * min(counts[letter] for letter in "ABC")
