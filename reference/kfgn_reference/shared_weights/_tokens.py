"""The block of an embedding, from counts of tokens and from a sum of roots for each token, without one-hot vectors.

The input of the weights at position t is the one-hot vector e_{x_t} of V entries, so that

    sum_t e_{x_t} e_{x_t}^T = diag(counts),    g_nc = sum_v e_v kron S_nvc,    S_nvc = sum of C_ntc over t with x_nt = v

C_ntc is column c of the root C_t of datapoint n, g_nc is column c of a root of the exact block of datapoint n, and S_nv
is the matrix with the columns S_nvc. The counts therefore give the Q of `expand`, and the matrices S_nv of the tokens v
in datapoint n give the exact block of datapoint n.

>>> import numpy as np
>>> from kfgn_reference.shared_weights import Dense, Embedding, Network, exact_token_blocks, expand_tokens, token_pairs
>>> layers = Embedding(np.array([[1.0, 2.0, 3.0]])), Dense(np.array([[2.0]]), bias=False)
>>> batch = token_pairs(Network(layers, "squared_error"), np.array([[2, 0, 2]]), np.zeros((1, 3, 1)))
>>> q, G = expand_tokens(batch, V=3)
>>> (3 * q).tolist(), G.tolist(), {pair: block.tolist() for pair, block in exact_token_blocks(batch).items()}
([1.0, 0.0, 2.0], [[12.0]], {(0, 0): [[4.0]], (0, 2): [[0.0]], (2, 0): [[0.0]], (2, 2): [[8.0]]})
"""

import functools
import itertools
import operator
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .._arithmetic import one
from .._expectation import mean
from .._types import Array
from ._batch import Datapoints, datapoints
from ._expand import squared_roots
from ._network import Network
from ._recursions import sample_roots


class TokenPairs(NamedTuple):
    """The pairs of an embedding for one datapoint, with tokens instead of one-hot vectors.

    tokens: x_t at each position, integers (T,)
    C:      the roots C_t at each position, (T, O, K)
    """

    tokens: Array
    C: Array


def token_pairs(net: Network, X: Datapoints, Y: Datapoints) -> list[TokenPairs]:
    """The pairs of every datapoint for an embedding as layer 1. `pairs` has the same roots, with one-hot vectors."""
    O = len(net.weighted[1].weight)
    roots = ((x.reshape(-1), sample_roots(net, x, y)[1]) for x, y in datapoints(net, X, Y))
    return [TokenPairs(tokens, C.reshape(len(tokens), O, -1)) for tokens, C in roots]


def token_roots(datapoint: TokenPairs) -> dict[int, Array]:
    """S_v (O, K), the sum of the roots C_t over the positions of token v, for every token of the datapoint."""
    tokens, C = datapoint
    return {int(v): np.sum(C[tokens == v], axis=0) for v in np.unique(tokens)}


def expand_tokens(batch: Sequence[TokenPairs], V: int) -> tuple[Array, Array]:
    """q (V,) = counts / (N T), and the G of `expand`, whose Q is diag(q).

    counts[v] is the number of positions of the batch with the token v. With masks, the number of counted positions
    replaces N T.
    """
    tokens = np.concatenate([datapoint.tokens for datapoint in batch])
    counts = np.bincount(tokens, minlength=V)
    like = batch[0].C[0, 0, 0]
    q = np.stack([one(like) * int(count) for count in counts]) / len(tokens)
    return q, mean(squared_roots(datapoint.C) for datapoint in batch)


def exact_token_blocks(batch: Sequence[TokenPairs]) -> dict[tuple[int, int], Array]:
    """1/N sum_n S_nv S_nw^T (O, O): the exact block between the columns v and w of W, keyed by (v, w).

    A pair of tokens that no datapoint has together is not in the result, since its block is 0.
    """
    found: dict[tuple[int, int], list[Array]] = {}
    for datapoint in batch:
        S = token_roots(datapoint)
        for v, w in itertools.product(S, repeat=2):
            found.setdefault((v, w), []).append(S[v] @ S[w].T)
    return {pair: functools.reduce(operator.add, products) / len(batch) for pair, products in found.items()}


def ekfac_token_diagonal(batch: Sequence[TokenPairs], U_G: Array) -> dict[int, Array]:
    """1/N sum_n sum_c (U_G^T S_nvc)^2, (O,), for every token v of the batch.

    The result is column v of the S of `ekfac_diagonal` if U_Q is the identity. The Q of `expand` is diagonal, so the
    identity is an eigenbasis of Q.
    """
    blocks = exact_token_blocks(batch)
    return {v: np.sum(U_G * (block @ U_G), axis=0) for (v, w), block in blocks.items() if v == w}
