"""Tied weights: the pairs of a matrix that several layers use, and the pairs of its transpose.

>>> from kfgn_reference.shared_weights import exact_block, joined, pairs
>>> from kfgn_reference.shared_weights._example import X, Y, net
>>> use = pairs(net, X, Y)[1, 1]
>>> exact_block(joined([use, use])).tolist() == (4 * exact_block(use)).tolist()
True
"""

from collections.abc import Sequence

import numpy as np

from .._arithmetic import diagonal, one
from .._types import Array
from ._pairs import Batch, Pairs


def joined(uses: Sequence[Batch]) -> list[Pairs]:
    """The pairs of all uses of a matrix, (T_1 + T_2 + ..., I) and (T_1 + T_2 + ..., O, K) for each datapoint.

    The derivative of the outputs with respect to the matrix is a sum over the uses. The g_nc of the exact block
    1/N sum_n sum_c g_nc g_nc^T are therefore sums over all uses and positions, and the block has products of different
    uses. The approximations treat the positions of all uses like positions of one layer. The Hessian of a tied matrix
    has more terms, which cannot be computed from pairs.
    """
    return [
        Pairs(np.concatenate([use.a for use in datapoint]), np.concatenate([use.C for use in datapoint]))
        for datapoint in zip(*uses, strict=True)
    ]


def transposed(batch: Batch) -> list[Pairs]:
    """The pairs of W^T (I, O) from the pairs of W (O, I), with a position for each row o of W: (O, O) and (O, I, K).

    Let P_c = sum_t C_tc a_t^T be the matrix with vec(P_c) = g_nc, let C_toc be element o of C_tc, and let e_o be unit
    vector o. Then P_c^T = sum_o (sum_t C_toc a_t) e_o^T, so the input at position o is e_o, and column c of the root is
    sum_t C_toc a_t. An output layer that shares the weights W of an embedding multiplies by the transpose of W.

    The pairs have the right g_nc, and so the right `exact_block`, `kfoc`, `tnt` and `ekfac_diagonal`. Do not use the
    pairs with `expand`, `reduce`, `tkfac`, `foof` and `ekfac`, because the positions o are rows of W, and not positions
    of the datapoint. If the layer has a bias, remove the appended 1 from the inputs first, with `Pairs(a[:, :-1], C)`.
    """
    return [Pairs(diagonal(one(C[0, :, 0])), transposed_roots(a, C)) for a, C in batch]


def transposed_roots(a: Array, C: Array) -> Array:
    """sum_t C_toc a_t, (O, I, K), for one datapoint."""
    T, O, _ = C.shape
    return (a.T @ C.reshape(T, -1)).reshape(a.shape[1], O, -1).swapaxes(0, 1)
