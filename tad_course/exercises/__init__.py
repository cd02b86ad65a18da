"""Exercises: `check("02-swap", swap)` says not attempted, right (and why it matters), or wrong with a hint.

`core.py` has the machinery, `lesson_NN.py` the exercises (and the quiz) of lesson NN.
"""

from tad_course.exercises.core import check

__all__ = ["check"]
