"""The d of the tolerance rule: the change of a quantity when the inputs and every operation are rounded to 24 bits.

It is computed in an arithmetic that is the same on every processor (`arithmetic`), so that no tolerance depends on the
machine. The autoencoder is the exception: its products take too long in that arithmetic, so NumPy's float32 is used.
"""

from collections.abc import Sequence

import numpy as np

from .arithmetic import Single, Triple, rounded_to
from .problems.problem import Array, Problem
from .quantities import Arrays, Quantity, largest

STEP = 2.0**-24
"""u of float32. Each input moves by this fraction of its value, and each operation is rounded to 24 bits."""

PERTURBATIONS = 8

LARGE = 10**5
"""The number of weights from which one perturbation is enough. A test shows that the maximum then hardly varies."""


class UnusableOracleError(ValueError):
    """An oracle, or a part of its tolerance, is NaN or infinite or cannot be computed with 24 bits."""


def changes(problem: Problem, quantity: Quantity) -> tuple[float, ...]:
    """Compute d of each array, to three digits.

    d is computed from eight perturbed problems. In each of them every real number x becomes x (1 + u) or x (1 - u) at
    random, and every operation of the reference is rounded to 24 bits. A problem with at least `LARGE` weights is
    perturbed once, and computed in NumPy's float32.
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
    """Return the distance by which an array moves: the largest of its changes, but no less than two lower bounds.

    The last rounding alone moves an answer by u max|Q|, unless it is an integer. Twice the root of the mean square is
    a bound of a normal error. The largest of eight changes of a single number may be small by chance.
    """
    changes = np.stack([b - exact for b in near]).astype(np.float64)
    spread = 2 * largest(np.sqrt(np.mean(changes**2, axis=0)))
    last_rounding = 0.0 if exact.dtype.kind in "iu" else STEP * largest(exact)
    return max(largest(changes), spread if len(near) > 1 else 0.0, last_rounding)


def perturbed(problem: Problem, rng: np.random.Generator, step: float) -> Problem:
    """Multiply every real number in the problem by 1 + step or 1 - step at random."""
    return problem.map_reals(lambda x: x * (1 + step * rng.choice([-1.0, 1.0], size=x.shape)))


def in_bits(problem: Problem, precision: type[Single | Triple]) -> Problem:
    """Convert the problem to an arithmetic of this many bits."""
    return problem.map_reals(lambda x: rounded_to(precision, x))


def at(problem: Problem, quantity: Quantity) -> Arrays:
    """Compute the quantity in the arithmetic of the problem, and return ordinary arrays."""
    try:
        with np.errstate(over="ignore", divide="ignore", invalid="ignore", under="ignore"):
            return tuple(np.asarray(a) for a in quantity.value(problem))
    except (ArithmeticError, ValueError) as error:
        raise UnusableOracleError(f"{quantity.name} on {problem.id}: no value with 24 bits: {error}") from error
