"""Copies of problems for adapters.

If an adapter changes an array of a copy, the kit finds the change and restores the copy, so that no other adapter
receives the changed array.
"""

from dataclasses import fields

import numpy as np

from .per_problem import once_per_problem
from .problems.problem import Array, Problem


@once_per_problem
def copy_for_adapters(problem: Problem) -> Problem:
    """Return the copy of a problem that all adapters receive for all quantities.

    The copy is one object, because an adapter may cache values per problem object.
    """
    return copied(problem)


def restore(problem: Problem, given: Problem) -> None:
    """Restore every array of the copy `given`, even if an adapter replaced the array or changed its shape."""
    again = copied(problem)
    for field in fields(problem):
        object.__setattr__(given, field.name, getattr(again, field.name))


def copied(problem: Problem) -> Problem:
    """Copy a problem, with all arrays of the problem."""
    return problem.map_arrays(lambda _path, array: array.copy())


def changed(problem: Problem, given: Problem) -> list[str]:
    """List the names of the arrays in the copy `given` that differ from the arrays of the problem."""
    now = dict(given.arrays())
    return [name for name, before in problem.arrays() if name not in now or not _equal(before, now[name])]


def of_changed(names: list[str]) -> str:
    """Describe the fault of an adapter that changed the arrays with these names."""
    return f"the adapter changed these arrays of its problem: {', '.join(names)}"


def _equal(before: Array, after: Array) -> bool:
    return before.dtype == after.dtype and np.array_equal(before, after)
