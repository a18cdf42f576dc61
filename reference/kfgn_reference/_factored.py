"""Section 3.2: the factors Q, and the Kronecker product of two expectations, equations (18), (20) and (21).

>>> from kfgn_reference import expected_q
>>> from kfgn_reference._example import X, net
>>> expected_q(net, X)[1].tolist()
[[5.0, 2.5, 2.0], [2.5, 2.5, 1.5], [2.0, 1.5, 1.0]]
"""

import numpy as np

from ._batch import inputs
from ._expectation import expectation
from ._network import Network, forward
from ._types import Array, PerLayer


def sample_q(net: Network, x: Array) -> PerLayer:
    """Equation (18) for beta = lambda: Q_l = a_{l-1} a_{l-1}^T of one datapoint. The unit is appended to a_{l-1}."""
    a, _ = forward(net, x)
    units = {l: net.with_unit(l, a[l - 1]) for l in range(1, net.L + 1)}
    return {l: np.outer(units[l], units[l]) for l in units}


def expected_q(net: Network, X: Array) -> PerLayer:
    """Equation (21): E[Q_l] = A_{l-1} A_{l-1}^T / N, (D_{l-1} + 1, D_{l-1} + 1), uncentred, mean over N."""
    return expectation(sample_q(net, x) for x in inputs(net, X))


def factored_blocks(Q: PerLayer, G: PerLayer) -> PerLayer:
    """Equation (20): E[Q_l] kron E[script G_l], which approximates E[G_l].

    If Q and G are the exact means and one factor is the same for every datapoint, the product equals the exact block of
    `gauss_newton_blocks`. In general the two differ.
    """
    return {l: np.kron(Q[l], G[l]) for l in Q}


def factored_product(Q: Array, G: Array, V: Array) -> Array:
    """G V Q^T, (D_l, D_{l-1} + 1): (Q kron G) vec(V) as a matrix, without forming the block."""
    return G @ V @ Q.T
