"""A batch, datapoint by datapoint, once it fits the network: an oracle must not answer nonsense."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ._network import Network
from ._types import Array


def inputs(net: Network, X: Array) -> list[Array]:
    """The rows of X (N, D_0), N > 0. Raises `ValueError` if X or the network itself does not fit."""
    shapes = [np.shape(W) for W in net.weights]
    chained = all(above[1] == below[0] + 1 for below, above in pairwise(shapes))
    if not shapes or not chained or len(net.transfers) != net.L - 1:
        raise ValueError(
            f"expected weights (D_l, D_(l-1) + 1) and one transfer function fewer, got {shapes} and {net.transfers}"
        )
    if net.objective == "mixture" and shapes[-1][0] != 3:
        raise ValueError(f"expected 3 outputs for the mixture, got {shapes[-1][0]}")
    if np.ndim(X) != 2 or len(X) == 0 or np.shape(X)[1] != shapes[0][1] - 1:
        raise ValueError(f"X: expected shape (N, {shapes[0][1] - 1}) with N > 0, got {np.shape(X)}")
    return list(X)


def datapoints(net: Network, X: Array, Y: Array) -> Iterator[tuple[Array, Any]]:
    """The pairs (x, y) of a batch: Y is (N, D_L), or (N,) class indices for the categorical and the mixture."""
    rows = inputs(net, X)
    check_labels(net, "Y", Y, (len(rows),))
    return zip(rows, Y, strict=True)


def labelled(net: Network, X: Array, labels: Sequence[Sequence[Any]] | Array) -> Iterator[tuple[Array, Any]]:
    """The pairs (x, y) of a batch with S labels for each datapoint: (N, S, D_L), or (N, S) class indices."""
    rows = inputs(net, X)
    check_labels(net, "labels", labels, (len(rows), len(labels[0])))
    return ((x, y) for x, row in zip(rows, labels, strict=True) for y in row)


def check_labels(net: Network, name: str, y: Any, leading: tuple[int, ...]) -> None:
    """`ValueError` unless y has the shape of labels, and class indices are in range."""
    D_L = len(net.weights[-1])
    classes = {"categorical": D_L, "mixture": 2}.get(net.objective)
    array = np.array(y)
    expected = leading if classes else (*leading, D_L)
    if array.shape != expected:
        raise ValueError(f"{name}: expected shape {expected} for {net.objective}, got {array.shape}")
    if classes and not (np.all(array >= 0) and np.all(array < classes)):
        raise ValueError(f"{name}: expected class indices from 0 to {classes - 1}, got {array.min()} to {array.max()}")
