"""The problems that every run has: each transfer function with each objective, so that none depends on the draw.

Three layers, the first two curved or kinked, more than one datapoint and label, and sizes that are all
different primes: a transpose has no shape to fit, a wrong factor of N, S or D_l no other to pass for. The
second layer is narrower than the last, where KFLR starts anew.
"""

from functools import cache
from itertools import pairwise

import numpy as np
from kfgn_reference import OBJECTIVES, TRANSFERS, gradient

from .margins import clear_of_kinks, near_border
from .problems import Array, Problem, dense_layers, exact

WIDTHS = (5, 7, 3, 11)
DATAPOINTS = 13
LABELS = 17


@cache
def cases() -> tuple[Problem, ...]:
    """One problem for each objective and transfer function of the first layer; the second layer has the next one."""
    names = sorted(TRANSFERS)
    return tuple(
        case(objective, (transfer, names[(i + 1) % len(names)]))
        for objective in sorted(OBJECTIVES)
        for i, transfer in enumerate(names)
    )


def case(objective: str, transfers: tuple[str, str]) -> Problem:
    """The first of its random problems, seed by seed, that is clear of every step and whose first layer matters."""
    for seed in range(1000):
        problem = attempt(objective, transfers, np.random.Generator(np.random.Philox(seed)))
        alive = np.any(gradient(problem.reference, problem.X, problem.Y)[1])
        if alive and clear_of_kinks(problem) and not near_border(problem).any():
            return exact(problem)
    raise AssertionError(f"no problem of {objective} and {transfers} would do")


def attempt(objective: str, transfers: tuple[str, str], rng: np.random.Generator) -> Problem:
    """Multiples of 1/16 up to 1 for weights and inputs, of 1/1024 for uniforms."""

    def dyadic(low: int, high: int, shape: tuple[int, ...], denominator: int) -> Array:
        return rng.integers(low * denominator, high * denominator, shape) / denominator

    def labels(*shape: int) -> Array:
        if objective == "categorical":
            return rng.integers(0, D_L, shape)
        return dyadic(-2, 2, (*shape, D_L), 16) if objective == "squared_error" else dyadic(0, 1, (*shape, D_L), 16)

    D_L = WIDTHS[-1]
    sampled = (DATAPOINTS, LABELS) if objective == "categorical" else (DATAPOINTS, LABELS, D_L)
    return Problem(
        id=f"case-{objective}-{transfers[0]}",
        layers=dense_layers(WIDTHS, transfers),
        objective=objective,
        weights=tuple(dyadic(-1, 1, (above, below + 1), 16) for below, above in pairwise(WIDTHS)),
        X=dyadic(-1, 1, (DATAPOINTS, WIDTHS[0]), 16),
        Y=labels(DATAPOINTS),
        labels=labels(DATAPOINTS, LABELS),
        draws=dyadic(-3, 3, sampled, 16) if objective == "squared_error" else dyadic(0, 1, sampled, 2**16),
    )
