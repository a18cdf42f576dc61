"""Explanation of wrong answers by known mistakes, or a description of the error if no mistake explains the answers."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ..changes import LARGE
from .constant import constant_factor
from .explaining import Answered, explains
from .mistake import Mistake, mistakes_of
from .pairs import pairs
from .shape import shape_of_error


class Diagnosis(NamedTuple):
    """The explanation of the wrong answers for a quantity.

    mistakes: the explanations, each of which alone reproduces every answer on the problems that the textbook supports:
              known mistakes, or a constant factor, or undeclared conventions, or pairs of mistakes
    shape:    a description of the error; empty if a mistake explains the answers
    tried:    False if no wrong answer was compared with the known mistakes, because every problem with a wrong answer
              is too large for the textbook
    """

    mistakes: tuple[Mistake, ...]
    shape: str
    tried: bool = True

    def __str__(self) -> str:
        if self.mistakes:
            return " Or: ".join(f"{mistake.name}: {mistake.description}" for mistake in self.mistakes)
        return f"no known mistake {'explains the error' if self.tried else 'was tried'}: {self.shape}"


def nothing() -> tuple[Mistake, ...]:
    """Return no mistake: the default of `further` in `diagnose`."""
    return ()


def diagnose(
    answers: Sequence[Answered], dtype: str, further: Callable[[], tuple[Mistake, ...]] = nothing
) -> Diagnosis | None:
    """Explain the wrong answers of an implementation for a quantity. Returns None if no answer is wrong.

    If no single mistake explains the answers, the function tries a constant factor, then the mistakes that `further`
    finds, and then pairs of mistakes, until an explanation is found. If no explanation is found, the error of the first
    wrong answer is described. The caller should therefore put the answer with the largest error first.
    """
    wrong = [answer for answer in answers if answer.arrays is not None]
    if not wrong:
        return None
    tried = [answer for answer in wrong if _has_textbook(answer)]
    right = [answer for answer in answers if answer.arrays is None and _has_textbook(answer)]
    mistakes = tuple(
        mistake
        for mistake in mistakes_of(wrong[0].oracle.quantity).values()
        # wrong answers are compared first, because a wrong answer excludes more mistakes than a right answer
        if tried and all(explains(mistake, answer, dtype) for answer in (*tried, *right))
    )
    if tried and not mistakes:
        mistakes = constant_factor(tried, right, dtype) or further() or pairs(tried, right, dtype)
    oracle, arrays = wrong[0]
    assert arrays is not None
    shape = "" if mistakes else shape_of_error(oracle, arrays, dtype, wrong)
    return Diagnosis(mistakes, shape, bool(tried))


def _has_textbook(answer: Answered) -> bool:
    """True if the textbook supports the problem. The textbook forms every matrix, so no large problem is supported."""
    return answer.oracle.problem.parameters < LARGE
