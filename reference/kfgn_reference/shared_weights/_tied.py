"""Tied weights: a matrix that several layers use has the positions of all its uses.

>>> from kfgn_reference.shared_weights import exact_block, joined, pairs
>>> from kfgn_reference.shared_weights._example import X, Y, net
>>> use = pairs(net, X, Y)[1, 1]
>>> exact_block(joined([use, use])).tolist() == (4 * exact_block(use)).tolist()
True
"""

from collections.abc import Sequence

import numpy as np

from ._pairs import Batch, Pairs


def joined(uses: Sequence[Batch]) -> list[Pairs]:
    """The pairs of all uses of a matrix, (T_1 + T_2 + ..., I) and (T_1 + T_2 + ..., O, K) for each datapoint.

    The derivative of the outputs is the sum over uses, so the exact block is 1/N sum_n sum_c g_nc g_nc^T with g_nc the
    sum over all uses and positions. The block has the products of different uses. The approximations treat the
    positions of every use like positions of one layer. The Hessian of a tied matrix has more terms, which cannot be
    computed from pairs.
    """
    return [
        Pairs(np.concatenate([use.a for use in datapoint]), np.concatenate([use.C for use in datapoint]))
        for datapoint in zip(*uses, strict=True)
    ]
