"""Problems that differ from another problem in one part, so that an answer kept from that problem is wrong.

A cache may have the weights as its key and forget the batch, or have the shapes as its key and forget the numbers.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from .problems.discontinuities import clear_of_kinks, near_border
from .problems.dyadic import Shape, dyadic_problem
from .problems.problem import Arguments, Problem, exact

SEEDS = 100
"""The most random problems that are tried for a part, until the changed problem is clear of every discontinuity."""


def with_arguments(problem: Problem, donor: Problem) -> Problem:
    """Take the arguments of the donor, with dampings twice as large as the problem's."""
    V, U, Z, *_ = donor.arguments
    tau, gamma, eta = (
        2 * damping for damping in (problem.arguments.tau, problem.arguments.gamma, problem.arguments.eta)
    )
    return replace(problem, arguments=Arguments(V, U, Z, np.array(tau), np.array(gamma), np.array(eta)))


def with_weights(problem: Problem, donor: Problem) -> Problem:
    """Take the weights of the donor but keep the last: a cache may have the weights of one layer alone as its key."""
    kept = problem.weights[-1:] if len(problem.weights) > 1 else ()
    return replace(problem, weights=(*donor.weights[: len(donor.weights) - len(kept)], *kept))


def with_last_weights(problem: Problem, donor: Problem) -> Problem:
    """Take the last weights of the donor and keep the others."""
    return replace(problem, weights=(*problem.weights[:-1], donor.weights[-1]))


PARTS: dict[str, Callable[[Problem, Problem], Problem]] = {
    "weights": with_weights,
    "last-weights": with_last_weights,
    "inputs": lambda problem, donor: replace(problem, X=donor.X),
    "labels": lambda problem, donor: replace(problem, Y=donor.Y, labels=donor.labels, draws=donor.draws),
    "probes": with_arguments,
}
"""Each part with the function that takes it from a donor of the same shape."""


def relatives(problem: Problem) -> tuple[Problem, ...]:
    """Make a relative for each part, unless all candidates are near a discontinuity. Its id names the part."""
    found = (relative(problem, part) for part in PARTS)
    return tuple(other for other in found if other is not None)


def relative(problem: Problem, part: str) -> Problem | None:
    """Take the part from the first random problem of the same shape whose part keeps clear of every discontinuity."""
    sizes = problem.N, problem.labels.shape[1]
    shape = Shape(problem.objective, problem.widths, problem.transfers, *sizes, problem.psd)
    for seed in range(SEEDS):
        rng = np.random.Generator(np.random.Philox([seed, len(part)]))
        donor = dyadic_problem(problem.id, shape, rng, problem.layers)
        other = replace(PARTS[part](problem, donor), id=f"{problem.id}-other-{part}")
        if clear_of_kinks(other) and not near_border(other).any():
            return exact(other)
    return None
