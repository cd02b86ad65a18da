"""Right answers are kept as files and come back in later lessons, with what they call; wrong ones never do."""

import linecache

import pytest
import torch

from tad_course.lessons import answers, check
from tad_course.lessons.check import EXERCISES, SOLUTIONS, as_number, call, close, exercise, expect, use


def course_double(x):
    return 2 * x


def course_four_times(x):
    return 4 * x


@pytest.fixture
def two_lessons(monkeypatch, tmp_path):
    """Two exercises of lessons 97 and 98, a folder for answers, and no other exercise's solution."""
    monkeypatch.setenv("TAD_COURSE_ANSWERS", str(tmp_path / "kept"))
    monkeypatch.setattr(
        check, "SOLUTIONS", solutions := {"97-double": course_double, "98-four": course_four_times, "97-pair": (1, 2)}
    )
    monkeypatch.setattr(check, "course_solutions", lambda lesson: None)

    @exercise("97-double", why="Twice.")
    def double(answer):
        expect(close(as_number(call(answer, 3.0)), 6.0), "Twice three is six.")

    @exercise("98-four", why="Four times.")
    def four(answer):
        expect(close(as_number(call(answer, 3.0)), 12.0), "Four times three is twelve.")

    yield solutions
    del EXERCISES["97-double"], EXERCISES["98-four"]


def cell(source: str, number: int) -> dict:
    """Run a cell as a notebook does, with its source where Python looks for it; return its names."""
    name, space = f"<cell {number}>", {"torch": torch}
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    exec(compile(source, name, "exec"), space)
    return space


def test_a_right_answer_is_kept_and_comes_back_in_a_later_lesson(two_lessons, capsys):
    double = use("97-double", cell("def course_double(x):\n    return x + x\n", 1)["course_double"])
    assert "uses your answer." in capsys.readouterr().out
    assert double(4) == 8
    later = use("97-double")
    assert "that you wrote in lesson 97" in capsys.readouterr().out
    assert later(torch.ones(2)).tolist() == [2, 2] and later is not course_double


def test_a_kept_answer_finds_the_answers_of_earlier_lessons(two_lessons):
    use("97-double", cell("def course_double(x):\n    return x + x\n", 2)["course_double"])
    source = "def course_four_times(x):\n    return course_double(course_double(x))\n"
    space = cell(source, 3)
    space["course_double"] = course_double
    use("98-four", space["course_four_times"])
    assert use("98-four")(5) == 20


def test_a_class_is_kept_with_all_of_its_cell(tmp_path, monkeypatch):
    monkeypatch.setenv("TAD_COURSE_ANSWERS", str(tmp_path))
    source = "SIZE = 3\n\nclass Net(nn.Module):\n    def forward(self, x):\n        return SIZE * x\n"
    name = "<cell 4>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    space = {"nn": torch.nn}
    exec(compile(source, name, "exec"), space)
    answers.keep("97-net", space["Net"])

    class Net(torch.nn.Module):
        pass

    assert answers.kept("97-net", {"97-net": Net})()(2) == 6


def test_a_wrong_answer_is_neither_used_nor_kept(two_lessons, capsys, tmp_path):
    assert use("97-double", lambda x: x) is course_double
    assert "the answer of the course." in capsys.readouterr().out
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize("content", ["def f(x:", "1 / 0", "", "def course_double(x):\n    return x"])
def test_a_kept_file_that_was_spoiled_is_named_and_the_course_helps_out(two_lessons, content, tmp_path, capsys):
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "97-double.py").write_text(content, encoding="utf-8")
    assert use("97-double") is course_double
    assert "my_answers/97-double.py, is not right" in capsys.readouterr().out


def test_without_a_kept_answer_the_course_answers_quietly(two_lessons, capsys):
    assert use("97-double") is course_double
    assert capsys.readouterr().out == "97-double: from here on the lesson uses the answer of the course.\n"


def test_nothing_is_kept_where_the_folder_is_switched_off(two_lessons, monkeypatch, tmp_path):
    monkeypatch.setenv("TAD_COURSE_ANSWERS", "")
    use("97-double", cell("def course_double(x):\n    return x + x\n", 5)["course_double"])
    assert not (tmp_path / "kept").exists() and answers.folder() is None


def test_an_unknown_exercise_is_an_error(two_lessons):
    with pytest.raises(ValueError, match="97-double"):
        use("97-triple")


def test_every_solution_that_the_course_uses_belongs_to_an_exercise():
    answers.course_solutions("99")
    assert set(SOLUTIONS) <= set(EXERCISES)


def test_the_course_s_own_answer_is_neither_praised_nor_kept_as_the_learner_s(two_lessons, capsys, tmp_path):
    check.check("97-double", course_double)
    assert "not attempted yet. This name holds the answer of the course" in capsys.readouterr().out
    assert use("97-double", course_double) is course_double
    assert "the answer of the course." in capsys.readouterr().out
    assert not (tmp_path / "kept").exists()
