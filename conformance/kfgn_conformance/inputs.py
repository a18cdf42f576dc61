"""The copies of a problem's arrays that an adapter gets. Its changes to them are found, and reach no other adapter."""

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

import numpy as np

from .per_problem import once_per_problem
from .problems.problem import Array, Problem


@once_per_problem
def copy_for_adapters(problem: Problem) -> Problem:
    """Return the copy that adapters get. It is one object for all quantities, since adapters may keep values for it."""
    return copied(problem)


def restore(problem: Problem, given: Problem) -> None:
    """Give a copy new copies of every array, even of an array that was replaced or has a different shape now."""
    for field in fields(problem):
        object.__setattr__(given, field.name, _copied(getattr(problem, field.name)))


def copied(problem: Problem) -> Problem:
    """Copy the problem with every array in it."""
    return replace(problem, **{field.name: _copied(getattr(problem, field.name)) for field in fields(problem)})


def changed(problem: Problem, given: Problem) -> list[str]:
    """List the names of the arrays of a copy that no longer equal those of the problem."""
    now = dict(named_arrays(given))
    return [name for name, before in named_arrays(problem) if name not in now or not _equal(before, now[name])]


def of_changed(names: list[str]) -> str:
    """Describe the fault of an adapter that changed these arrays."""
    return f"it changed the arrays of the problem that it was given: {', '.join(names)}"


def _equal(before: Array, after: Array) -> bool:
    return before.dtype == after.dtype and np.array_equal(before, after)


def named_arrays(problem: Problem) -> Iterator[tuple[str, Array]]:
    """Yield every array of a problem with its name, such as `weights[1]` or `arguments.direction[0]`."""
    for field in fields(problem):
        yield from _named(field.name, getattr(problem, field.name, None))


def _copied(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, tuple):
        parts = map(_copied, value)
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    return value


def _named(name: str, value: Any) -> Iterator[tuple[str, Array]]:
    if isinstance(value, np.ndarray):
        yield name, value
    elif isinstance(value, tuple):
        names = getattr(value, "_fields", None)
        for i, part in enumerate(value):
            yield from _named(f"{name}.{names[i]}" if names else f"{name}[{i}]", part)
