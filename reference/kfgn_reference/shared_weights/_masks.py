"""Masks: a masked position is not a position of its datapoint.

A batch of sequences is often one array, in which short sequences have padding, and a mask names the positions that
count. Here a masked datapoint is the shorter datapoint without its masked positions. So the values at masked positions
have no influence on any result, and every definition holds with the T_n counted positions of datapoint n.

>>> import numpy as np
>>> from kfgn_reference.shared_weights import Dense, Network, counted, expand, pairs
>>> X, Y = np.array([[[1.0, 2.0, 9.0]], [[3.0, 9.0, 9.0]]]), np.zeros((2, 3, 1))
>>> mask = np.array([[True, True, False], [True, False, False]])
>>> X, Y = counted(X, Y, mask)
>>> net = Network((Dense(np.array([[1.0]]), bias=False),), "squared_error")
>>> Q, G = expand(pairs(net, X, Y)[1, 1])
>>> [x.tolist() for x in X], float(Q[0, 0]) == (1 + 4 + 9) / 3, float(G[0, 0]) == (2 + 1) / 2
([[[1.0, 2.0]], [[3.0]]], True, True)
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._types import Array


def counted(X: Array, Y: Array, mask: Array, mask_of_outputs: Array | None = None) -> tuple[list[Array], list[Any]]:
    """The datapoints x_n and the labels y_n without their masked positions, as batches X and Y for every function.

    mask:            (N, *positions) of bool for X (N, C, *positions) or tokens X (N, *positions), True where a position
                     counts
    mask_of_outputs: (N, *positions) of bool for Y (N, *positions, ...), if the positions of Y are not those of X

    A mask of an image must remove only whole rows and whole columns, and every datapoint needs a counted position.
    Raises `ValueError` for any other mask. If masked positions are between two counted positions, these two become
    neighbours. A convolution reads its own padding after the last counted position. A pooling layer with the width None
    has one window over all counted positions.
    """
    of_outputs = mask if mask_of_outputs is None else mask_of_outputs
    first = np.ndim(X) - np.ndim(mask)
    if first not in (0, 1) or X.shape[:1] + X.shape[1 + first :] != mask.shape:
        raise ValueError(f"mask: expected shape (N, *positions) for X {np.shape(X)}, got {np.shape(mask)}")
    if np.shape(Y)[: np.ndim(of_outputs)] != np.shape(of_outputs):
        raise ValueError(f"mask_of_outputs: expected shape (N, *positions) for Y {np.shape(Y)}, got {of_outputs.shape}")
    return without("mask", X, mask, first), without("mask_of_outputs", Y, of_outputs, 0)


def without(name: str, batch: Array, mask: Array, first: int) -> list[Array]:
    """The datapoints of a batch without their masked positions. The positions begin at axis `first` of a datapoint."""
    if mask.dtype != np.bool_:
        raise ValueError(f"{name}: expected bool, True where a position counts, got {mask.dtype}")
    found = []
    for n, (array, of_datapoint) in enumerate(zip(batch, mask, strict=True)):
        kept = array
        for axis, side in enumerate(sides(name, n, of_datapoint), first):
            kept = kept[(slice(None),) * axis + (side,)]
        found.append(kept)
    return found


def sides(name: str, n: int, mask: Array) -> Sequence[Array]:
    """The counted rows and columns of the mask (*positions) of datapoint n, one array of bool for each axis."""
    axes = range(mask.ndim)
    found = [np.any(mask, axis=tuple(other for other in axes if other != axis)) for axis in axes]
    whole = np.ones((), bool)
    for side in found:
        whole = np.multiply.outer(whole, side)
    if not np.any(mask):
        raise ValueError(f"{name}: expected at least one counted position, got none in datapoint {n}")
    if not np.array_equal(whole, mask):
        raise ValueError(
            f"{name}: expected counted positions in whole rows and columns, got a different mask in datapoint {n}"
        )
    return found
