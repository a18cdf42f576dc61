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
from collections.abc import Sequence
from typing import cast

import numpy as np

from .._arithmetic import one
from .._expectation import expectation
from .._types import Array, PerLayer
from ._batch import Datapoints, datapoints
from ._kfra_over_positions import diagonal_sum
from ._kfra_over_tokens import carried_over_positions
from ._layers import Linear, Nonlinear
from ._network import Network, forward
from ._outputs import output_gauss_newton
from ._taps import LinearLayer


def kfra_over_taps(net: Network, X: Datapoints, Y: Datapoints) -> PerLayer:
    """G_l (C_l, C_l) for l = 1, ..., L, with the scale of `expand`: a sum over positions, and a mean over datapoints.

        G_{l-1} ~ 1/(N T) sum_n sum_t J_nt^T G_l J_nt    for a layer l that is not linear
        G_{l-1} ~ 1/T_l sum_k |Z_k|^2 M_k^T G_l M_k      for a linear layer l with taps (M_k, Z_k)

    J_nt is the Jacobian of layer l at position t. For a transfer function the first line is the elementwise product of
    G_l and the mean of f' f'^T, as in (26).

    |Z_k|^2 is the sum of the squares of Z_k. For a convolution it is the number of output positions for which tap k
    reads an input and no zero of the padding. Without zeros it is T_l, and 1/T_l |Z_k|^2 = 1 for every stride. With
    masks, N T, |Z_k|^2 and T_l are the sums of T_n, |Z_nk|^2 and T_nl over datapoints.
    """
    rows = [(forward(net, x), y) for x, y in datapoints(net, X, Y)]
    G = expectation({net.L: diagonal_sum(output_gauss_newton(net, a[net.L], y), len(a[net.L]))} for a, y in rows)
    for l in range(net.L, 1, -1):
        layer, below = net.layers[l - 1], [a[l - 1] for a, _ in rows]
        if isinstance(layer, Nonlinear):
            G[l - 1] = carried_over_positions(layer, below, G[l])
        else:
            G[l - 1] = carried_over_taps(cast("Linear", layer), below, G[l])
    return G


def carried_over_taps(layer: LinearLayer, inputs: Sequence[Array], G: Array) -> Array:
    """sum_k sum_n |Z_nk|^2 M_k^T G M_k / sum_n T'_n, (C, C), for a layer with N inputs (C, *positions) and G (C', C').

    Let I kron R be the matrix of the outputs of every datapoint, with R = N G / sum_n T'_n. Then this is the exact
    step: the mean over n of the sum of the diagonal blocks of M_n^T (I kron R) M_n. No two taps connect the same pair
    of positions, so the blocks have no products of two taps.
    """
    taps = [layer.taps(a) for a in inputs]
    outputs = sum(of_datapoint[0].positions.shape[1] for of_datapoint in taps)
    squares = [[np.sum(one(G[0, 0]) * Z * Z) for _, Z in of_datapoint] for of_datapoint in taps]
    totals = [functools.reduce(operator.add, of_tap) for of_tap in zip(*squares, strict=True)]
    terms = (total * (M.T @ G @ M) for total, (M, _) in zip(totals, taps[0], strict=True))
    return functools.reduce(operator.add, terms) / outputs
