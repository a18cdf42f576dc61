"""The full parameter Hessian (2), over all layers, and its two terms (11).

The matrices are built column by column, by the R-operator along each unit vector of the parameter space. Section 2.2
defines the full Hessian, and the rest of the paper avoids computing this matrix.

>>> from kfgn_reference import gauss_newton, hessian
>>> from kfgn_reference._example import X, Y, net
>>> H = hessian(net, X, Y)
>>> H.shape, int((H != gauss_newton(net, X, Y)).sum())
((9, 9), 12)
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from ._arithmetic import zero
from ._batch import datapoints
from ._expectation import mean
from ._network import Network, forward
from ._objectives import OBJECTIVES
from ._r_operator import jacobian_product, r_gradient, sample_hessian_product, transposed_jacobian_product
from ._types import Array, PerLayer
from ._vectors import theta, unit_vectors


def columns(net: Network, product: Callable[[PerLayer], PerLayer]) -> Array:
    """The matrix of the linear map `product` on the parameter space: column i is `product` of the unit vector i."""
    return np.stack([theta(product(e)) for e in unit_vectors(net)], axis=1)


def sample_hessian(net: Network, x: Array, y: Any) -> Array:
    """Equation (2): d^2 E / dtheta^2 of one datapoint, theta = (vec W_1, ..., vec W_L), one square matrix."""
    return columns(net, lambda e: sample_hessian_product(net, x, y, e))


def hessian(net: Network, X: Array, Y: Array) -> Array:
    """The expected parameter Hessian: (2) averaged over the N datapoints."""
    return mean(sample_hessian(net, x, y) for x, y in datapoints(net, X, Y))


def hessian_split(net: Network, x: Array, y: Any) -> tuple[Array, Array]:
    """Equation (11): the two terms whose sum is the Hessian (2) of one datapoint.

        sum_k dE/d[h_L]_k d^2[h_L]_k/dtheta^2    and    J^T H_L J

    The first term is computed by the R-operator with R{dE/dh_L} = 0, so only the second derivatives of the network
    contribute. The second term has the true H_L, and is the Gauss-Newton matrix (12) wherever H_L is positive
    semi-definite.
    """
    _, h = forward(net, x)
    H_L = OBJECTIVES[net.objective].hessian(h[net.L], y)
    network_term = columns(net, lambda e: r_gradient(net, x, y, e, zero(h[net.L])))
    output_term = columns(net, lambda e: transposed_jacobian_product(net, x, H_L @ jacobian_product(net, x, e)))
    return network_term, output_term
