"""The exact Gauss-Newton block from pairs: the sum over positions is inside the square.

>>> from kfgn_reference.shared_weights import exact_block, pairs
>>> from kfgn_reference.shared_weights._example import X, Y, net
>>> exact_block(pairs(net, X, Y)[1, 1]).tolist()
[[97.0, 50.5, 24.5], [50.5, 26.5, 12.5], [24.5, 12.5, 6.5]]
"""

import functools
import operator

from .._expectation import mean
from .._types import Array
from ._pairs import Batch, Pairs


def weight_roots(datapoint: Pairs) -> Array:
    """g = sum_t a_t kron C_t, (I O, K), for one datapoint: column c is vec(P_c) of P_c = sum_t C_tc a_t^T (O, I).

    g is a root of the exact block of the datapoint. With `sampled_pairs`, P_c is proportional to the gradient with
    respect to W at sample c of the labels.
    """
    products = (a[:, None, None] * C for a, C in zip(datapoint.a, datapoint.C, strict=True))
    return functools.reduce(operator.add, products).reshape(-1, datapoint.C.shape[2])


def exact_block(batch: Batch) -> Array:
    """1/N sum_n sum_c g_nc g_nc^T, (I O, I O), with g_nc of `weight_roots`.

    The square of the sum over positions has the terms of all pairs t, t'. The batch belongs to one group of a layer, so
    the result has no blocks between groups. `gauss_newton_blocks` also has the blocks between groups.
    """
    return mean(g @ g.T for g in map(weight_roots, batch))
