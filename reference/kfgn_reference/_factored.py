"""Section 3.2: the factors Q, and the expectation of a Kronecker product taken factor by factor, (18)-(21)."""

import numpy as np

from ._batch import inputs
from ._expectation import expectation
from ._network import Network, forward
from ._types import Array, PerLayer


def sample_q(net: Network, x: Array) -> PerLayer:
    """Equation (18) for equal layers: Q_l = a_{l-1} a_{l-1}^T with the unit appended, one datapoint."""
    a, _ = forward(net, x)
    units = {l: net.with_unit(l, a[l - 1]) for l in range(1, net.L + 1)}
    return {l: np.outer(units[l], units[l]) for l in units}


def expected_q(net: Network, X: Array) -> PerLayer:
    """Equation (21): E[Q_l] = A_{l-1} A_{l-1}^T / N, uncentred, (D_{l-1} + 1, D_{l-1} + 1), mean over N."""
    return expectation(sample_q(net, x) for x in inputs(net, X))


def factored_blocks(Q: PerLayer, G: PerLayer) -> PerLayer:
    """Equation (20): E[G_l] is approximated by E[Q_l] kron E[script G_l].

    Equal to the exact block of `gauss_newton.gauss_newton_blocks` where one of the factors is the
    same for every datapoint, and not in general.
    """
    return {l: np.kron(Q[l], G[l]) for l in Q}


def factored_product(Q: Array, G: Array, V: Array) -> Array:
    """(Q kron G) vec(V) as a matrix: G V Q^T, (D_l, D_{l-1} + 1), with the block never formed."""
    return G @ V @ Q.T
