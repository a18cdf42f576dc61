"""Networks and masks of batches whose datapoints have different numbers of counted positions."""

import kfgn_reference.shared_weights as shared
import numpy as np

from .problems import Numbers, problem

LENGTHS = (5, 3, 4)
ENDS = np.arange(5)[None, :] < np.array(LENGTHS)[:, None]
"""Counted positions at the beginning of three sequences."""

GAPS = np.array([[1, 0, 1, 1, 0], [0, 1, 0, 0, 1], [1, 1, 1, 1, 1]], dtype=bool)
"""Counted positions anywhere, for layers that do not read neighbours."""


def token_network(divisor=1):
    """Layers that act on each position alone, and a loss per token, of rationals."""
    n = Numbers(91, exact=True)
    f = shared.Elementwise("leaky_relu")
    layers = n.dense(4, 3), f, shared.ScaleShift(n(4, 2)), n.dense(2, 4)
    return problem(n, layers, "squared_error", (3, 5), divisor=divisor)


def pooled_network(kind="mean"):
    """A convolution that keeps the number of positions, and pooling over all of them, of rationals."""
    n = Numbers(92, exact=True)
    convolution = n.convolution(4, 3, width=3, padding=(1, 1))
    layers = convolution, shared.Elementwise("leaky_relu"), shared.Pooling(None, 1, kind), n.dense(2, 4)
    return problem(n, layers, "squared_error", (3, 5))


ONE = np.ones((3, 1), dtype=bool)
"""The mask of outputs with one position."""

MASKED = {
    "tokens": lambda: (token_network(), GAPS, None),
    "pooled": lambda: (pooled_network(), ENDS, ONE),
}
