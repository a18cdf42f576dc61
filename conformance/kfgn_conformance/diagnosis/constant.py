"""A constant factor by which answers are wrong, alone or together with a known mistake.

The factor is a fraction of small integers, such as 2 or 1/3, and is computed from the answers. The factor must be the
same on every problem to which it applies. The factor may apply to the problems of some objectives only, for example if
the loss of one objective has a wrong factor.
"""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from ..quantities import Arrays
from .answers import answer_of
from .explaining import Answered, explains
from .mistake import AnyTextbook, Mistake, right_formulas

NAME = "constant-factor"

LARGEST = 16
"""The largest numerator and the largest denominator of a factor. With larger numbers, a fraction can fit by chance."""

ROUGH = 1e-3
"""The largest relative difference between a measured factor and its fraction. `explains` then tests every element."""

PROBLEMS = 2
"""The smallest number of problems on which a factor must explain the wrong answer."""


def constant_factor(
    wrong: Sequence[Answered], right: Sequence[Answered], dtype: str, mistake: Mistake | None = None
) -> tuple[Mistake, ...]:
    """Find a constant factor that explains every answer. Return the factor as one mistake, or nothing.

    wrong:   the wrong answers
    right:   the answers that passed
    mistake: a known mistake whose answers are multiplied by the factor; if None, the right answers are multiplied
    """
    textbook = right_formulas(wrong[0].oracle.quantity) if mistake is None else mistake.textbook
    factors: dict[str, Fraction] = {}
    for answer in wrong:
        factor = _factor(answer, textbook)
        if factor is None or factors.setdefault(answer.oracle.problem.objective, factor) != factor:
            return ()
    changed = {objective: factor for objective, factor in factors.items() if factor != 1}
    times = sum(answer.oracle.problem.objective in changed for answer in wrong)
    if len(set(changed.values())) != 1 or times < PROBLEMS:
        return ()
    both = _scaled(textbook, changed)
    description = _description([*wrong, *right], changed, mistake)
    name = NAME if mistake is None else f"{mistake.name} and {NAME}"
    found = Mistake(name, "constants", description, "", both)
    return (found,) if all(explains(found, answer, dtype) for answer in (*wrong, *right)) else ()


def _factor(answer: Answered, textbook: AnyTextbook) -> Fraction | None:
    """Return the factor of a wrong answer as a fraction, measured on the array with the largest norm.

    The result is None if the answer consists of integers, if the formulas of the textbook fail or give only zeros, or
    if no fraction of small integers is near the measured factor.
    """
    if answer.oracle.value.integer or answer.arrays is None:
        return None
    is_right = textbook is right_formulas(answer.oracle.quantity)
    made = answer.oracle.arrays if is_right else answer_of(textbook, answer.oracle)
    if made is None:
        return None
    squares = [float(np.sum(m * m)) for m in made]
    i = int(np.argmax(squares))
    if squares[i] == 0:
        return None
    measured = float(np.sum(answer.arrays[i] * made[i])) / squares[i]
    if not np.isfinite(measured):
        return None
    factor = simple(measured)
    return factor if factor and abs(measured - factor) <= ROUGH * abs(factor) else None


def simple(number: float) -> Fraction | None:
    """A fraction near a number, with numerator and denominator at most `LARGEST`.

    The result is None if the absolute value of the number is not between 1 / (2 `LARGEST`) and 2 `LARGEST`.
    """
    if not 1 / (2 * LARGEST) < abs(number) < 2 * LARGEST:
        return None
    if abs(number) <= 1:
        fraction = Fraction(number).limit_denominator(LARGEST)
    else:
        fraction = 1 / Fraction(1 / number).limit_denominator(LARGEST)
    return fraction if max(abs(fraction.numerator), fraction.denominator) <= LARGEST else None


def _scaled(textbook: AnyTextbook, factors: dict[str, Fraction]) -> AnyTextbook:
    """A subclass of a textbook that multiplies each answer by the factor of the problem's objective.

    factors: the factor of each objective; an objective without an entry has the factor 1
    """

    class Scaled(textbook):  # type: ignore[misc, valid-type]
        def answer(self, quantity: str) -> Arrays:
            factor = float(factors.get(self.problem.objective, 1))
            return tuple(factor * array for array in super().answer(quantity))

    return Scaled


def _description(answers: Sequence[Answered], factors: dict[str, Fraction], mistake: Mistake | None) -> str:
    """Describe the factor, the problems to which it applies, and the convention that may declare it."""
    every = {answer.oracle.problem.objective for answer in answers}
    n = sum(answer.oracle.problem.objective in factors for answer in answers)
    (factor,) = set(factors.values())
    where = "" if every == set(factors) else f" with the objective {' or '.join(sorted(factors))}"
    constant = f"Every answer is multiplied by {factor}, on all {n} problems{where}."
    degree = answers[0].oracle.quantity.degree
    ratio = root(factor, degree) if degree else None
    if ratio is not None:
        declared = ", ".join(f'"{objective}": "{ratio}"' for objective in sorted(factors))
        constant += f" If this factor is meant, because the loss is {ratio} times the kit's loss, declare "
        constant += f"Conventions(loss={{{declared}}})."
    return constant if mistake is None else f"Two mistakes together. First: {mistake.description} Second: {constant}"


def root(factor: Fraction, degree: int) -> Fraction | None:
    """The positive fraction r of small integers with r^degree = factor, or None if no such fraction exists."""
    if factor <= 0:
        return None
    found = simple(float(factor) ** (1 / degree))
    return found if found is not None and found**degree == factor else None
