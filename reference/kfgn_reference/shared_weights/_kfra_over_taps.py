"""KFRA over taps: a closed form under the assumptions of KFC, whose matrices have the size of a layer.

The assumptions are that the Gauss-Newton matrix of an activation has the same block at every position, and is 0 between
positions: spatial homogeneity, and spatially uncorrelated derivatives (Grosse and Martens, 2016). Then the
sum over the positions of the input of a layer is a sum over its taps.

>>> from kfgn_reference.shared_weights import kfra_over_taps
>>> from kfgn_reference.shared_weights._example import X, Y, net
>>> kfra_over_taps(net, X, Y)[1].tolist()
[[2.5]]
"""

import functools
import operator
from typing import cast

import numpy as np

from .._arithmetic import one
from .._expectation import expectation
from .._types import Array, PerLayer
from ._batch import datapoints
from ._kfra_over_positions import diagonal_sum
from ._kfra_over_tokens import carried_over_positions
from ._layers import Linear, Nonlinear
from ._network import Network, forward
from ._outputs import output_gauss_newton
from ._taps import LinearLayer


def kfra_over_taps(net: Network, X: Array, Y: Array) -> PerLayer:
    """G_l (C_l, C_l) for l = 1, ..., L, with the scale of `expand`: a sum over positions, and a mean over datapoints.

        G_{l-1} ~ 1/(N T) sum_n sum_t J_nt^T G_l J_nt    for a layer l with the Jacobian J_nt at a position, not linear
        G_{l-1} ~ 1/T_l sum_k |Z_k|^2 M_k^T G_l M_k      for a linear layer l with taps (M_k, Z_k)

    For a transfer function the first line is the elementwise product of G_l and the mean of f' f'^T, as in (26).
    |Z_k|^2 is the sum of the squares of Z_k. For a convolution it is the number of output positions for which tap k
    reads an input and no zero of the padding. Without zeros it is T_l, and 1/T_l |Z_k|^2 = 1 for every stride.
    """
    rows = [(forward(net, x), y) for x, y in datapoints(net, X, Y)]
    G = expectation({net.L: diagonal_sum(output_gauss_newton(net, a[net.L], y), len(a[net.L]))} for a, y in rows)
    for l in range(net.L, 1, -1):
        layer, below = net.layers[l - 1], [a[l - 1] for a, _ in rows]
        if isinstance(layer, Nonlinear):
            G[l - 1] = carried_over_positions(layer, below, G[l])
        else:
            G[l - 1] = carried_over_taps(cast("Linear", layer), below[0], G[l])
    return G


def carried_over_taps(layer: LinearLayer, a: Array, G: Array) -> Array:
    """1/T' sum_k |Z_k|^2 M_k^T G M_k, (C, C), for a layer with inputs of the shape of `a` and G (C', C').

    This is the sum of the diagonal blocks of M^T (I kron G / T') M, the exact step if the matrix of the outputs is
    I kron G / T', since no two taps connect the same pair of positions.
    """
    taps = layer.taps(a)
    outputs = taps[0].positions.shape[1]
    terms = (np.sum(one(G[0, 0]) * Z * Z) * (M.T @ G @ M) for M, Z in taps)
    return functools.reduce(operator.add, terms) / outputs
