"""The problems that every run has: each transfer function with each objective, so that none depends on the draw.

Three layers, the first two curved or kinked, more than one datapoint and label, and sizes that are all
different primes: a transpose has no shape to fit, a wrong factor of N, S or D_l no other to pass for. The
second layer is narrower than the last, where KFLR starts anew; but for the mixture, which has three outputs.
"""

from functools import cache

import numpy as np
from kfgn_reference import OBJECTIVES, TRANSFERS, gradient

from .margins import clear_of_kinks, near_border
from .problems import (
    CLASSIFIERS,
    Array,
    Probes,
    Problem,
    classes,
    dense_layers,
    draw_shape,
    exact,
    root_columns,
    weight_shapes,
)

WIDTHS = (5, 7, 3, 11)
MIXTURE_WIDTHS = (5, 7, 11, 3)
DATAPOINTS = 13
LABELS = 17
SPLITS = [*((objective, "project") for objective in sorted(OBJECTIVES)), ("mixture", "scalar")]
"""Each objective, and the mixture with either matrix that may stand for its H_L."""


@cache
def cases() -> tuple[Problem, ...]:
    """One problem for each objective and transfer function of the first layer; the second layer has the next one."""
    names = sorted(TRANSFERS)
    return tuple(
        case(objective, psd, (transfer, names[(i + 1) % len(names)]))
        for objective, psd in SPLITS
        for i, transfer in enumerate(names)
    )


def case(objective: str, psd: str, transfers: tuple[str, str]) -> Problem:
    """The first of its random problems, seed by seed, that is clear of every step and whose first layer matters."""
    for seed in range(1000):
        problem = attempt(objective, psd, transfers, np.random.Generator(np.random.Philox(seed)))
        alive = np.any(gradient(problem.reference, problem.X, problem.Y)[1])
        if alive and clear_of_kinks(problem) and not near_border(problem).any():
            return exact(problem)
    raise AssertionError(f"no problem of {objective} and {transfers} would do")


def attempt(objective: str, psd: str, transfers: tuple[str, str], rng: np.random.Generator) -> Problem:
    """Multiples of 1/16 up to 1 for weights, inputs and directions, of 2^-16 for uniforms."""

    def dyadic(low: int, high: int, shape: tuple[int, ...], denominator: int) -> Array:
        return rng.integers(low * denominator, high * denominator, shape) / denominator

    def labels(*leading: int) -> Array:
        shape = draw_shape(objective, leading, D_L)
        if objective in CLASSIFIERS:
            return rng.integers(0, classes(objective, D_L), shape)
        return dyadic(-2, 2, shape, 16) if objective == "squared_error" else dyadic(0, 1, shape, 16)

    widths = MIXTURE_WIDTHS if objective == "mixture" else WIDTHS
    D_L = widths[-1]
    sampled = draw_shape(objective, (DATAPOINTS, LABELS), D_L)
    return Problem(
        id=f"case-{objective}{'-scalar' if psd == 'scalar' else ''}-{transfers[0]}",
        layers=dense_layers(widths, transfers),
        objective=objective,
        weights=tuple(dyadic(-1, 1, shape, 16) for shape in weight_shapes(widths)),
        X=dyadic(-1, 1, (DATAPOINTS, widths[0]), 16),
        Y=labels(DATAPOINTS),
        labels=labels(DATAPOINTS, LABELS),
        draws=dyadic(-3, 3, sampled, 16) if objective == "squared_error" else dyadic(0, 1, sampled, 2**16),
        probes=Probes(
            direction=tuple(dyadic(-1, 1, shape, 16) for shape in weight_shapes(widths)),
            cotangents=dyadic(-1, 1, (DATAPOINTS, D_L), 16),
            projections=dyadic(-2, 2, (DATAPOINTS, LABELS, root_columns(objective, psd, D_L)), 16),
            tau=np.array(7 / 16),
            gamma=np.array(1 / 4),
            eta=np.array(1 / 8),
        ),
        psd=psd,
    )
