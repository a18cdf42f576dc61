"""Activations (C, *positions): C channels with one axis of positions, (C, T), or with several, such as (C, H, W).

The T positions of several axes have row-major order: the index of the last axis changes fastest. All formulas use these
T positions with one index t.

>>> import numpy as np
>>> from kfgn_reference.shared_weights._positions import matrix, vec
>>> image = np.array([[[1, 2], [3, 4]], [[5, 6], [7, 8]]])
>>> matrix(image).tolist(), vec(image).tolist()
([[1, 2, 3, 4], [5, 6, 7, 8]], [1, 5, 2, 6, 3, 7, 4, 8])
"""

from collections.abc import Sequence

import numpy as np

from .._arithmetic import zero
from .._types import Array


def matrix(a: Array) -> Array:
    """The activation a (C, *positions) as a matrix (C, T), with the positions in row-major order."""
    return a.reshape(len(a), -1)


def vec(a: Array) -> Array:
    """The columns of `matrix(a)` as one vector (C T,), with the channels of a position next to each other."""
    return matrix(a).T.reshape(-1)


def unvec(v: Array, shape: tuple[int, ...]) -> Array:
    """The activation a of a shape (C, *positions) for which vec(a) = v."""
    return v.reshape(-1, shape[0]).T.reshape(shape)


def block_diagonal(blocks: Sequence[Array]) -> Array:
    """The matrix with T blocks of equal shape along its diagonal, such as one for each position, and 0 elsewhere."""
    empty, places = zero(blocks[0]), range(len(blocks))
    rows = [[block if i == t else empty for i in places] for t, block in enumerate(blocks)]
    return np.concatenate([np.concatenate(row, axis=1) for row in rows])
