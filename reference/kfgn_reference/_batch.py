"""The datapoints of a batch, after a check that the batch fits the network.

>>> from kfgn_reference import loss
>>> from kfgn_reference._example import X, Y, net
>>> loss(net, X, Y[:1])
Traceback (most recent call last):
ValueError: Y: expected shape (2, 1) for squared_error, got (1, 1)
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ._network import Network
from ._types import Array


def inputs(net: Network, X: Array) -> list[Array]:
    """The rows of X (N, D_0), N > 0. Raises `ValueError` if X has a wrong shape or the network is invalid."""
    check_network(net)
    D_0 = np.shape(net.kernel(1))[1]
    if np.ndim(X) != 2 or len(X) == 0 or np.shape(X)[1] != D_0:
        raise ValueError(
            f"X: expected shape (N, {D_0}) with N > 0, got {np.shape(X)}"
            + "; the last column of W_1 is its bias, unless the first of `biases` is False"
            * (net.has_bias(1) and np.shape(X)[1:] == (D_0 + 1,))
        )
    return list(X)


def check_network(net: Network) -> None:
    """Raise `ValueError` unless the shapes of the weights and the numbers of biases and transfer functions fit.

    The mixture needs 3 outputs. The dictionaries `OBJECTIVES` and `TRANSFERS` raise `ValueError` for an unknown name.
    """
    shapes = [np.shape(W) for W in net.weights]
    if not shapes or any(len(shape) != 2 for shape in shapes):
        raise ValueError(f"weights: expected one matrix per layer, got shapes {shapes}")
    if net.biases is not None and len(net.biases) != net.L:
        raise ValueError(f"biases: expected {net.L} values True or False, got {net.biases}")
    if len(net.transfers) != net.L - 1:
        raise ValueError(f"transfers: expected {net.L - 1} for {net.L} layers, got {net.transfers}")
    widths = [below[0] + net.has_bias(l) for l, below in enumerate(shapes[:-1], start=2)]
    if [above[1] for above in shapes[1:]] != widths:
        raise ValueError(f"weights: expected shapes (D_l, D_(l-1) + 1), or (D_l, D_(l-1)) without bias, got {shapes}")
    if net.objective == "mixture" and shapes[-1][0] != 3:
        raise ValueError(f"weights: expected 3 outputs for the mixture, got {shapes[-1][0]}")


def datapoints(net: Network, X: Array, Y: Array) -> Iterator[tuple[Array, Any]]:
    """The pairs (x, y) of a batch. Y is (N, D_L), or (N,) class indices for the categorical loss and the mixture."""
    rows = inputs(net, X)
    check_labels(net, "Y", Y, (len(rows),))
    return zip(rows, Y, strict=True)


def labelled(net: Network, X: Array, labels: Sequence[Sequence[Any]] | Array) -> Iterator[tuple[Array, Any]]:
    """The N S pairs (x, y) of a batch with S labels per datapoint.

    labels: (N, S, D_L), or (N, S) class indices
    """
    rows = inputs(net, X)
    check_labels(net, "labels", labels, samples("labels", labels, rows))
    return ((x, y) for x, row in zip(rows, labels, strict=True) for y in row)


def samples(name: str, array: Any, rows: Sequence[Array]) -> tuple[int, int]:
    """(N, S), the number of `rows` and the number of samples along axis 1 of `array`.

    Raises `ValueError` unless S > 0.
    """
    shape = np.shape(array)
    if len(shape) < 2 or shape[1] == 0:
        raise ValueError(f"{name}: expected S > 0 samples per datapoint along axis 1, got shape {shape}")
    return len(rows), shape[1]


def check_shape(net: Network, name: str, shape: tuple[int, ...], leading: tuple[int, ...]) -> None:
    """Raise `ValueError` unless the shape is that of labels: `leading` for class indices, else (*leading, D_L)."""
    expected = leading if net.objective in ("categorical", "mixture") else (*leading, len(net.weights[-1]))
    if shape != expected:
        raise ValueError(f"{name}: expected shape {expected} for {net.objective}, got {shape}")


def check_labels(net: Network, name: str, y: Any, leading: tuple[int, ...]) -> None:
    """Raise `ValueError` unless y has the shape that the objective needs, and class indices are integers in range.

    leading: the sizes of the axes of y before the outputs, (N,) or (N, S)
    """
    array = np.array(y)
    check_shape(net, name, array.shape, leading)
    classes = {"categorical": len(net.weights[-1]), "mixture": 2}.get(net.objective)
    if classes is not None:
        check_classes(name, array, classes)


def check_classes(name: str, array: Array, classes: int) -> None:
    """Raise `ValueError` unless all elements are integers from 0 to classes - 1."""
    if array.dtype.kind not in "iu" and not all(isinstance(y, int | np.integer) for y in array.ravel()):
        raise ValueError(f"{name}: expected integers, the indices of classes, got {array.dtype}")
    if not (np.all(array >= 0) and np.all(array < classes)):
        raise ValueError(f"{name}: expected class indices from 0 to {classes - 1}, got {array.min()} to {array.max()}")
