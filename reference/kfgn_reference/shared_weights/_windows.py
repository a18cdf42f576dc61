"""Windows: the input positions that each output position of a convolution, or of a pooling layer, reads.

>>> from kfgn_reference.shared_weights._windows import Window, reads
>>> Window(width=3, stride=2).outputs(7)
3
>>> first, *_, last = reads((Window(width=2), Window(width=2)), (2, 3))
>>> first.astype(int).T.tolist(), last.astype(int).T.tolist()
([[1, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0]], [[0, 0, 0, 0, 1, 0], [0, 0, 0, 0, 0, 1]])
"""

import functools
import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from .._types import Array

PerAxis: TypeAlias = int | tuple[int, ...]
"""A number for each axis of the positions, or one number for all axes. A width that is one number means one axis."""

Padding: TypeAlias = tuple[int, int] | tuple[tuple[int, int], ...]
"""(left, right) for one axis, or a pair for each axis, such as ((top, bottom), (left, right))."""


class Window(NamedTuple):
    """The windows along one axis.

    width:    the number of taps
    stride:   the distance between the first inputs of neighbouring output positions
    padding:  the numbers of positions that are added before the first and after the last one
    circular: True if the added positions repeat the other end of the input, False if they are zeros
    dilation: the distance between the inputs of neighbouring taps
    """

    width: int
    stride: int = 1
    padding: tuple[int, int] = (0, 0)
    circular: bool = False
    dilation: int = 1

    @property
    def span(self) -> int:
        """The number of positions from the first to the last input of a window: dilation (width - 1) + 1."""
        return self.dilation * (self.width - 1) + 1

    @property
    def fewest(self) -> int:
        """The smallest number of input positions for which the windows are defined."""
        return max(self.span, *self.padding) if self.circular else max(self.span - sum(self.padding), 1)

    def outputs(self, T: int) -> int:
        """T' = floor((T + left + right - span) / stride) + 1 for T input positions and the paddings left and right."""
        return (T + sum(self.padding) - self.span) // self.stride + 1

    def reads(self, T: int) -> tuple[Array, ...]:
        """Z_k (T, T') for each tap k: True where output position t' reads input position t.

        That input is t = t' stride + k dilation - left padding, for k, t and t' from 0. With circular padding, t is
        reduced modulo T. Otherwise, if t is outside the input, the tap reads a zero, and column t' of Z_k is False
        everywhere.
        """
        starts = self.stride * np.arange(self.outputs(T)) - self.padding[0]
        sources = [starts + self.dilation * k for k in range(self.width)]
        return tuple(np.arange(T)[:, None] == (source % T if self.circular else source)[None, :] for source in sources)


def windows(
    width: PerAxis, stride: PerAxis, padding: Padding = (0, 0), circular: bool = False, dilation: PerAxis = 1
) -> tuple[Window, ...]:
    """The windows along each axis. A width that is an int means one axis, and a tuple has one number for each axis.

    Raises `ValueError` for a width, a stride or a dilation that is not a positive int, for a padding whose numbers are
    not ints of at least 0, and for a stride, a dilation or a padding with a different number of axes. For several axes,
    a single pair other than (0, 0) is refused too, since it could mean (left, right), or one number for each axis.
    """
    widths = tuple(width) if isinstance(width, Sequence) else (width,)
    if not widths or not all(is_int(w, 1) for w in widths):
        raise ValueError(f"width: expected a positive int, or one for each axis, got {width!r}")
    axes = len(widths)
    strides, dilations = (for_each_axis(name, x, axes) for name, x in (("stride", stride), ("dilation", dilation)))
    pairs: Any = (padding,) * axes if is_pair(padding) and (axes == 1 or not any(padding)) else padding
    if not (isinstance(pairs, Sequence) and len(pairs) == axes and all(map(is_pair, pairs))):
        raise ValueError(
            f"padding: expected a pair of ints of at least 0 for each axis of the width {width}, got {padding!r}"
        )
    return tuple(Window(w, s, p, circular, d) for w, s, p, d in zip(widths, strides, pairs, dilations, strict=True))


def for_each_axis(name: str, value: PerAxis, axes: int) -> tuple[int, ...]:
    """A positive number for each axis. Raises `ValueError`, with the name of the argument, for a different value."""
    values = tuple(value) if isinstance(value, Sequence) else (value,) * axes
    if len(values) != axes or not all(is_int(number, 1) for number in values):
        raise ValueError(f"{name}: expected a positive int, or {axes} of them as in the width, got {value!r}")
    return values


def is_pair(value: Any) -> bool:
    """True for two ints of at least 0, the padding of one axis."""
    return isinstance(value, Sequence) and len(value) == 2 and all(is_int(side, 0) for side in value)


def is_int(value: Any, lower: int) -> bool:
    """True for an int of at least `lower`. A bool does not count as an int."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and int(value) >= lower


def output_positions(along: tuple[Window, ...], positions: tuple[int, ...]) -> tuple[int, ...]:
    """The number of output positions along each axis. Raises `ValueError` if the windows do not fit the positions."""
    if len(along) != len(positions):
        expected = "1 axis" if len(along) == 1 else f"{len(along)} axes"
        raise ValueError(f"x: expected {expected} of positions, got {len(positions)}")
    for axis, (window, T) in enumerate(zip(along, positions, strict=True), 1):
        if window.fewest > T:
            place = f" along axis {axis}" if len(along) > 1 else ""
            raise ValueError(
                f"x: expected at least {window.fewest} positions{place} for a window that spans {window.span}, got {T}"
            )
    return tuple(window.outputs(T) for window, T in zip(along, positions, strict=True))


def reads(along: tuple[Window, ...], positions: tuple[int, ...]) -> tuple[Array, ...]:
    """Z_k (T, T') for each tap k, with taps and positions in row-major order.

    Tap (k_1, k_2) of two axes has Z_{k_1} kron Z_{k_2}: an output reads an input if it does so along every axis. Raises
    `ValueError` if the windows do not fit the positions.
    """
    output_positions(along, positions)
    along_axes = [window.reads(T) for window, T in zip(along, positions, strict=True)]
    return tuple(functools.reduce(np.kron, Z) for Z in itertools.product(*along_axes))
