"""Section 3.1: the blocks of the Gauss-Newton matrix between layers, as a Khatri-Rao product, equations (14)-(18).

Matrices between layers are in a dictionary with keys (l, m): `G[l, m]` is the paper's G_{lambda,beta}.

>>> from kfgn_reference import factored_between
>>> from kfgn_reference._example import X, Y, net
>>> blocks = factored_between(net, X, Y)
>>> blocks[1, 2].shape, blocks[2, 2].tolist()
((6, 3), [[2.0, 8.0, 1.0], [8.0, 44.5, 6.5], [1.0, 6.5, 1.0]])
"""

from itertools import product
from typing import Any

import numpy as np

from ._batch import datapoints
from ._expectation import expectation
from ._gauss_newton import jacobians, parameter_jacobian
from ._network import Network, forward
from ._outputs import output_gauss_newton
from ._types import Array, Blocks


def layer_pairs(net: Network) -> list[tuple[int, int]]:
    """The pairs (1, 1), (1, 2), ..., (L, L)."""
    layers = range(1, net.L + 1)
    return list(product(layers, layers))


def sample_gauss_newton_between(net: Network, x: Array, y: Any) -> Blocks:
    """J_{W_l}^T J_l^T H_L J_m J_{W_m}, the matrix inside the mean of (14), for one datapoint.

    J_{W_l} = dh_l/dvec(W_l) = a_{l-1}^T kron I, so the block has D_l (D_{l-1} + 1) rows and D_m (D_{m-1} + 1) columns.
    """
    _, h = forward(net, x)
    J = parameter_jacobian(net, x)
    G_L = output_gauss_newton(net, h[net.L], y)
    return {(l, m): J[l].T @ G_L @ J[m] for l, m in layer_pairs(net)}


def gauss_newton_between(net: Network, X: Array, Y: Array) -> Blocks:
    """Equation (14): the blocks of the expected Gauss-Newton matrix by products of Jacobians, mean over N."""
    return expectation(sample_gauss_newton_between(net, x, y) for x, y in datapoints(net, X, Y))


def sample_preactivation_gauss_newton_between(net: Network, x: Array, y: Any) -> Blocks:
    """Equation (15): script G_{l,m} = J_l^T H_L J_m (D_l, D_m) of one datapoint, J_l = dh_L/dh_l.

    Misprint: the text under (14) defines the transpose of J_l.
    """
    _, h = forward(net, x)
    J = jacobians(net, x)
    G_L = output_gauss_newton(net, h[net.L], y)
    return {(l, m): J[l].T @ G_L @ J[m] for l, m in layer_pairs(net)}


def sample_q_between(net: Network, x: Array) -> Blocks:
    """Equation (18): Q_{l,m} = a_{l-1} a_{m-1}^T with the units appended, (D_{l-1} + 1, D_{m-1} + 1), one datapoint."""
    a, _ = forward(net, x)
    units = {l: net.with_unit(l, a[l - 1]) for l in range(1, net.L + 1)}
    return {(l, m): np.outer(units[l], units[m]) for l, m in layer_pairs(net)}


def khatri_rao(Q: Blocks, G: Blocks) -> Blocks:
    """The Khatri-Rao product Q * G of (17): Q_{l,m} kron G_{l,m} for each pair of layers (l, m)."""
    return {between: np.kron(Q[between], G[between]) for between in Q}


def factored_between(net: Network, X: Array, Y: Array) -> Blocks:
    """Equations (16), (17): E[Q * G], the mean over N of the Khatri-Rao products of (18) and (15).

    The result equals (14), since J_{W_l} = a_{l-1}^T kron I. Misprint: the left side of (16) should be the roman G-bar
    of (14), and not a script letter. The text of (17) cites (16) as the definition of script G, but (15) is meant.
    """
    return expectation(
        khatri_rao(sample_q_between(net, x), sample_preactivation_gauss_newton_between(net, x, y))
        for x, y in datapoints(net, X, Y)
    )


def assembled(net: Network, blocks: Blocks) -> Array:
    """The square matrix over theta = (vec W_1, ..., vec W_L) with the given blocks (l, m)."""
    layers = range(1, net.L + 1)
    return np.block([[blocks[l, m] for m in layers] for l in layers])
