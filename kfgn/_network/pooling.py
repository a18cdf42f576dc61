"""Pooling: the mean or the sum over windows of positions."""

import math
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from array_api_compat import array_namespace

from .._documentation import Documented
from .._types import Array, Namespace
from .._validation.scalars import checked_name, set_fields
from .axes import check_axes, check_positions, checked_per_axis, per_axis
from .layer_map import Shape
from .windows import Windows, along, with_zeros

KINDS = ("mean", "sum")
"""The kinds of pooling."""


@dataclass(frozen=True)
class Pooling(metaclass=Documented):
    """The mean or the sum over windows of positions, in each channel separately. The layer has no weights.

    A `Pooling` is hashable and holds no array. The layer needs a network whose `inputs` is (C, T) or (C, H, W).

    Parameters
    ----------
    width : int, pair of int or None
        The number of positions of a window along each axis: an int for positions along one axis, and a pair for two
        axes. With None, one window has all positions, or all counted positions of a datapoint if X is a `Padded`.
    stride : int or pair of int
        The distance between neighbouring windows. If `width` is a pair, an int holds for both axes. Positions after
        the last whole window are not used. If the width is None, the stride has no effect.
    kind : {"mean", "sum"}
        The mean or the sum over the positions of a window.

    Raises
    ------
    TypeError
        For values of a wrong type.
    ValueError
        For numbers that are not positive, for a tuple or list without exactly two elements, and for an unknown kind.

    Examples
    --------
    >>> import kfgn
    >>> layers = kfgn.Convolution(4, 3, "tanh"), kfgn.Pooling(5, 5, "mean"), kfgn.Dense(2)
    >>> network = kfgn.Network((1, 12), layers, "squared_error")
    >>> network.positions, network.weight_shapes
    ((12, 10, 2, 2), ((4, 4), (2, 5)))
    """

    width: Any
    stride: Any
    kind: str

    transfer: ClassVar[str] = "identity"

    def __post_init__(self) -> None:
        set_fields(self, width=None if self.width is None else checked_per_axis("width", self.width))
        set_fields(self, stride=checked_per_axis("stride", self.stride, like=self.width))
        set_fields(self, kind=checked_name("kind", self.kind, KINDS))

    def weight_shape(self, inputs: int) -> None:  # noqa: ARG002  (the layers have one interface)
        """None, since the layer has no weights."""
        return

    def at(self, shape: Shape) -> tuple["PoolingMap", Shape]:
        """The map of the layer for inputs of a shape, and the shape of its outputs.

        Raises `ValueError` if the layer does not fit the shape.
        """
        C, *lengths = shape
        if self.width is None:
            check_positions(lengths)
            return PoolingMap(self.kind, C, tuple(Windows(T, T, T) for T in lengths), True), (C, *(1 for _ in lengths))
        check_axes(self.width, lengths)
        windows = []
        for T, width, stride in zip(lengths, per_axis(self.width), per_axis(self.stride), strict=True):
            if width > T:
                raise ValueError(f"width: expected a window of at most {T} positions, got {width}")
            # a single window does not depend on the stride, and `_sums` is faster for the stride `width`
            windows.append(Windows(T, width, width if T - width < min(stride, width) else stride))
        return PoolingMap(self.kind, C, tuple(windows), False), (C, *(w.outputs for w in windows))


@dataclass(frozen=True)
class PoolingMap:
    """A pooling at its place in a network, a `LayerMap` without weights.

    whole: True if the width of the layer is None, so that the one window has all positions
    """

    kind: str
    channels: int
    windows: tuple[Windows, ...]
    whole: bool

    mixes_positions: ClassVar[bool] = True

    @property
    def weight(self) -> float:
        """The number by which each position of a window is multiplied."""
        return 1.0 if self.kind == "sum" else 1 / math.prod([w.width for w in self.windows])

    def inputs(self, xp: Namespace, a: Array) -> Array:  # noqa: ARG002
        """The rows a_{l-1}."""
        return a

    def preactivations(self, W: None, inputs: Array) -> Array:
        """The pooled rows."""
        return self.preactivation_tangents(W, inputs)

    def preactivation_tangents(self, W: None, R_a: Array) -> Array:  # noqa: ARG002
        """The pooled rows of R_a (..., R, C)."""
        xp = array_namespace(R_a)
        x = xp.reshape(R_a, (-1, *(w.length for w in self.windows), self.channels))
        for axis, w in enumerate(self.windows, start=1):
            x = along(xp, x, axis, partial(_sums, w))
        return self.weight * xp.reshape(x, (*R_a.shape[:-2], -1, self.channels))

    def pulled_back(self, W: None, rows: Array) -> Array:  # noqa: ARG002
        """For each input position, `weight` times the sum of the rows of all windows that contain the position."""
        xp = array_namespace(rows)
        x = self.weight * xp.reshape(rows, (-1, *(w.outputs for w in self.windows), self.channels))
        for axis, w in enumerate(self.windows, start=1):
            x = along(xp, x, axis, partial(_spread, w))
        return xp.reshape(x, (*rows.shape[:-2], -1, self.channels))

    def carried_over_taps(self, W: None, G: Array) -> Array:  # noqa: ARG002
        """The number of positions of a window, times the square of the weight, times G."""
        return math.prod([w.width for w in self.windows]) * self.weight**2 * G


def _sums(w: Windows, xp: Namespace, x: Array) -> Array:
    """The sums over windows of positions: (A, T, B) to (A, T', B)."""
    if w.stride == w.width:
        used = x[:, : w.outputs * w.width, :]
        return xp.sum(xp.reshape(used, (x.shape[0], w.outputs, w.width, x.shape[2])), axis=2)
    total = x[:, w.tap(0), :]
    for k in range(1, w.width):
        total = total + x[:, w.tap(k), :]
    return total


def _spread(w: Windows, xp: Namespace, rows: Array) -> Array:
    """The transpose of `_sums`: (A, T', B) to (A, T, B)."""
    A, _, B = rows.shape
    if w.stride == w.width:
        used = w.outputs * w.width
        repeated = xp.broadcast_to(rows[:, :, None, :], (A, w.outputs, w.width, B))
        return with_zeros(xp, xp.reshape(repeated, (A, used, B)), 0, w.length - used)
    total = w.placed(0, xp, rows)
    for k in range(1, w.width):
        total = total + w.placed(k, xp, rows)
    return total
