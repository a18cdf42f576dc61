"""Windows of convolutions and of pooling layers along each axis of the positions.

The width, the stride and the dilation of such a layer are an int, or a tuple with a number for each axis. The padding
of one axis is a pair of int.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

PerAxis: TypeAlias = int | tuple[int, ...]
"""A number for each axis of the positions, or one number for all axes."""

Padding: TypeAlias = tuple[int, int] | tuple[tuple[int, int], ...]
"""(left, right) for one axis, or a pair for each axis, such as ((top, bottom), (left, right))."""


class Window(NamedTuple):
    """The windows along one axis.

    width:    the number of taps
    stride:   the distance between the first inputs of neighbouring output positions
    padding:  the numbers of positions that are added before the first position and after the last one
    dilation: the distance between the inputs of neighbouring taps
    """

    width: int
    stride: int = 1
    padding: tuple[int, int] = (0, 0)
    dilation: int = 1

    def outputs(self, positions: int) -> int:
        """The number of output positions."""
        span = self.dilation * (self.width - 1) + 1
        return (positions + sum(self.padding) - span) // self.stride + 1


def windows(width: PerAxis, stride: PerAxis, padding: Padding = (0, 0), dilation: PerAxis = 1) -> tuple[Window, ...]:
    """The windows along each axis. A width that is an int means one axis, and a tuple has one number for each axis.

    A stride or a dilation that is an int holds for every axis, and so does a padding that is a single pair.
    """
    axes = 1 if isinstance(width, int) else len(width)
    pairs: Any = padding if isinstance(padding[0], Sequence) else (padding,) * axes
    each = zip(*(for_each_axis(x, axes) for x in (width, stride)), pairs, for_each_axis(dilation, axes), strict=True)
    return tuple(Window(*of_axis) for of_axis in each)


def for_each_axis(value: PerAxis, axes: int) -> tuple[int, ...]:
    """One number for each axis."""
    return (value,) * axes if isinstance(value, int) else value
