"""Expand: every position is treated as a datapoint, so the products of different positions are left out.

Expand is due to Eschenhagen et al. (2023). For convolutions, expand is the KFC of Grosse and Martens (2016).

>>> from kfgn_reference.shared_weights import expand, pairs
>>> from kfgn_reference.shared_weights._example import X, Y, net
>>> Q, G = expand(pairs(net, X, Y)[1, 1])
>>> (6 * Q).tolist(), G.tolist()
([[75.0, 44.0, 19.0], [44.0, 36.0, 12.0], [19.0, 12.0, 6.0]], [[2.5]])
"""

import functools
import operator

from .._expectation import mean
from .._types import Array
from ._factors import Factors
from ._pairs import Batch, Pairs


def expand(batch: Batch) -> Factors:
    """Q = 1/(N T) sum_n sum_t a_nt a_nt^T (I, I),    G = 1/N sum_n sum_t C_nt C_nt^T (O, O).

    Q is a mean over all positions of the batch. With masks, the number of positions is the sum of the T_n instead of
    N T. G is a sum over positions, and a mean over datapoints.
    """
    positions = sum(len(datapoint.a) for datapoint in batch)
    Q = functools.reduce(operator.add, map(inner_products, batch)) / positions
    return Factors(Q, mean(squared_roots(datapoint.C) for datapoint in batch))


def inner_products(datapoint: Pairs) -> Array:
    """sum_t a_t a_t^T, (I, I), for one datapoint."""
    return datapoint.a.T @ datapoint.a


def squared_roots(C: Array) -> Array:
    """sum_t C_t C_t^T, (O, O), for the roots (T, O, K) of one datapoint."""
    side_by_side = C.swapaxes(0, 1).reshape(C.shape[1], -1)
    return side_by_side @ side_by_side.T
