"""The term d of the tolerance rule: the change of a quantity if inputs and operations have errors of 24-bit rounding.

d is computed by the package `arithmetic`, which has the same results on every processor, so that d does not depend on
the machine. For problems with many weights, such as the autoencoder, `arithmetic` would take too long, and d is
computed in NumPy's float32.
"""

from collections.abc import Sequence

import numpy as np

from .arithmetic import Single, Triple, rounded_to
from .problems.problem import Array, Problem
from .quantities import Arrays, Quantity, largest

STEP = 2.0**-24
"""The unit roundoff u of float32, which is also the relative perturbation of each input."""

PERTURBATIONS = 8

LARGE = 10**5
"""A problem with at least this number of weights is perturbed only once.

For Q of the autoencoder, a test shows that d differs by less than a factor of 3 between perturbations.
"""


class UnusableOracleError(ValueError):
    """Raised if an oracle is not finite, or a term of its tolerance is not finite or cannot be computed."""


def changes(problem: Problem, quantity: Quantity) -> tuple[float, ...]:
    """Compute d of each array, to three digits.

    A problem with fewer than `LARGE` weights is perturbed eight times. In each perturbed problem, every real number x
    becomes x (1 + u) or x (1 - u) at random, and every operation of the reference is rounded to 24 bits. The results
    are compared with those of the unperturbed problem in an arithmetic of 40 bits. A problem with at least `LARGE`
    weights is perturbed once, and the result in NumPy's float32 is compared with the unperturbed result in float64.
    """
    rng = np.random.default_rng(0)
    if problem.parameters >= LARGE:
        exact = at(problem, quantity)
        moved = [perturbed(problem, rng, STEP).map_reals(lambda x: x.astype(np.float32))]
    else:
        exact = at(in_bits(problem, Triple), quantity)
        moved = [in_bits(perturbed(problem, rng, STEP), Single) for _ in range(PERTURBATIONS)]
    answers = zip(*(at(neighbour, quantity) for neighbour in moved), strict=True)
    return tuple(float(f"{change(a, near):.3g}") for a, near in zip(exact, answers, strict=True))


def change(exact: Array, near: Sequence[Array]) -> float:
    """Return d of an array: the maximum of the largest change of the array and two lower bounds of d.

    The first lower bound is u max|Q|, since the last operation rounds every element. An array of integers is not
    rounded, and does not have this bound. The second lower bound is twice the largest root mean square of the
    changes of one element. A normally distributed error seldom exceeds twice its root mean square. The second bound is
    needed because the largest of eight changes of a single number may be small by chance. A problem that is perturbed
    only once does not have the second bound.
    """
    changes = np.stack([b - exact for b in near]).astype(np.float64)
    spread = 2 * largest(np.sqrt(np.mean(changes**2, axis=0)))
    last_rounding = 0.0 if exact.dtype.kind in "iu" else STEP * largest(exact)
    return max(largest(changes), spread if len(near) > 1 else 0.0, last_rounding)


def perturbed(problem: Problem, rng: np.random.Generator, step: float) -> Problem:
    """Multiply every real number in the problem by 1 + step or 1 - step at random."""
    return problem.map_reals(lambda x: x * (1 + step * rng.choice([-1.0, 1.0], size=x.shape)))


def in_bits(problem: Problem, precision: type[Single | Triple]) -> Problem:
    """Convert the real numbers of the problem to an arithmetic of 24 bits (`Single`) or 40 bits (`Triple`)."""
    return problem.map_reals(lambda x: rounded_to(precision, x))


def at(problem: Problem, quantity: Quantity) -> Arrays:
    """Compute the quantity in the arithmetic of the problem, and convert the results to ordinary arrays.

    Raises `UnusableOracleError` if the reference raises an `ArithmeticError` or a `ValueError` in this arithmetic.
    """
    try:
        with np.errstate(over="ignore", divide="ignore", invalid="ignore", under="ignore"):
            return tuple(np.asarray(a) for a in quantity.value(problem))
    except (ArithmeticError, ValueError) as error:
        raise UnusableOracleError(f"{quantity.name} on {problem.id}: the tolerance has no value: {error}") from error
