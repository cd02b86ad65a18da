"""What a learner wrote, kept from lesson to lesson: right answers become files in `my_answers`, beside the notebooks.

`check.use` keeps the cell of a right answer as `my_answers/NN-name.py`. Lesson 07 builds its capstone from these files.
Nothing else reads them; they can be opened, changed and deleted. TAD_COURSE_ANSWERS names another folder; if it is
empty nothing is kept and nothing read (the tests run so).
"""

import contextlib
import linecache
import math
import os
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from tad_course.files import write_atomically

TOOLS = {"math": math, "np": np, "torch": torch, "nn": nn, "F": functional, "Tensor": torch.Tensor}


def folder() -> Path | None:
    """Return the folder of kept answers, which may not exist yet, or None if none are kept."""
    name = os.environ.get("TAD_COURSE_ANSWERS", "my_answers")
    return Path(name) if name else None


def cell_of(answer: Callable) -> str | None:
    """Return the source of the notebook cell, or of the file, that defines a function or a class."""
    functions = [answer, *vars(answer).values()] if isinstance(answer, type) else [answer]
    for function in functions:
        code = getattr(function, "__code__", None)
        if code and (lines := linecache.getlines(code.co_filename)):
            return "".join(lines)
    return None


def keep(name: str, answer) -> None:
    """Keep the cell that defines `answer` as the learner's answer to the exercise `name`; numbers are not kept."""
    where, source = folder(), cell_of(answer) if callable(answer) else None
    if where is None or source is None:
        return
    with contextlib.suppress(OSError):  # a read-only folder is no reason to stop a lesson
        where.mkdir(exist_ok=True)
        write_atomically(where / f"{name}.py", source.encode("utf-8"))


def kept(name: str, solutions: Mapping) -> Callable | None:
    """Return the learner's kept answer to `name`, or None; what it calls is looked up among the other answers.

    Its cell runs where `torch`, `nn`, `F`, `np`, `math` and the answers of this lesson and earlier ones are defined:
    the learner's, or the course's `solutions` where there is none.

    Raises:
        Exception: whatever running the learner's cell raises.
    """
    where = folder()
    if where is None or not (where / f"{name}.py").is_file():
        return None
    known = {key: answer for key, answer in solutions.items() if key[:2] <= name[:2] and callable(answer)}
    names = {answer.__name__: answer for answer in known.values()}
    space = TOOLS | names | {"__name__": "my_answers"}
    for file in sorted(where.glob("[0-9][0-9]-*.py")):
        if file.stem in known and file.stem != name:
            with contextlib.suppress(Exception):  # that answer's own `use` says what is wrong with it
                _run(file, space)
    return space[_defined(_run(where / f"{name}.py", space), solutions[name].__name__)]


def _run(file: Path, space: dict) -> list[str]:
    """Run a kept cell in `space` and return the names that it defines, in order."""
    source = file.read_text(encoding="utf-8")
    inside: dict = {}
    exec(compile(source, str(file), "exec"), space, inside)
    space.update(inside)
    return list(inside)


def _defined(names: list[str], preferred: str) -> str:
    """Return which of the names that a cell defines is the answer: that of the solution, or else the last."""
    if not names:
        raise ValueError("the file defines nothing")
    return preferred if preferred in names else names[-1]


def course_solutions(lesson: str) -> None:
    """Import the modules of all lessons up to `lesson`, so that their solutions are registered."""
    for number in range(int(lesson) + 1):
        with contextlib.suppress(ModuleNotFoundError):
            import_module(f"tad_course.lessons.lesson_{number:02}")
