"""The copies of a problem's arrays that an adapter is given, so that its changes are found and reach no other."""

from collections.abc import Iterator
from dataclasses import fields, replace
from functools import lru_cache
from typing import Any

import numpy as np

from .problems import Array, Problem


@lru_cache(maxsize=256)
def handed(problem: Problem) -> Problem:
    """Return the copy that adapters are given: one object for all quantities, since adapters may keep values for it."""
    return copied(problem)


def restore(problem: Problem, given: Problem) -> None:
    """Restore the values of the arrays of a copy."""
    for (_, before), (_, after) in zip(named_arrays(problem), named_arrays(given), strict=True):
        np.copyto(after, before)


def copied(problem: Problem) -> Problem:
    """Copy the problem with every array in it."""
    return replace(problem, **{field.name: _copied(getattr(problem, field.name)) for field in fields(problem)})


def changed(problem: Problem, given: Problem) -> list[str]:
    """List the names of the arrays of a copy that no longer equal those of the problem."""
    pairs = zip(named_arrays(problem), named_arrays(given), strict=True)
    return [name for (name, before), (_, after) in pairs if not np.array_equal(before, after)]


def named_arrays(problem: Problem) -> Iterator[tuple[str, Array]]:
    """Every array of a problem with its name, such as `weights[1]` or `probes.direction[0]`."""
    for field in fields(problem):
        yield from _named(field.name, getattr(problem, field.name))


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
