"""The distance of a problem from the points at which its quantities are discontinuous.

At a discontinuity, two correct answers can differ, because rounding decides the value. The discontinuities are at the
kinks of elu and of the piecewise linear transfer functions, and at the borders between the classes that a uniform draw
selects.
"""

import numpy as np
from kfgn_reference import forward, mixture_probability
from kfgn_reference._objectives import softmax
from kfgn_reference._transfers import logistic

from .arrays import Array
from .layers import Transfer, name_of
from .problem import Problem

MARGIN = 2.0**-12
"""The minimum distance from a kink or a border: several thousand times the unit roundoff of float32."""

KINKED = ("relu", "leaky_relu", "elu")
"""The transfer functions with a derivative that is discontinuous at 0: f', or only f'' for elu with alpha = 1."""


def clear_of_kinks(problem: Problem) -> bool:
    """True if every pre-activation of a transfer function with a kink is far from the kink at 0."""
    for x in problem.X:
        _, h = forward(problem.reference, x)
        for l, transfer in enumerate(problem.transfers, start=1):
            if near_kink(transfer, h[l]):
                return False
    return True


def near_kink(transfer: Transfer, h: Array) -> bool:
    """True if a transfer function has a kink at 0, and a pre-activation is close to 0."""
    return name_of(transfer) in KINKED and bool(np.min(np.abs(h)) < MARGIN)


def near_border(problem: Problem) -> Array:
    """A boolean array, shaped like the draws, that is True for each draw too close to a border between classes."""
    outputs = np.stack([forward(problem.reference, x)[1][len(problem.layers)] for x in problem.X])
    return near_border_of(problem.objective, problem.draws, outputs)


def near_border_of(objective: str, draws: Array, outputs: Array) -> Array:
    """A boolean array, shaped like the draws, that is True for each draw too close to a border between classes.

    outputs: (N, D_L), or (N, *positions, D_L)
    """
    if objective == "squared_error":
        return np.zeros(draws.shape, dtype=bool)
    outputs = outputs[:, None]
    if objective == "bernoulli":
        distance: Array = np.abs(draws - logistic(outputs))
    elif objective == "mixture":
        distance = np.abs(draws - np.apply_along_axis(mixture_probability, -1, outputs, 1))
    else:
        borders = np.cumsum(np.apply_along_axis(softmax, -1, outputs), axis=-1)
        distance = np.min(np.abs(draws[..., None] - borders), axis=-1)
    return np.less(distance, MARGIN)
