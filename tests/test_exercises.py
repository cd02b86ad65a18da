"""Every exercise of every lesson: the starter is untouched, the shown solution is right, tempting mistakes are met."""

import ast
import contextlib
import re
import runpy
from pathlib import Path

import nbformat
import pytest
import torch

from tad_course.lessons.check import (
    EXERCISES,
    Wrong,
    as_array,
    as_number,
    call,
    check,
    close,
    exercise,
    expect,
    find,
    verdict,
)

ROOT = Path(__file__).parents[1]
LESSONS = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
SOLUTION = re.compile(r"<details>.*?```python\n(.*?)```.*?</details>", re.DOTALL)


def cells_of(path: Path) -> dict:
    return {cell.id: cell for cell in nbformat.read(path, as_version=4).cells}


def exercise_names(cells: dict) -> list[str]:
    return [name.removesuffix("-check") for name in cells if name.endswith("-check")]


def wrong_answers(path: Path) -> dict:
    table = ROOT / "tests" / "wrong_answers" / f"lesson_{path.name[:2]}.py"
    return runpy.run_path(str(table))["WRONG_ANSWERS"] if table.exists() else {}


class Workplace:
    """The names a learner has at one exercise: those of all cells above it that are tagged `setup`."""

    def __init__(self, path: Path, name: str):
        self.cells, self.name, self.namespace = cells_of(path), name, {"__name__": "__main__"}
        order = list(self.cells)
        for above in order[: order.index(name)]:
            if "setup" in self.cells[above].metadata.get("tags", []):
                self.run(self.cells[above].source)

    def run(self, source: str):
        exec(compile(source, self.name, "exec"), self.namespace)

    def verdict_after(self, source: str) -> tuple[str, str]:
        self.run(source)
        expression = ast.parse(self.cells[f"{self.name}-check"].source).body[-1].value
        return verdict(self.name, eval(ast.unparse(expression.args[1]), self.namespace))

    @property
    def solution(self) -> str:
        return SOLUTION.search(self.cells[f"{self.name}-solution"].source).group(1)


ALL = [pytest.param(path, name, id=name) for path in LESSONS for name in exercise_names(cells_of(path))]
TEMPTING = [
    pytest.param(path, name, *wrong, id=f"{name}-{title}")
    for path in LESSONS
    for name, table in wrong_answers(path).items()
    for title, wrong in table.items()
]


@pytest.fixture(autouse=True)
def in_the_notebooks_folder(monkeypatch):
    monkeypatch.chdir(ROOT / "notebooks")


@pytest.mark.parametrize("path, name", ALL)
def test_the_starter_is_not_attempted(path, name):
    work = Workplace(path, name)
    assert work.verdict_after(work.cells[name].source)[0] == "not attempted"


@pytest.mark.parametrize("path, name", ALL)
def test_the_shown_solution_is_right(path, name):
    work = Workplace(path, name)
    state, message = work.verdict_after(work.solution)
    assert state == "right", message


@pytest.mark.parametrize("path, name, source, hint", TEMPTING)
def test_a_tempting_wrong_answer_gets_its_own_hint(path, name, source, hint):
    state, message = Workplace(path, name).verdict_after(source)
    assert state == "wrong"
    assert hint in message


@pytest.mark.parametrize("path, name", ALL)
def test_each_exercise_has_a_task_two_tempting_mistakes_and_different_hints(path, name):
    task = cells_of(path)[f"{name}-task"].source
    assert re.search(r"[●○]{3}", task) and re.search(r"\d+ min", task), "a task shows its difficulty and its minutes"
    hints = [hint for _, hint in wrong_answers(path).get(name, {}).values()]
    assert len(set(hints)) == len(hints) >= 2


@pytest.mark.parametrize("path, name", ALL)
@pytest.mark.parametrize(
    "nonsense", [42, "x", b"", object(), int, [], {}, [[1], [2, 3]], (1, None), lambda: 1, float("nan")]
)
def test_nonsense_is_never_right_and_never_crashes(path, name, nonsense):
    assert verdict(name, nonsense)[0] in ("wrong", "not attempted")


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_every_exercise_that_a_lesson_defines_is_in_its_notebook(path):
    lesson = path.name[:2]
    with contextlib.suppress(ValueError):  # this imports the lesson's module
        find(f"{lesson}-")
    assert {name for name in EXERCISES if name.startswith(f"{lesson}-")} == set(exercise_names(cells_of(path)))


# --- what a learner writes is what runs ---


