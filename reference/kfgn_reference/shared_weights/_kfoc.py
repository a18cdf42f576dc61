"""KFOC: the nearest Kronecker product to the exact block, and the nearest sums of r Kronecker products.

The method is due to Koroko et al. (2022) and Schnaus et al. (2021). The released code of Botev et al. computes the
nearest Kronecker product by a power iteration.

>>> from kfgn_reference.shared_weights import kfoc, pairs
>>> from kfgn_reference.shared_weights._example import X, Y, net
>>> kfoc(pairs(net, X, Y)[1, 1]).block.round(6).tolist()
[[97.0, 50.5, 24.5], [50.5, 26.5, 12.5], [24.5, 12.5, 6.5]]
"""

import functools
import operator
from collections.abc import Sequence

from .._linear_algebra import trace
from .._spectral import eigh
from .._types import Array
from .._vectors import unvec
from ._exact import exact_block
from ._factors import Factors
from ._pairs import Batch
from ._rearrangement import rearranged


def kronecker_terms(batch: Batch, r: int) -> list[Factors]:
    """The r terms Q_i kron G_i whose sum is nearest to the exact block F in the Frobenius norm, by decreasing norm.

    Let R = rearranged(F, I). The vector vec(G_i) has norm 1 and is an eigenvector of R^T R for the i-th largest
    eigenvalue, and vec(Q_i) = R vec(G_i). The sum is unique if the r-th and the next eigenvalue differ, and a term is
    unique if its eigenvalue is simple. If the largest eigenvalue is simple, the first term is positive semi-definite.
    Later terms can be indefinite. The signs are chosen so that tr G_i >= 0. Raises `ValueError` unless
    1 <= r <= min(I^2, O^2).
    """
    _, O, _ = batch[0].C.shape
    I = batch[0].a.shape[1]
    R = rearranged(exact_block(batch), I)
    if not 1 <= r <= min(R.shape):
        raise ValueError(f"r: expected 1 to {min(R.shape)} Kronecker products, got {r}")
    _, vectors = eigh(R.T @ R)
    leading = [vectors[:, -i] * (-1 if trace(unvec(vectors[:, -i], O)) < 0 else 1) for i in range(1, r + 1)]
    return [Factors(unvec(R @ v, I), unvec(v, O)) for v in leading]


def kfoc(batch: Batch) -> Factors:
    """The Q (I, I) and G (O, O) that minimise |F - Q kron G| in the Frobenius norm, with the exact block F.

    If the two largest singular values of R in `kronecker_terms` differ, the product is unique and both factors are
    positive semi-definite. G has norm 1. An approximation determines only the product, and not the scale of a factor.
    """
    return kronecker_terms(batch, 1)[0]


def kronecker_sum(terms: Sequence[Factors]) -> Array:
    """sum_i Q_i kron G_i, (I O, I O). The sum of the r terms need not be positive semi-definite for r > 1."""
    return functools.reduce(operator.add, (term.block for term in terms))


def kronecker_sum_product(terms: Sequence[Factors], V: Array) -> Array:
    """sum_i G_i V Q_i^T, (O, I): the product of the sum with vec(V), as a matrix, without forming the block."""
    return functools.reduce(operator.add, (G @ V @ Q.T for Q, G in terms))
