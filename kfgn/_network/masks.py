"""The counted positions of an activation, and those of the outputs of a layer with windows.

A layer with windows needs the counted positions of each datapoint first along every axis, so that the number of outputs
of a datapoint follows from the number of its inputs. No shape depends on the values of a mask.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from array_api_compat import array_namespace

from .._algebra.matrices import second_moment, zero
from .._types import Array
from ..backends import device, index_dtype
from .windows import Windows


class Mask(NamedTuple):
    """The counted positions of an activation, with the operations on its rows (N T, C).

    counted: (N, T) or (N, H, W) of bool, True where a position counts
    """

    counted: Array

    @property
    def rows(self) -> Array:
        """The mask of the rows, (N T, 1)."""
        return array_namespace(self.counted).reshape(self.counted, (-1, 1))

    def kept(self, rows: Array) -> Array:
        """The given rows (..., N T, C), with the rows of masked positions set to zero."""
        xp = array_namespace(rows)
        return xp.where(self.rows, rows, zero(xp, rows))

    def kept_numbers(self, values: Array) -> Array:
        """The given numbers (..., N T), with the numbers of masked positions set to zero."""
        xp = array_namespace(values)
        return xp.where(self.rows[:, 0], values, zero(xp, values))

    def numbers(self, like: Array) -> Array:
        """T_n, the number of counted positions of each datapoint, (N, 1) in the dtype of `like`."""
        xp = array_namespace(like)
        by_datapoint = xp.reshape(self.counted, (self.counted.shape[0], -1))
        return xp.sum(xp.astype(by_datapoint, like.dtype), axis=1, keepdims=True)

    def correction(self, like: Array) -> Array:
        """N T / sum_n T_n, 0-d in the dtype of `like`.

        If the rows of masked positions are 0, the mean over all rows times this number is the mean over the counted
        rows.
        """
        xp = array_namespace(like)
        return self.rows.shape[0] / xp.sum(self.numbers(like))

    def second_moment(self, rows: Array, T: int, sharing: str) -> Array:
        """The mean of v v^T over vectors v.

        For "expand", the vectors are the counted rows. For "reduce", each vector is the mean of the counted rows of a
        datapoint.
        """
        xp, found = array_namespace(rows), self.kept(rows)
        if sharing == "expand":
            return self.correction(rows) * second_moment(xp, found)
        return second_moment(xp, xp.sum(xp.reshape(found, (-1, T, rows.shape[1])), axis=1) / self.numbers(rows))

    def lengths(self) -> tuple[Array, ...]:
        """For each axis, the number of indices that have a counted position, (N,) of integers."""
        xp, axes = array_namespace(self.counted), range(1, self.counted.ndim)
        sides = (self.counted if len(axes) == 1 else _any_of(self.counted, 3 - axis) for axis in axes)
        return tuple(xp.sum(xp.astype(side, index_dtype(side)), axis=1) for side in sides)

    def come_first(self) -> Array:
        """True for each datapoint whose counted positions come first along every axis, (N,)."""
        xp = array_namespace(self.counted)
        same = self.counted == _first(self.lengths(), self.counted.shape[1:])
        return xp.all(xp.reshape(same, (same.shape[0], -1)), axis=1)

    def exist(self) -> Array:
        """True for each datapoint with a counted position, (N,)."""
        xp = array_namespace(self.counted)
        return xp.any(xp.reshape(self.counted, (self.counted.shape[0], -1)), axis=1)

    def of_windows(self, windows: Sequence[Windows]) -> "Mask":
        """The mask of the outputs of a layer with windows. The counted positions must come first."""
        pairs = zip(windows, self.lengths(), strict=True)
        return Mask(_first([w.outputs_of(T) for w, T in pairs], [w.outputs for w in windows]))


def kept(mask: Mask | None, rows: Any) -> Any:
    """`mask.kept(rows)`, and the rows themselves if there is no mask."""
    return rows if mask is None else mask.kept(rows)


def _any_of(counted: Array, axis: int) -> Array:
    return array_namespace(counted).any(counted, axis=axis)


def _first(numbers: Sequence[Array], sizes: Sequence[int]) -> Array:
    """The mask (N, *sizes) of the first positions along every axis, from their numbers (N,) along each axis."""
    found = None
    for axis, (number, size) in enumerate(zip(numbers, sizes, strict=True)):
        xp = array_namespace(number)
        side = xp.arange(size, dtype=number.dtype, device=device(number))[None, :] < number[:, None]
        side = xp.reshape(side, (-1, *(size if i == axis else 1 for i in range(len(sizes)))))
        found = side if found is None else found & side
    return found
