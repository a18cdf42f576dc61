"""Explanation of wrong answers by known mistakes, or a description of the error if no mistake explains the answers."""

from collections.abc import Sequence
from typing import NamedTuple

from ..changes import LARGE
from ..oracle import Oracle
from ..quantities import Arrays, largest
from ..tolerances import ROUNDOFF
from .mistake import MISTAKES, Mistake
from .shape import shape_of_error

NEAR = 30
"""A mistake explains an answer if the mistake's arrays differ from the answer by at most this number of tolerances.

`NEAR` is large, because no rule bounds the rounding errors of a mistake.
"""


class Answered(NamedTuple):
    """An answer with the right number of arrays and the right shapes.

    oracle: the right answer to the same question
    arrays: the arrays of a wrong answer, or None for an answer that passed
    """

    oracle: Oracle
    arrays: Arrays | None


class Diagnosis(NamedTuple):
    """The explanation of the wrong answers for a quantity.

    mistakes: all mistakes that explain every answer; several mistakes if they agree on every problem
    shape:    a description of the error; empty if a mistake explains the answers
    tried:    False if no wrong answer was compared with the known mistakes, for example because all problems are large
    """

    mistakes: tuple[Mistake, ...]
    shape: str
    tried: bool = True

    def __str__(self) -> str:
        if self.mistakes:
            return " Or: ".join(f"{mistake.name}: {mistake.description}" for mistake in self.mistakes)
        return f"no known mistake {'explains the error' if self.tried else 'was tried'}: {self.shape}"


def diagnose(answers: Sequence[Answered], dtype: str) -> Diagnosis | None:
    """Explain the wrong answers of an implementation for a quantity. Returns None if no answer is wrong.

    Without a known mistake, the error of the first wrong answer is described. The caller should therefore put the
    answer with the largest error first.
    """
    wrong = [answer for answer in answers if answer.arrays is not None]
    if not wrong:
        return None
    tried = [answer for answer in wrong if _has_textbook(answer)]
    right = [answer for answer in answers if answer.arrays is None and _has_textbook(answer)]
    mistakes = tuple(
        mistake
        for mistake in MISTAKES.values()
        # wrong answers are compared first, because a wrong answer excludes more mistakes than a right answer
        if tried and all(explains(mistake, answer, dtype) for answer in (*tried, *right))
    )
    oracle, arrays = wrong[0]
    assert arrays is not None
    shape = "" if mistakes else shape_of_error(oracle, arrays, dtype)
    return Diagnosis(mistakes, shape, bool(tried))


def _has_textbook(answer: Answered) -> bool:
    """True if the textbook supports the problem. Large problems are not supported: the textbook forms every matrix."""
    return answer.oracle.problem.parameters < LARGE


def explains(mistake: Mistake, answer: Answered, dtype: str) -> bool:
    """True if the formulas of a mistake reproduce an answer within `NEAR` tolerances.

    The tolerances are those of the oracle's arrays. If the largest element of a mistake's array is larger than that of
    the oracle's array, the rounding errors of the mistake are larger too, and the tolerance is increased in proportion.

    A wrong answer must also be at least twice as close to the mistake as to the oracle. Therefore a mistake without an
    effect on the problem explains no wrong answer.
    """
    oracle = answer.oracle
    made = oracle.answer_of(mistake.textbook)
    if made is None:
        return False
    arrays = oracle.arrays if answer.arrays is None else answer.arrays
    near, nearer = True, answer.arrays is None
    for a, m, q, t, scale in zip(arrays, made, oracle.arrays, oracle.tolerances(dtype), oracle.scales, strict=True):
        rounding = max(1.0, largest(m) / scale) * t if scale > 0 else max(t, ROUNDOFF[dtype] * largest(m))
        near = near and largest(a - m) <= NEAR * rounding
        nearer = nearer or largest(a - m) <= largest(a - q) / 2 > t / 2
    return near and nearer
