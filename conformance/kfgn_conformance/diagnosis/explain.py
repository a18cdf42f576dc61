"""Which known mistakes explain wrong answers; what the error looks like where none does."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from ..changes import LARGE
from ..problems.problem import Problem
from ..quantities import Arrays, Quantity, largest
from ..tolerances import ROUNDOFF, tolerances, truth
from .mistake import MISTAKES, Mistake
from .shape import shape_of_error

NEAR = 30
"""Tolerances within which an answer is a mistake's: its rounding has no rule of its own."""


class Answered(NamedTuple):
    """A well-formed answer on a problem; arrays: None for one that passed, which is the oracle's to all purposes."""

    problem: Problem
    arrays: Arrays | None


class Diagnosis(NamedTuple):
    """The explanation of a quantity's wrong answers.

    mistakes: those that each explain every answer, right or wrong: no problem among these can tell them apart
    shape:    what the error looks like; empty where a mistake explains it
    tried:    whether any wrong answer was compared with the known mistakes; answers on large problems are not
    """

    mistakes: tuple[Mistake, ...]
    shape: str
    tried: bool = True

    def __str__(self) -> str:
        if self.mistakes:
            return " Or: ".join(f"{mistake.name}: {mistake.description}" for mistake in self.mistakes)
        return f"no known mistake {'explains this' if self.tried else 'was tried'}: {self.shape}"


def within_reach(problem: Problem) -> bool:
    """Whether the textbook, which forms every matrix, can answer on the problem."""
    return problem.parameters < LARGE


def diagnose(answers: Sequence[Answered], quantity: Quantity, dtype: str) -> Diagnosis | None:
    """Explain the wrong ones of all answers of an implementation for a quantity; None where none is wrong.

    The shape is that of the first wrong answer, so that the worst should come first.
    """
    wrong = [answer for answer in answers if answer.arrays is not None]
    if not wrong:
        return None
    tried = [answer for answer in wrong if within_reach(answer.problem)]
    right = [answer for answer in answers if answer.arrays is None and within_reach(answer.problem)]
    mistakes = tuple(
        mistake
        for name, mistake in MISTAKES.items()
        # the wrong answers come first: they differ most from the oracle, and exclude most mistakes
        if tried and all(explains(name, answer, quantity, dtype) for answer in (*tried, *right))
    )
    problem, arrays = wrong[0]
    assert arrays is not None
    shape = "" if mistakes else shape_of_error(problem, quantity, arrays, dtype)
    return Diagnosis(mistakes, shape, bool(tried))


def explains(name: str, answer: Answered, quantity: Quantity, dtype: str) -> bool:
    """Whether the mistake has this answer on this problem, to some tolerances, and a wrong one better than the oracle.

    Tolerances are those of the oracle, in proportion where the mistake's array is larger, as its rounding is then.

    Without the second a mistake that changes nothing here would explain whatever is nearly right.
    """
    made = mistaken(name, answer.problem, quantity)
    if made is None:
        return False
    oracle, allowed = truth(answer.problem, quantity), tolerances(answer.problem, quantity, dtype)
    arrays = oracle.arrays if answer.arrays is None else answer.arrays
    near, nearer = True, answer.arrays is None
    for a, m, q, t, scale in zip(arrays, made, oracle.arrays, allowed, oracle.scales, strict=True):
        rounding = max(1.0, largest(m) / scale) * t if scale > 0 else max(t, ROUNDOFF[dtype] * largest(m))
        near = near and largest(a - m) <= NEAR * rounding
        nearer = nearer or largest(a - m) <= largest(a - q) / 2 > t / 2
    return near and nearer


@lru_cache(maxsize=2**14)
def mistaken(name: str, problem: Problem, quantity: Quantity) -> Arrays | None:
    """The mistake's answer in float64; None where it has none in the right shapes: it is no explanation there."""
    try:
        with np.errstate(all="ignore"):
            made = quantity.view(problem, MISTAKES[name].textbook(problem).answer(quantity.name))
    except (np.linalg.LinAlgError, ValueError, ZeroDivisionError):
        return None
    right = truth(problem, quantity).arrays
    if [a.shape for a in made] != [a.shape for a in right] or not all(np.all(np.isfinite(a)) for a in made):
        return None
    return made
