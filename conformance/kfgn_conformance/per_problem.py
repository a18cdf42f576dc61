"""Values that are computed once per problem.

A problem never changes, and two problems are equal only if they are one object. So a value is kept by the object, and
is freed with it.
"""

import functools
from collections.abc import Callable
from typing import TypeVar
from weakref import WeakKeyDictionary

from .problems.problem import Problem

T = TypeVar("T")


def once_per_problem(compute: Callable[[Problem], T]) -> Callable[[Problem], T]:
    """Decorate a function of a problem, so that its value is kept for as long as the problem exists.

    The value must not refer to the problem, which would then exist for ever.
    """
    kept: WeakKeyDictionary[Problem, T] = WeakKeyDictionary()

    @functools.wraps(compute)
    def value(problem: Problem) -> T:
        if problem not in kept:
            kept[problem] = compute(problem)
        return kept[problem]

    return value
