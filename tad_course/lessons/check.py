"""What every exercise shares: three verdicts, and ways to look at an answer that are fair to all right solutions.

An exercise is a function that takes the answer, returns nothing if it is right, and otherwise says what is wrong:

    @exercise("01-count", why="Two channels double everything: memory, time, cost.")
    def count(answer):
        number = as_number(call(answer, 2.0))
        expect(number != 88_200, "That is one channel; stereo has two.")
        expect(number == 176_400, "Seconds times samples a second times channels.")
"""

import contextlib
import copy
import dis
import re
import types
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module

import numpy as np
import torch

from tad_course.lessons.answers import course_solutions, keep, kept

EXERCISES: dict[str, "Exercise"] = {}
SOLUTIONS: dict[str, Callable] = {}  # the course's own answers to exercises whose answers later cells use


class NotAttempted(Exception):
    """The answer is still the starter's."""


class Wrong(Exception):
    """The answer is wrong; the message is the hint."""


@dataclass(frozen=True)
class Exercise:
    """A named check; `why` is what a learner reads after solving it."""

    name: str
    why: str
    judge: Callable


def exercise(name: str, why: str) -> Callable:
    """Register the decorated function as the check of the exercise `name`, "NN-word"."""

    def register(judge: Callable) -> Callable:
        EXERCISES[name] = Exercise(name, why, judge)
        return judge

    return register


def find(name: str) -> Exercise:
    """Return the exercise `name`; its lesson's module is imported when first needed.

    Raises:
        ValueError: if there is no such exercise.
    """
    with contextlib.suppress(ModuleNotFoundError):
        import_module(f"tad_course.lessons.lesson_{str(name)[:2]}")
    if name not in EXERCISES:
        raise ValueError(f"There is no exercise {name!r}. Known here: {', '.join(sorted(EXERCISES)) or 'none'}.")
    return EXERCISES[name]


