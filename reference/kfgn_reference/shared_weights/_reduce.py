"""Reduce: the positions of a datapoint are combined before the outer products.

Reduce is due to Eschenhagen et al. (2023).

>>> from kfgn_reference.shared_weights import pairs, reduce
>>> from kfgn_reference.shared_weights._example import X, Y, net
>>> Q, G = reduce(pairs(net, X, Y)[1, 1])
>>> (18 * Q).round(6).tolist(), G.tolist()
([[205.0, 121.0, 57.0], [121.0, 74.0, 36.0], [57.0, 36.0, 18.0]], [[6.5]])
"""

import numpy as np

from .._expectation import mean
from ._factors import Factors
from ._pairs import Batch


def reduce(batch: Batch) -> Factors:
    """Q = 1/N sum_n abar_n abar_n^T (I, I),    G = 1/N sum_n S_n S_n^T (O, O).

    abar_n = 1/T_n sum_t a_nt is a mean over the T_n positions of datapoint n, and S_n = sum_t C_nt is a sum over them.
    G is the exact Gauss-Newton block of the bias, if the layer has a bias.
    """
    means = [np.sum(datapoint.a, axis=0) / len(datapoint.a) for datapoint in batch]
    sums = [np.sum(datapoint.C, axis=0) for datapoint in batch]
    return Factors(mean(np.outer(a, a) for a in means), mean(S @ S.T for S in sums))
