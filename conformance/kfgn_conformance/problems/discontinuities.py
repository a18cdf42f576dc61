"""Problems at a step tell nothing: rounding decides there, and two right answers can differ.

The steps are the kinks of the piecewise linear transfer functions, and the borders between the classes
that a uniform draw falls into.
"""

import numpy as np
from kfgn_reference import forward, mixture_probability
from kfgn_reference._objectives import softmax
from kfgn_reference._transfers import logistic

from .problem import Array, Problem

MARGIN = 2.0**-12
"""How far off a step a problem must be: some thousand roundings of float32."""

KINKED = ("relu", "leaky_relu")


def clear_of_kinks(problem: Problem) -> bool:
    """Whether every pre-activation of a piecewise linear transfer function is off its kink at 0."""
    for x in problem.X:
        _, h = forward(problem.reference, x)
        for l, transfer in enumerate(problem.transfers, start=1):
            if transfer in KINKED and np.min(np.abs(h[l])) < MARGIN:
                return False
    return True


def near_border(problem: Problem) -> Array:
    """Which draws are too close to a border between classes, in the shape of the draws."""
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
