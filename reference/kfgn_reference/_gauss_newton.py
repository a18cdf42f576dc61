"""Section 3: the Gauss-Newton matrix (12), (13), its diagonal blocks (19) and the recursion (22).

>>> from kfgn_reference import gauss_newton_blocks
>>> from kfgn_reference._example import X, Y, net
>>> gauss_newton_blocks(net, X, Y)[2].tolist()
[[2.0, 8.0, 1.0], [8.0, 44.5, 6.5], [1.0, 6.5, 1.0]]
"""

import numpy as np

from ._arithmetic import diagonal, one
from ._batch import datapoints
from ._expectation import expectation, mean
from ._factored import sample_q
from ._network import Network, forward
from ._outputs import output_gauss_newton
from ._types import Array, PerLayer


def jacobians(net: Network, x: Array) -> PerLayer:
    """J_l = dh_L / dh_l (D_L, D_l) of one datapoint: J_L = I and J_l = J_{l+1} W_{l+1} B_l.

    Misprint: the text under (14) defines the transpose of J. Equation (15) needs [J]_{k,i} = d[h_L]_k / d[h_l]_i.
    """
    _, h = forward(net, x)
    J = {net.L: diagonal(one(h[net.L]))}
    for l in range(net.L - 1, 0, -1):
        J[l] = J[l + 1] @ net.kernel(l + 1) @ diagonal(net.f(l).first(h[l]))
    return J


def parameter_jacobian(net: Network, x: Array) -> PerLayer:
    """dh_L/dvec(W_l) = J_l (a_{l-1}^T kron I), (D_L, D_l (D_{l-1} + 1)), with a unit in a_{l-1}, of one datapoint."""
    a, _ = forward(net, x)
    J = jacobians(net, x)
    return {l: np.kron(net.with_unit(l, a[l - 1])[None, :], J[l]) for l in range(1, net.L + 1)}


def sample_gauss_newton(net: Network, x: Array, y: Array) -> Array:
    """Equation (12): J^T H_L J over all parameters, J = dh_L/dtheta with theta = (vec W_1, ..., vec W_L).

    The result is one square matrix for one datapoint, computed by definition. `_outputs` replaces an indefinite H_L in
    every function that computes a Gauss-Newton matrix.
    """
    _, h = forward(net, x)
    J = np.concatenate(list(parameter_jacobian(net, x).values()), axis=1)
    return J.T @ output_gauss_newton(net, h[net.L], y) @ J


def gauss_newton(net: Network, X: Array, Y: Array) -> Array:
    """Equations (13), (50): the expected Gauss-Newton matrix over all parameters, mean over the N datapoints."""
    return mean(sample_gauss_newton(net, x, y) for x, y in datapoints(net, X, Y))


def sample_preactivation_gauss_newton(net: Network, x: Array, y: Array) -> PerLayer:
    """The diagonal of (15), script G_l = J_l^T H_L J_l (D_l, D_l), for one datapoint, by the recursion (22):

        G_l = B_l W_{l+1}^T G_{l+1} W_{l+1} B_l,    G_L = H_L

    The recursion (22) is (8) without the second term. Both recursions have the same result if f'' = 0 and H_L is
    positive semi-definite.
    """
    _, h = forward(net, x)
    G = {net.L: output_gauss_newton(net, h[net.L], y)}
    for l in range(net.L - 1, 0, -1):
        W, B = net.kernel(l + 1), diagonal(net.f(l).first(h[l]))
        G[l] = B @ W.T @ G[l + 1] @ W @ B
    return G


def sample_gauss_newton_blocks(net: Network, x: Array, y: Array) -> PerLayer:
    """Equation (19): G_l = Q_l kron (script G_l), square with D_l (D_{l-1} + 1) rows, for one datapoint."""
    G = sample_preactivation_gauss_newton(net, x, y)
    Q = sample_q(net, x)
    return {l: np.kron(Q[l], G[l]) for l in G}


def gauss_newton_blocks(net: Network, X: Array, Y: Array) -> PerLayer:
    """The diagonal of (16): the exact diagonal blocks E[Q_l kron G_l] of (13), mean over the N datapoints."""
    return expectation(sample_gauss_newton_blocks(net, x, y) for x, y in datapoints(net, X, Y))
