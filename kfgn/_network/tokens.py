"""One-hot vectors, counts and sums of tokens, with arrays whose shapes do not depend on the values of the tokens.

A token is an integer from 0 to V - 1, in an array of a floating-point dtype. `is_token` also accepts integer dtypes. A
number below 0 or above V - 1 is no token, and counts and sums leave it out.
"""

from array_api_compat import array_namespace

from .._types import Array
from ..backends import device, index_dtype


def is_token(tokens: Array, V: int) -> Array:
    """True for a number from 0 to V - 1, in the shape of the tokens."""
    return (tokens >= 0) & (tokens < V)


def indices(tokens: Array, V: int) -> Array:
    """The tokens (R, 1) as indices (R,), with 0 for a number that is no token."""
    xp = array_namespace(tokens)
    valid = xp.where(is_token(tokens, V), tokens, xp.zeros_like(tokens))
    return xp.astype(xp.reshape(valid, (-1,)), index_dtype(tokens))


def one_hot(tokens: Array, V: int) -> Array:
    """The one-hot vectors (R, V) of tokens (R, 1), and zeros for a number that is no token."""
    xp = array_namespace(tokens)
    return xp.astype(tokens == xp.arange(V, dtype=tokens.dtype, device=device(tokens)), tokens.dtype)


def counts(tokens: Array, V: int) -> Array:
    """The number of times that each token is in each row of tokens (N, T): (N, V)."""
    xp, (N, _) = array_namespace(tokens), tokens.shape
    integer, place = index_dtype(tokens), device(tokens)
    keys = xp.astype(xp.clip(tokens, -1, V), integer) + 1  # numbers that are no tokens have the keys 0 and V + 1
    first = (V + 2) * xp.arange(N, dtype=integer, device=place)
    found = xp.sort(xp.reshape(keys + first[:, None], (-1,)))
    known = xp.reshape(first[:, None] + xp.arange(1, V + 1, dtype=integer, device=place), (-1,))
    number = xp.searchsorted(found, known, side="right") - xp.searchsorted(found, known, side="left")
    return xp.astype(xp.reshape(number, (N, V)), tokens.dtype)


def sums_of_tokens(rows: Array, tokens: Array, V: int) -> Array:
    """The sum of the rows (R, D) of each token, (V, D), from tokens (R, 1).

    The rows are sorted by their tokens. After step k, for k = 1, 2, 4, ..., each row is the sum of the original row and
    of those of the 2 k - 1 original rows before it that have the same token. At the end, the last row of a token is the
    sum of all rows of this token.
    """
    xp, R = array_namespace(rows), rows.shape[0]
    order = xp.argsort(xp.reshape(tokens, (-1,)))
    found, total = xp.take(xp.reshape(tokens, (-1,)), order), xp.take(rows, order, axis=0)
    k = 1
    while k < R:
        same = (found[k:] == found[:-k])[:, None]
        earlier = xp.where(same, total[:-k, :], xp.zeros_like(total[:-k, :]))
        total = xp.concat([total[:k, :], total[k:, :] + earlier], axis=0)
        k *= 2
    known = xp.arange(V, dtype=tokens.dtype, device=device(tokens))
    ends = xp.searchsorted(found, known, side="right")
    last = xp.take(total, xp.clip(ends - 1, 0, R - 1), axis=0)
    return xp.where((ends > xp.searchsorted(found, known, side="left"))[:, None], last, xp.zeros_like(last))
