"""Random problems with shared weights and dyadic numbers, far from every discontinuity."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from kfgn_reference.shared_weights import gradient

from ..discontinuities import clear_of_kinks, near_border, near_border_of, near_kink
from ..dyadic import Recipe, generator, random_problem
from ..problem import Problem
from ..seeds import first_suitable
from .bases import bases
from .network import batch_of, counted, outputs, preactivations


def clear(name: str, recipe: Recipe, wanted: Callable[[Problem], bool] = lambda _problem: True) -> Problem:
    """Return the first random problem that is suitable and far from every discontinuity.

    The gradient of the first layer with weights must not be zero.

    wanted: a function that is True for a suitable problem
    """

    def suitable(problem: Problem) -> bool:
        return far_from_discontinuities(problem) and has_gradient(problem) and wanted(problem)

    return first_suitable(name, lambda seed: shared_problem(name, recipe, generator(seed)), suitable)


def shared_problem(name: str, recipe: Recipe, rng: np.random.Generator) -> Problem:
    """Return a random problem with random bases."""
    problem = random_problem(name, recipe, rng)
    return replace(problem, bases=bases(problem, rng))


def has_gradient(problem: Problem) -> bool:
    """True if the gradient of the first layer with weights is not zero."""
    net, X, Y = batch_of(problem)
    return bool(np.any(gradient(net, X, Y)[min(net.weighted)]))


def far_from_discontinuities(problem: Problem) -> bool:
    """True if no pre-activation is near a kink, and no draw is near a border between two classes.

    The problem may be one without shared weights.
    """
    if not problem.is_shared:
        return clear_of_kinks(problem) and not near_border(problem).any()
    X, draws = counted(problem, np.moveaxis(problem.draws, 1, -1))
    if any(near_kink(*pair) for x in X for pair in preactivations(problem, x)):
        return False
    rows = ((np.moveaxis(of_x, -1, 0), outputs(problem, x)) for x, of_x in zip(X, draws, strict=True))
    return not any(near_border_of(problem.objective, of_x[None], h[None]).any() for of_x, h in rows)
