"""Explanation of wrong answers by known mistakes, or else by the shape of the error."""

from collections.abc import Sequence
from typing import NamedTuple

from ..changes import LARGE
from ..oracle import Oracle
from ..quantities import Arrays, largest
from ..tolerances import ROUNDOFF
from .mistake import MISTAKES, Mistake
from .shape import shape_of_error

NEAR = 30
"""The number of tolerances within which a mistake reproduces an answer. The mistake's rounding has no rule."""


class Answered(NamedTuple):
    """An answer of the right form to the oracle's question. arrays: None if it passed, and so equals the oracle."""

    oracle: Oracle
    arrays: Arrays | None


class Diagnosis(NamedTuple):
    """The explanation of the wrong answers for a quantity.

    mistakes: the mistakes that each explain every answer, right or wrong; these problems cannot tell them apart
    shape:    the shape of the error; empty if a mistake explains the answers
    tried:    False if no wrong answer was compared with the known mistakes, as for large problems
    """

    mistakes: tuple[Mistake, ...]
    shape: str
    tried: bool = True

    def __str__(self) -> str:
        if self.mistakes:
            return " Or: ".join(f"{mistake.name}: {mistake.description}" for mistake in self.mistakes)
        return f"no known mistake {'explains this' if self.tried else 'was tried'}: {self.shape}"


def diagnose(answers: Sequence[Answered], dtype: str) -> Diagnosis | None:
    """Explain the wrong answers of an implementation for a quantity. None if no answer is wrong.

    The shape is that of the first wrong answer, so the worst one should come first.
    """
    wrong = [answer for answer in answers if answer.arrays is not None]
    if not wrong:
        return None
    tried = [answer for answer in wrong if _has_textbook(answer)]
    right = [answer for answer in answers if answer.arrays is None and _has_textbook(answer)]
    mistakes = tuple(
        mistake
        for mistake in MISTAKES.values()
        # the wrong answers come first: they differ most from the oracle, and exclude most mistakes
        if tried and all(explains(mistake, answer, dtype) for answer in (*tried, *right))
    )
    oracle, arrays = wrong[0]
    assert arrays is not None
    shape = "" if mistakes else shape_of_error(oracle, arrays, dtype)
    return Diagnosis(mistakes, shape, bool(tried))


def _has_textbook(answer: Answered) -> bool:
    """True if a textbook can answer on the problem. It forms every matrix."""
    return answer.oracle.problem.parameters < LARGE


def explains(mistake: Mistake, answer: Answered, dtype: str) -> bool:
    """True if the mistake reproduces the answer within `NEAR` tolerances, and a wrong answer better than the oracle.

    The tolerances are the oracle's. If the mistake's array is larger than the oracle's, its rounding is larger too, and
    the tolerance grows in proportion.

    Without the second condition, a mistake that changes nothing here would explain every answer that is nearly right.
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
