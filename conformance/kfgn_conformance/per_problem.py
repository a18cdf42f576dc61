"""Values that are computed once per problem.

A problem never changes, and two problems are equal only if they are one object. A value is therefore stored with the
problem as the key, and is freed together with the problem.
"""

import functools
from collections.abc import Callable
from typing import TypeVar
from weakref import WeakKeyDictionary

from .problems.problem import Problem

T = TypeVar("T")


def once_per_problem(compute: Callable[[Problem], T]) -> Callable[[Problem], T]:
    """Decorate a function of a problem, so that the function's value is stored for as long as the problem exists.

    The value must not refer to the problem, since the problem would then never be freed.
    """
    kept: WeakKeyDictionary[Problem, T] = WeakKeyDictionary()

    @functools.wraps(compute)
    def value(problem: Problem) -> T:
        if problem not in kept:
            kept[problem] = compute(problem)
        return kept[problem]

    return value
