"""Relatives of a problem: problems that differ from the problem in one part, and detect wrong answers from a cache.

An implementation may keep answers in a cache whose key omits a part of the problem. The key may contain the weights and
omit the batch, or contain the shapes and omit the numbers. A relative takes the different part from a donor, which is a
random problem of the same shape.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from .problems.dyadic import Recipe, random_problem
from .problems.problem import Arguments, Problem, exact
from .problems.shared_weights.dyadic import far_from_discontinuities, shared_problem

SEEDS = 100
"""The maximum number of random problems that are tried until a relative is far from every discontinuity."""


def with_arguments(problem: Problem, donor: Problem) -> Problem:
    """Replace the direction, cotangents, projections and bases by the donor's, and double tau, gamma and eta."""
    V, U, Z, *_ = donor.arguments
    tau, gamma, eta = (
        2 * damping for damping in (problem.arguments.tau, problem.arguments.gamma, problem.arguments.eta)
    )
    arguments = Arguments(V, U, Z, np.array(tau), np.array(gamma), np.array(eta))
    return replace(problem, arguments=arguments, bases=donor.bases)


def with_weights(problem: Problem, donor: Problem) -> Problem:
    """Replace all weights except W_L by the donor's weights. In a network with one layer, W_1 is replaced.

    The relative detects a cache whose key has W_L and no other weights.
    """
    kept = problem.weights[-1:] if len(problem.weights) > 1 else ()
    return replace(problem, weights=(*donor.weights[: len(donor.weights) - len(kept)], *kept))


def with_last_weights(problem: Problem, donor: Problem) -> Problem:
    """Replace W_L by the donor's W_L, and keep all other weights."""
    return replace(problem, weights=(*problem.weights[:-1], donor.weights[-1]))


PARTS: dict[str, Callable[[Problem, Problem], Problem]] = {
    "weights": with_weights,
    "last-weights": with_last_weights,
    "inputs": lambda problem, donor: replace(problem, X=donor.X),
    "labels": lambda problem, donor: replace(problem, Y=donor.Y, labels=donor.labels, draws=donor.draws),
    "probes": with_arguments,
}
"""For each part of a problem, a function that replaces the part by the same part of a donor of the same shape."""


def relatives(problem: Problem) -> tuple[Problem, ...]:
    """Make a relative for each part, and omit the parts for which all candidates are near a discontinuity."""
    found = (relative(problem, part) for part in PARTS)
    return tuple(other for other in found if other is not None)


def relative(problem: Problem, part: str) -> Problem | None:
    """Make a relative with one part from a random problem of the same shape. The id of the relative names the part.

    The result is the first relative that is far from every discontinuity, or None if all candidates are near a
    discontinuity.
    """
    recipe = Recipe(
        problem.objective,
        problem.psd,
        problem.inputs,
        problem.layers,
        problem.N,
        problem.labels.shape[1],
        problem.divisor,
    )
    make = shared_problem if problem.is_shared else random_problem
    for seed in range(SEEDS):
        rng = np.random.Generator(np.random.Philox([seed, len(part)]))
        donor = make(problem.id, recipe, rng)
        other = replace(PARTS[part](problem, donor), id=f"{problem.id}-other-{part}")
        if far_from_discontinuities(other):
            return exact(other)
    return None