def used_names(cells: dict) -> dict[str, tuple[str, int, int]]:
    """Return for each exercise whose answer is used: the name that holds it, the number of the cell, and the line."""
    found = {}
    for number, cell in enumerate(cells.values()):
        if cell.cell_type != "code" or "use(" not in cell.source:
            continue
        for node in ast.walk(ast.parse(cell.source)):
            call = node.value if isinstance(node, ast.Assign) else None
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "use":
                found[call.args[0].value] = (node.targets[0].id, number, node.end_lineno)
    return found


def reads(source: str, name: str, after_line: int = 0) -> bool:
    """Tell whether `name` is read in the source, below a line, other than to hand it to `use` or `check`."""
    tree = ast.parse(source)
    judged = {
        id(argument)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("use", "check")
        for argument in ast.walk(node)
    }
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in judged]
    return any(n.id == name and isinstance(n.ctx, ast.Load) and n.lineno > after_line for n in nodes)


@pytest.mark.parametrize("path, name", ALL)
def test_every_answer_is_used_by_a_later_cell(path, name):
    cells = cells_of(path)
    used = used_names(cells)
    assert name in used, "the lesson never goes on with this answer"
    variable, number, line = used[name]
    assert number > list(cells).index(name)
    later = [cell.source for cell in list(cells.values())[number + 1 :] if cell.cell_type == "code"]
    here = list(cells.values())[number].source
    assert reads(here, variable, line) or any(reads(source, variable) for source in later), f"{variable} is not called"


@pytest.mark.parametrize("path, name", ALL)
def test_no_answer_is_imported_before_its_exercise(path, name):
    cells = cells_of(path)
    defined = {
        node.name for node in ast.parse(cells[name].source).body if isinstance(node, (ast.FunctionDef, ast.ClassDef))
    }
    for above in list(cells.values())[: list(cells).index(name)]:
        if above.cell_type == "code":
            imports = [node for node in ast.walk(ast.parse(above.source)) if isinstance(node, ast.ImportFrom)]
            assert not defined & {alias.asname or alias.name for node in imports for alias in node.names}


@pytest.mark.parametrize("path, name", ALL)
def test_a_task_has_two_folded_hints(path, name):
    assert len(re.findall(r"<details>\s*<summary>Hint", cells_of(path)[f"{name}-task"].source)) >= 2


def test_a_learner_writes_at_least_150_lines_in_lessons_01_to_07():
    lines = 0
    for path in LESSONS:
        for name in exercise_names(cells_of(path)):
            solution = Workplace(path, name).solution
            starter = {line.strip() for line in cells_of(path)[name].source.splitlines()}
            lines += sum(bool(line.strip()) and line.strip() not in starter for line in solution.splitlines())
    assert lines >= 150


@pytest.fixture
def sample_exercise():
    @exercise("99-double", why="Twice is twice.")
    def double(answer):
        expect(as_number(call(answer, [1.0])) != 1, "That is the number itself.")
        expect(close(call(answer, [3.0]), [6.0]), "Twice three is six.")

    yield "99-double"
    del EXERCISES["99-double"]


def test_check_prints_one_line_and_returns_nothing(sample_exercise, capsys):
    assert check(sample_exercise, lambda x: [2 * v for v in x]) is None
    assert capsys.readouterr().out == "99-double: ✓ right! Twice is twice.\n"


def test_a_forgotten_return_is_told_apart_from_an_empty_body(sample_exercise):
    def forgets(x):
        x[0] *= 2

    def empty(x):
        """Double."""
        ...

    assert "return" in verdict(sample_exercise, forgets)[1]
    assert verdict(sample_exercise, empty)[0] == "not attempted"
    assert verdict(sample_exercise, lambda x: ...)[0] == "not attempted"


def test_a_crash_in_the_answer_is_reported_without_addresses(sample_exercise):
    def crashes(x):
        raise RuntimeError(f"{object()} is bad")

    assert verdict(sample_exercise, crashes) == (
        "wrong",
        "Your answer could not be run or read: RuntimeError: <object object at 0x…> is bad",
    )


def test_an_answer_that_changes_its_input_is_told_so_since_later_cells_use_both():
    def in_place(x):
        x *= 2
        return x

    with pytest.raises(Wrong, match="changes what it is given"):
        call(in_place, torch.ones(3))
    assert call(lambda x: 2 * x, torch.ones(3)).tolist() == [2, 2, 2]


def test_an_unknown_exercise_is_an_error_that_names_the_known_ones(sample_exercise):
    with pytest.raises(ValueError, match="99-double"):
        check("99-triple", 1)


@pytest.mark.parametrize(
    "make", [list, tuple, lambda x: __import__("torch").tensor(x), lambda x: __import__("numpy").array(x)]
)
def test_numbers_may_come_as_list_tuple_tensor_or_array(make):
    assert as_array(make([1.0, 2.0])).tolist() == [1.0, 2.0]
