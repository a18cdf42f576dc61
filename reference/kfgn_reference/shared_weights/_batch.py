"""The datapoints of a batch, with checks that the batch fits the network.

>>> import numpy as np
>>> from kfgn_reference.shared_weights import Dense, Network, loss
>>> net = Network((Dense(np.eye(2), bias=False),), "squared_error")
>>> loss(net, np.zeros((3, 2, 5)), np.zeros((3, 2, 5)))
Traceback (most recent call last):
ValueError: Y: expected shape (3, 5, 2) for squared_error, got (3, 2, 5)
"""

from collections.abc import Iterator, Sequence
from numbers import Rational
from typing import Any, TypeAlias

import numpy as np

from .._batch import check_classes
from .._objectives import OBJECTIVES
from .._types import Array
from ._embedding import Embedding
from ._network import Network

Datapoints: TypeAlias = Array | Sequence[Array]
"""An array with the axis of the datapoints first, or a list of datapoints with different numbers of positions."""


def inputs(net: Network, X: Datapoints) -> list[Array]:
    """The datapoints x (C_0, *positions) of X, or the tokens (*positions) if the first layer is an embedding.

    X has the shape (N, C_0, *positions), or (N, *positions) for tokens, with N > 0. X may also be a list of datapoints
    with different numbers of positions, such as the first result of `counted` in the module `_masks`. Raises
    `ValueError` if the network does not fit the datapoints, or if a token, the divisor or the objective is invalid.
    """
    embedding = net.layers[0] if net.layers and isinstance(net.layers[0], Embedding) else None
    shapes = [np.shape(x) for x in X]
    if not shapes or min(map(len, shapes)) < (1 if embedding else 2):
        expected = "(N, T) or (N, H, W)" if embedding else "(N, C, T) or (N, C, H, W)"
        raise ValueError(f"X: expected shape {expected} with N > 0, got {(len(shapes), *(shapes or [()])[0])}")
    if not (isinstance(net.divisor, Rational) and net.divisor > 0):
        raise ValueError(f"divisor: expected a positive int or Fraction, got {net.divisor}")
    for shape in dict.fromkeys(shapes):
        output_shape(net, *shape)
    if embedding:
        check_tokens(X, embedding.weight.shape[1])
    if net.objective not in OBJECTIVES:
        raise ValueError(f"objective: expected one of {', '.join(OBJECTIVES)}, got {net.objective!r}")
    return list(X)


def check_tokens(X: Datapoints, V: int) -> None:
    """Raise `ValueError` unless every token is an integer from 0 to V - 1."""
    tokens = np.concatenate([np.ravel(x) for x in X])
    if tokens.dtype.kind not in "iu":
        raise ValueError(f"X: expected integers, the tokens of an embedding, got {tokens.dtype}")
    if not (np.all(tokens >= 0) and np.all(tokens < V)):
        raise ValueError(f"X: expected tokens from 0 to {V - 1}, got {tokens.min()} to {tokens.max()}")


def output_shape(net: Network, *shape: int) -> tuple[int, ...]:
    """(D_L, *positions) of the outputs for inputs (C, *positions). Raises `ValueError` if a layer does not fit."""
    for l, layer in enumerate(net.layers, 1):
        if l > 1 and isinstance(layer, Embedding):
            raise ValueError(f"layer {l}: expected an embedding only as layer 1, got one here")
        try:
            shape = layer.output_shape(*shape)
        except ValueError as error:
            of_inputs = described(*shape) if l == 1 and not isinstance(layer, Embedding) else ""
            raise ValueError(f"layer {l}: {error}{of_inputs}") from None
    return shape


def described(C: int, *positions: int) -> str:
    """The part of an error message that names the axes of an X with channels."""
    if len(positions) == 1:
        return f", for an X (N, C, T) with C = {C} channels and T = {positions[0]} positions"
    return f", for an X (N, C, *positions) with C = {C} channels and positions {positions}"


def datapoints(net: Network, X: Datapoints, Y: Any) -> Iterator[tuple[Array, Any]]:
    """The pairs (x, y) of a batch, with labels Y (N, *positions, D_L), or class indices (N, *positions)."""
    rows = inputs(net, X)
    check_labels(net, "Y", rows, Y, (len(rows),))
    return zip(rows, Y, strict=True)


def labelled(net: Network, X: Datapoints, labels: Any) -> Iterator[tuple[Array, Any]]:
    """The pairs (x, samples) of a batch with labels (N, S, *positions, D_L), or class indices (N, S, *positions)."""
    rows = inputs(net, X)
    check_labels(net, "labels", rows, labels, samples("labels", labels, rows))
    return zip(rows, labels, strict=True)


def samples(name: str, array: Any, rows: Datapoints) -> tuple[int, int]:
    """(N, S), the number of `rows` and the number of samples of each datapoint of `array`.

    Raises `ValueError` unless S > 0.
    """
    shape = (len(array), *(np.shape(array[0]) if len(array) else ()))
    if len(shape) < 2 or shape[1] == 0:
        raise ValueError(f"{name}: expected S > 0 samples per datapoint along axis 1, got shape {shape}")
    return len(rows), shape[1]


def check_labels(net: Network, name: str, X: Datapoints, y: Any, leading: tuple[int, ...]) -> None:
    """Raise `ValueError` unless y has a valid label for each output position, of the shape that the objective needs.

    leading: the sizes of the axes of y before the positions, (N,) or (N, S)
    """
    for part, x, of_part, axes in parts(name, X, y, leading):
        D_L, *_ = output_shape(net, *x)
        array = np.array(of_part)
        check_shape(net, part, x, array.shape, axes)
        classes = {"categorical": D_L, "mixture": 2}.get(net.objective)
        if classes:
            check_classes(part, array, classes)


def check_draws(net: Network, X: Datapoints, draws: Any) -> None:
    """Raise `ValueError` unless draws have S > 0 labels at each output position, in the shape of these labels."""
    for part, x, of_part, axes in parts("draws", X, draws, samples("draws", draws, X)):
        check_shape(net, part, x, np.shape(of_part), axes)


def parts(
    name: str, X: Datapoints, y: Any, leading: tuple[int, ...]
) -> Iterator[tuple[str, tuple[int, ...], Any, tuple[int, ...]]]:
    """The array y, or its part for each datapoint if the inputs have different shapes.

    Each part has its name, the shape of its inputs, the part itself, and the sizes of its axes before the positions.
    Raises `ValueError` if the numbers of datapoints differ.

    leading: the sizes of the axes of y before the positions, (N,) or (N, S)
    """
    shapes = [np.shape(x) for x in X]
    if len(set(shapes)) == 1:
        yield name, shapes[0], y, leading
        return
    if len(y) != len(shapes):
        raise ValueError(f"{name}: expected {len(shapes)} datapoints, got {len(y)}")
    for n, (shape, of_datapoint) in enumerate(zip(shapes, y, strict=True)):
        yield f"{name}[{n}]", shape, of_datapoint, leading[1:]


def check_shape(net: Network, name: str, x: tuple[int, ...], shape: tuple[int, ...], leading: tuple[int, ...]) -> None:
    """Raise `ValueError` unless the shape is that of labels for inputs of the shape x.

    leading: the sizes of the axes of the labels before the positions
    """
    D_L, *positions = output_shape(net, *x)
    outputs = () if net.objective in ("categorical", "mixture") else (D_L,)
    expected = (*leading, *positions, *outputs)
    if shape != expected:
        raise ValueError(f"{name}: expected shape {expected} for {net.objective}, got {shape}")
