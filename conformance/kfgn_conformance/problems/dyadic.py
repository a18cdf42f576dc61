"""Random problems of dyadic numbers, which every library and dtype has exactly, of a given shape."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from kfgn_reference import gradient

from .discontinuities import clear_of_kinks, near_border
from .problem import (
    CLASSIFIERS,
    Arguments,
    Array,
    Problem,
    classes,
    dense_layers,
    draw_shape,
    exact,
    root_columns,
    weight_shapes,
)


class Shape(NamedTuple):
    """What a problem is but for its numbers: D_0, ..., D_L and f_1, ..., f_{L-1}, N datapoints, S labels for each."""

    objective: str
    widths: tuple[int, ...]
    transfers: tuple[str, ...]
    N: int
    S: int
    psd: str = "project"


def clear(
    name: str,
    shape: Shape,
    change: Callable[[Problem], Problem] = lambda problem: problem,
    wanted: Callable[[Problem], bool] = lambda _problem: True,
    *,
    dead: bool = False,
) -> Problem:
    """The first random problem, seed by seed, that is wanted and clear of every step after the change.

    dead: whether the first layer is to have no gradient; it has one otherwise
    """
    for seed in range(1000):
        problem = change(dyadic_problem(name, shape, np.random.Generator(np.random.Philox(seed))))
        alive = bool(np.any(gradient(problem.reference, problem.X, problem.Y)[1]))
        if alive != dead and clear_of_kinks(problem) and not near_border(problem).any() and wanted(problem):
            return exact(problem)
    raise AssertionError(f"no problem {name} of {shape} would do")


def dyadic_problem(name: str, shape: Shape, rng: np.random.Generator) -> Problem:
    """Multiples of 1/16 up to 1 for weights, inputs and directions, of 2^-16 for uniforms."""
    objective, widths, transfers, N, S, psd = shape

    def dyadic(low: int, high: int, shape: tuple[int, ...], denominator: int) -> Array:
        return rng.integers(low * denominator, high * denominator, shape) / denominator

    def labels(*leading: int) -> Array:
        shape = draw_shape(objective, leading, D_L)
        if objective in CLASSIFIERS:
            return rng.integers(0, classes(objective, D_L), shape)
        return dyadic(-2, 2, shape, 16) if objective == "squared_error" else dyadic(0, 1, shape, 16)

    D_L = widths[-1]
    sampled = draw_shape(objective, (N, S), D_L)
    return Problem(
        id=name,
        layers=dense_layers(widths, transfers),
        objective=objective,
        weights=tuple(dyadic(-1, 1, shape, 16) for shape in weight_shapes(widths)),
        X=dyadic(-1, 1, (N, widths[0]), 16),
        Y=labels(N),
        labels=labels(N, S),
        draws=dyadic(-3, 3, sampled, 16) if objective == "squared_error" else dyadic(0, 1, sampled, 2**16),
        arguments=Arguments(
            direction=tuple(dyadic(-1, 1, shape, 16) for shape in weight_shapes(widths)),
            cotangents=dyadic(-1, 1, (N, D_L), 16),
            projections=dyadic(-2, 2, (N, S, root_columns(objective, psd, D_L)), 16),
            tau=np.array(7 / 16),
            gamma=np.array(1 / 4),
            eta=np.array(1 / 8),
        ),
        psd=psd,
    )
