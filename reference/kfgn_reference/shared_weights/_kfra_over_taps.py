"""KFRA over taps: the recursion (26) in closed form, with matrices (C_l, C_l) over the channels alone.

KFRA over taps makes two assumptions of Grosse and Martens (2016): spatial homogeneity, and spatially uncorrelated
derivatives. The Gauss-Newton matrix of an activation then has the same block at every position, and is 0 between
positions. At the input of a layer, the sum of the blocks over positions is therefore a sum over the taps of the layer.

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

    J_nt is the Jacobian of layer l at position t of datapoint n. For a transfer function the first line is the
    elementwise product of G_l and the mean of f' f'^T, as in (26).

    |Z_k|^2 is the sum of the squares of the elements of Z_k. For a convolution, |Z_k|^2 is the number of output
    positions for which tap k reads an input and no zero of the padding. If no tap reads a zero, |Z_k|^2 = T_l for every
    stride. With masks, sum_n T_n replaces N T, sum_n |Z_nk|^2 replaces |Z_k|^2, and sum_n T_nl replaces T_l, where T_nl
    and Z_nk are the T_l and the Z_k of datapoint n.
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

    T'_n is the number of output positions of datapoint n. Suppose that the Gauss-Newton matrix of the outputs of every
    datapoint is Id kron R, with the identity Id (T'_n, T'_n) and R = N G / sum_n T'_n. Then the result is exact: the
    mean over n of the sum of the diagonal blocks of M_n^T (Id kron R) M_n, with the `layer_matrix` M_n of datapoint n.
    No two taps connect the same pair of positions, so these blocks have no products of two different taps.
    """
    taps = [layer.taps(a) for a in inputs]
    outputs = sum(of_datapoint[0].positions.shape[1] for of_datapoint in taps)
    squares = [[np.sum(one(G[0, 0]) * Z * Z) for _, Z in of_datapoint] for of_datapoint in taps]
    totals = [functools.reduce(operator.add, of_tap) for of_tap in zip(*squares, strict=True)]
    terms = (total * (M.T @ G @ M) for total, (M, _) in zip(totals, taps[0], strict=True))
    return functools.reduce(operator.add, terms) / outputs