def verdict(name: str, answer) -> tuple[str, str]:
    """Return ("not attempted" | "right" | "wrong", what to tell the learner); any answer is fine, nonsense too."""
    task = find(name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if _is_blank(answer):
                raise NotAttempted
            task.judge(answer)
        return "right", task.why
    except NotAttempted:
        return "not attempted", "Fill in the `...` in the cell above, run it, then run this cell again."
    except Wrong as hint:
        return "wrong", str(hint)
    except Exception as error:
        return _stumbled(error)


def _stumbled(error: Exception) -> tuple[str, str]:
    message = re.sub(r"0x[0-9a-fA-F]+", "0x…", f"{type(error).__name__}: {error}").splitlines()[0][:200]
    if "ellipsis" in message.lower():
        return "not attempted", "There is still a `...` in the cell above; fill it in, then run this cell again."
    mixed = "must be Tensor, not numpy" in message or "can't convert" in message or "expected one of" in message
    if "bitwise_and" in message or "bitwise_or" in message:
        return "wrong", "Put each comparison in parentheses: (hz >= low) & (hz < high)."
    if "return_types.max" in message or "torch.return_types" in message:
        return "wrong", "`x.max(1)` returns values and indices; `x.amax(1)` returns the values alone."
    if ("cumsum" in message or "cumprod" in message) and "expected one of" in message:
        return "wrong", "`torch.cumsum` and `cumprod` need to know along which axis: `torch.cumsum(x, 0)`."
    if "must be Tensor, not int" in message or "must be Tensor, not float" in message:
        return "wrong", f"{message}. For a plain number use Python: `2**0.5`, `math.sin(1.0)`."
    remedy = " (Are numpy and torch mixed? Use np.sin for arrays, torch.sin for tensors.)" if mixed else ""
    return "wrong", f"Your answer could not be run or read: {message}{remedy}"


def check(name: str, answer) -> None:
    """Print whether `answer` solves the exercise `name`, and a hint if not. Never raises for a wrong answer."""
    state, message = verdict(name, answer)
    if callable(answer) and answer is SOLUTIONS.get(name):
        state, message = "not attempted", "This name holds the answer of the course; run the cell with yours once more."
    mark = {"not attempted": "○ not attempted yet.", "right": "✓ right!", "wrong": "✗ not yet."}[state]
    print(f"{name}: {mark} {message}")


def use(name: str, answer=None):
    """Return the learner's answer to the exercise `name` if it is right, otherwise the course's own; print which it is.

    A right answer is kept (`tad_course.lessons.answers`). Without `answer`, as in the capstone of lesson 07, the kept
    one is taken.
    """
    find(name)
    course_solutions(name[:2])
    given, whose, problem = answer is not None, "your answer", ""
    if not given:
        whose = f"the answer that you wrote in lesson {name[:2]}"
        try:
            answer = kept(name, SOLUTIONS)
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
    state, message = verdict(name, answer)
    right = state == "right" and answer is not SOLUTIONS[name]
    if right and given:
        keep(name, answer)
    if not right:
        problem = problem or ("" if given or answer is None else message)
        whose = "the answer of the course"
        whose += f" (yours, in my_answers/{name}.py, is not right: {problem})" if problem else ""
    print(f"{name}: from here on the lesson uses {whose}.")
    return answer if right else SOLUTIONS[name]


def expect(condition, hint: str) -> None:
    """Say that the answer is wrong, with this hint, unless `condition` holds."""
    if not bool(condition):
        raise Wrong(hint)


def _is_blank(value) -> bool:
    if isinstance(value, (tuple, list)) and value:
        return any(_is_blank(v) for v in value if v is None or v is ... or isinstance(v, (tuple, list)))
    if isinstance(value, dict) and value:
        return any(v is None or v is ... for v in value.values())
    return value is None or value is ... or (isinstance(value, types.FunctionType) and _is_stub(value))


def _is_stub(function: types.FunctionType) -> bool:
    """Tell whether a function's body is nothing but a docstring and `...` or `pass`."""
    code = function.__code__
    steps = {step.opname for step in dis.get_instructions(code)}
    empty = steps <= {"RESUME", "COPY_FREE_VARS", "NOP", "LOAD_CONST", "RETURN_VALUE", "RETURN_CONST"}
    return empty and all(const in (None, ..., function.__doc__) for const in code.co_consts)


def call(function, *args, **kwargs):
    """Return `function(*args)`, called with copies; an answer that changes a tensor or an array is wrong.

    Raises:
        NotAttempted: if a `...` comes back.
        Wrong: if it is no function, takes other arguments, or returns nothing.
    """
    expect(
        callable(function), f"Hand over the function itself, by its name and without brackets, not a {_kind(function)}."
    )
    given = copy.deepcopy(args)
    result = function(*given, **copy.deepcopy(kwargs))
    changed = any(_is_data(a) and not _same(a, b) for a, b in zip(args, given, strict=True))
    expect(
        not changed,
        "Your function changes what it is given (as `x *= a` does); later cells need that. Write `x = x * a`.",
    )
    expect(result is not None, "Your function returns nothing: is a `return` missing at its end?")
    if _is_blank(result):
        raise NotAttempted
    return result


def _is_data(value) -> bool:
    return isinstance(value, (torch.Tensor, np.ndarray))


def _same(a, b) -> bool:
    return a.shape == b.shape and bool((a == b).all())


def _kind(value) -> str:
    return type(value).__name__


def as_array(value, what: str = "answer") -> np.ndarray:
    """Return a tensor, array, list or number of any dtype as a float64 (or complex128) array.

    Raises:
        Wrong: if it holds no numbers, or infinite ones.
    """
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu().resolve_conj().resolve_neg()
        value = value.float() if value.dtype == torch.bfloat16 else value
    try:
        array = np.asarray([np.asarray(v) for v in value] if isinstance(value, (list, tuple)) else value)
        expect(array.dtype.kind in "biufc", "")
    except Exception:
        raise Wrong(f"The {what} should be numbers (a tensor or an array), not a {_kind(value)}.") from None
    array = array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)
    expect(np.isfinite(array).all(), f"The {what} holds NaN or infinite values: is something divided by zero?")
    return array


def as_signal(value, shape: tuple[int, ...], what: str = "answer") -> np.ndarray:
    """Return `value` as an array of `shape`, forgiving axes of length 1 in excess.

    Raises:
        Wrong: with both shapes in the hint.
    """
    array = as_array(value, what)
    same = [n for n in array.shape if n != 1] == [n for n in shape if n != 1]
    expect(same, f"The {what} has the shape {list(array.shape)}, but it should be {list(shape)}.")
    return array.reshape(shape)


def as_number(value, what: str = "answer") -> float:
    """Return a number, or a tensor or array that holds just one, as a float (complex with no imaginary part too)."""
    expect(not isinstance(value, bool), f"The {what} should be a number, not True or False.")
    array = as_array(value, what)
    expect(array.size == 1, f"The {what} should be one number, not {array.size}.")
    return float(array.reshape(()).real)


def as_choice(value, choices: str) -> str:
    """Return the letter or word chosen, one of the words in `choices`, whatever its case."""
    word = str(value).strip().strip(".'\"").lower()
    expect(word in choices.lower().split(), f"Answer with one of: {', '.join(choices.split())}.")
    return word


def close(a, b, rtol: float = 1e-3, atol: float = 1e-5) -> bool:
    """Tell whether two arrays agree, to a tolerance that forgives float32 and another order of sums."""
    a, b = as_array(a), as_array(b)
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=rtol, atol=atol))


def expect_none_of(got, mistakes: Mapping, rtol: float = 1e-3, atol: float = 1e-5) -> None:
    """Say which mistake was made, if `got` is what one of them gives; `mistakes` is hint -> what it gives."""
    for hint, value in mistakes.items():
        expect(not close(got, value, rtol, atol), hint)
