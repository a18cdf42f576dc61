"""KFRA over all positions: the recursion (26) for the mean of the matrices (15s), which grow with T.

>>> from kfgn_reference.shared_weights import kfra_over_positions
>>> from kfgn_reference.shared_weights._example import X, Y, net
>>> kfra_over_positions(net, X, Y)[1].tolist()
[[1.0, 0.5, 1.0], [0.5, 0.5, 0.5], [1.0, 0.5, 1.0]]
"""

import functools
import operator

import numpy as np

from .._expectation import expectation, mean
from .._types import Array, PerLayer
from ._batch import datapoints
from ._layers import Elementwise
from ._network import Network, forward
from ._outputs import output_gauss_newton
from ._positions import vec
from ._taps import layer_matrix


def kfra_over_positions(net: Network, X: Array, Y: Array) -> PerLayer:
    """E[G_l] (C_l T_l, C_l T_l) for l = 1, ..., L, from the exact E[G_L]:

        E[G_{l-1}] ~ E[G_l] * 1/N sum_n f'(vec a_{l-1}) f'(vec a_{l-1})^T    for an elementwise layer l
        E[G_{l-1}] = M_l^T E[G_l] M_l                                        for every other layer l

    The product * is elementwise. The recursion is (26) with whole activations as pre-activations, and equals `kfra` if
    every activation has one position. `diagonal_sum` and `whole_sum` give factors of the size of a layer.
    """
    rows = [(forward(net, x), y) for x, y in datapoints(net, X, Y)]
    G = expectation({net.L: output_gauss_newton(net, a[net.L], y)} for a, y in rows)
    for l in range(net.L, 1, -1):
        layer = net.layers[l - 1]
        if isinstance(layer, Elementwise):
            slopes = [layer.f.first(vec(a[l - 1])) for a, _ in rows]
            G[l - 1] = G[l] * mean(np.outer(slope, slope) for slope in slopes)
        else:
            M = layer_matrix(layer, rows[0][0][l - 1])
            G[l - 1] = M.T @ G[l] @ M
    return G


def diagonal_sum(G: Array, C: int) -> Array:
    """sum_t G[t, t], (C, C), of the blocks of G (C T, C T): the second factor with the scale of `expand`."""
    T = len(G) // C
    blocks = G.reshape(T, C, T, C)
    return functools.reduce(operator.add, (blocks[t, :, t] for t in range(T)))


def whole_sum(G: Array, C: int) -> Array:
    """sum_t sum_t' G[t, t'], (C, C), of the blocks of G (C T, C T): the second factor with the scale of `reduce`."""
    T = len(G) // C
    return np.sum(G.reshape(T, C, T, C), axis=(0, 2))
