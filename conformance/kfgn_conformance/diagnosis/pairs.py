"""Two mistakes at once, for wrong answers that no single mistake explains.

A pair is a class that inherits from the classes of both mistakes. A pair is first compared with the wrong answer on the
smallest problem, since this comparison takes little time and excludes nearly every pair.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import combinations, islice
from types import FunctionType

from ..quantities import largest
from .answers import answer_of, overridden
from .constant import constant_factor
from .explaining import Answered, explains
from .mistake import AnyTextbook, Mistake, mistakes_of

MOST = 3000
"""The largest number of pairs that are tried. This number of pairs takes a few seconds on a small problem."""

SAMPLE = 5
"""The approximate number of wrong answers in the sample that selects the mistakes of pairs.

A mistake is part of a pair only if the mistake changes the right answer to at least one question of the sample.
"""


def pairs(wrong: Sequence[Answered], right: Sequence[Answered], dtype: str) -> tuple[Mistake, ...]:
    """Return the pairs that explain every answer, each as one mistake. No pair is tried for the steps of an optimiser.

    A constant factor is the second mistake of a pair only if no two known mistakes explain the answers.

    wrong: the wrong answers
    right: the answers that passed
    """
    if wrong[0].oracle.quantity.of_trajectories:
        return ()
    by_size = sorted(wrong, key=lambda answer: answer.oracle.problem.parameters * answer.oracle.problem.N)
    sample = by_size[:: max(1, len(by_size) // SAMPLE)]
    known = mistakes_of(wrong[0].oracle.quantity).values()
    single = [each for each in known if any(_has_effect(each, answer, dtype) for answer in sample)]
    answers = [*sample, *by_size, *right]
    found = tuple(
        pair for pair in islice(_pairs(single), MOST) if all(explains(pair, answer, dtype) for answer in answers)
    )
    return found or tuple(pair for each in single for pair in constant_factor(by_size, right, dtype, each))


def _has_effect(mistake: Mistake, answer: Answered, dtype: str) -> bool:
    """True if a mistake changes the right answer to a question by more than the tolerance."""
    oracle = answer.oracle
    made = answer_of(mistake.textbook, oracle)
    if made is None:
        return False
    return any(largest(m - q) > t for m, q, t in zip(made, oracle.arrays, oracle.tolerances(dtype), strict=True))


def _pairs(mistakes: Sequence[Mistake]) -> Iterator[Mistake]:
    """Yield the pairs of mistakes that can be combined.

    Both mistakes may override the same methods. In this case, one of the mistakes must use `super()` in each of these
    methods.
    """
    for first, second in combinations(mistakes, 2):
        shared = overridden(first.textbook) & overridden(second.textbook)
        if all(_extends(first.textbook, name) for name in shared):
            yield from _pair(first, second)
        elif all(_extends(second.textbook, name) for name in shared):
            yield from _pair(second, first)


def _extends(textbook: AnyTextbook, name: str) -> bool:
    """True if a method of a mistake uses `super()`, so that a pair runs the methods of both mistakes."""
    method = getattr(textbook, name)
    function = method.fget if isinstance(method, property) else method
    return isinstance(function, FunctionType) and "__class__" in function.__code__.co_freevars


@cache
def _pair(first: Mistake, second: Mistake) -> tuple[Mistake, ...]:
    """Return a pair as one mistake, or nothing if no class can inherit from both classes in this order."""
    try:
        both = type(f"{first.textbook.__name__}And{second.textbook.__name__}", (first.textbook, second.textbook), {})
    except TypeError:  # the two classes have no consistent order in which Python can look up methods
        return ()
    description = f"Two mistakes together. First: {first.description} Second: {second.description}"
    return (Mistake(f"{first.name} and {second.name}", "pairs", description, "", both),)
