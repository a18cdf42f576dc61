"""KFRA over all positions: the recursion (26) for the means of the matrices (15s), whose size grows with T.

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
from ._batch import Datapoints, datapoints
from ._layers import Nonlinear
from ._network import Network, forward
from ._outputs import output_gauss_newton
from ._recursions import layer_jacobian


def kfra_over_positions(net: Network, X: Datapoints, Y: Datapoints) -> PerLayer:
    """E[G_l] (C_l T_l, C_l T_l) for l = 1, ..., L, from the exact E[G_L]:

        E[G_{l-1}] ~ 1/N sum_n M_nl^T E[G_l] M_nl    for a layer l that is not linear
        E[G_{l-1}] = M_l^T E[G_l] M_l                for a linear layer l

    M_nl is the Jacobian of layer l at datapoint n. For a transfer function the right side of the first line is the
    elementwise product of E[G_l] and 1/N sum_n f'(vec a_{l-1}) f'(vec a_{l-1})^T. The recursion is (26) with whole
    activations as pre-activations, and equals `kfra` if every activation has one position and the divisor is 1.
    `diagonal_sum` and `whole_sum` compute factors (C_l, C_l) from these matrices. Raises `ValueError` for datapoints
    with different numbers of positions, since their matrices have no mean.
    """
    shapes = {np.shape(x) for x in X}
    if len(shapes) > 1:
        raise ValueError(f"X: expected datapoints of one shape, got {', '.join(map(str, sorted(shapes)))}")
    rows = [(forward(net, x), y) for x, y in datapoints(net, X, Y)]
    G = expectation({net.L: output_gauss_newton(net, a[net.L], y)} for a, y in rows)
    for l in range(net.L, 1, -1):
        linear = not isinstance(net.layers[l - 1], Nonlinear)
        matrices = [layer_jacobian(net, a, l) for a, _ in (rows[:1] if linear else rows)]
        G[l - 1] = mean(M.T @ G[l] @ M for M in matrices)
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
