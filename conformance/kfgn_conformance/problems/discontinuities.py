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
from .layers import name_of
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
            if name_of(transfer) in KINKED and np.min(np.abs(h[l])) < MARGIN:
                return False
    return True


def near_border(problem: Problem) -> Array:
    """A boolean array, shaped like the draws, that is True for each draw too close to a border between classes."""
    if problem.objective == "squared_error":
        return np.zeros(problem.draws.shape, dtype=bool)
    outputs = np.stack([forward(problem.reference, x)[1][len(problem.layers)] for x in problem.X])[:, None, :]
    if problem.objective == "bernoulli":
        distance: Array = np.abs(problem.draws - logistic(outputs))
    elif problem.objective == "mixture":
        distance = np.abs(problem.draws - np.apply_along_axis(mixture_probability, -1, outputs, 1))
    else:
        borders = np.cumsum(np.apply_along_axis(softmax, -1, outputs), axis=-1)
        distance = np.min(np.abs(problem.draws[..., None] - borders), axis=-1)
    return np.less(distance, MARGIN)
