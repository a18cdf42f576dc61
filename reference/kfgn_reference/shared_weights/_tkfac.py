"""TKFAC: factors whose terms are weighted by traces (Gao et al., 2021, (4.3)-(4.9)).

Q has a term a_nt a_nt^T, and G has a term C_nt C_nt^T, for each position t of each datapoint n. Each of these two terms
is weighted by the trace of the other. Gao et al. define the factors for layers without shared weights. Here every
position is treated as a datapoint, as in `expand`.

>>> from kfgn_reference.shared_weights import pairs, tkfac
>>> from kfgn_reference.shared_weights._example import X, Y, net
>>> float(tkfac(pairs(net, X, Y)[1, 1]).block.trace())
53.0
"""

import functools
import operator

import numpy as np

from .._expectation import mean
from .._linear_algebra import trace
from .._types import Array
from ._factors import Factors
from ._pairs import Batch, Pairs


def tkfac(batch: Batch) -> Factors:
    """Q = 1/N sum_n sum_t |C_nt|^2 a_nt a_nt^T (I, I),    G = 1/N sum_n sum_t |a_nt|^2 C_nt C_nt^T / tr Q (O, O).

    |C_nt|^2 is the sum of the squares of all elements of C_nt. The trace of Q kron G is the trace of the exact block
    without its terms t != t'. For T = 1 the exact block has no such terms. Raises `ZeroDivisionError` if tr Q is 0 and
    the arithmetic is exact.
    """
    Q, G = (mean(map(weighted, batch)) for weighted in (weighted_inputs, weighted_roots))
    return Factors(Q, G / trace(Q))


def weighted_inputs(datapoint: Pairs) -> Array:
    """sum_t |C_t|^2 a_t a_t^T, (I, I), for one datapoint."""
    squares = np.sum(datapoint.C * datapoint.C, axis=(1, 2))
    return datapoint.a.T @ (squares[:, None] * datapoint.a)


def weighted_roots(datapoint: Pairs) -> Array:
    """sum_t |a_t|^2 C_t C_t^T, (O, O), for one datapoint."""
    squares = np.sum(datapoint.a * datapoint.a, axis=1)
    terms = (square * (C @ C.T) for square, C in zip(squares, datapoint.C, strict=True))
    return functools.reduce(operator.add, terms)
