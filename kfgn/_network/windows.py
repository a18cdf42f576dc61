"""The windows of a convolution or a pooling along one axis of positions.

The array arguments of the methods of `Windows`, except `lengths`, have three axes, and the middle axis has the
positions. `along` applies a method of `Windows` to one axis of an array with more axes. No shape depends on the values
of an array.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

from array_api_compat import array_namespace

from .._types import Array, Namespace
from ..backends import device


class Windows(NamedTuple):
    """Window t = 0, 1, ... reads the positions t stride + k dilation of the padded axis, for k = 0, ..., width - 1.

    length:   T, the number of positions of the input
    width:    the number of taps k
    padding:  the numbers of positions that are added before the first and after the last position
    circular: True if the added positions repeat the other end of the axis, False if they are zeros
    """

    length: int
    width: int
    stride: int
    dilation: int = 1
    padding: tuple[int, int] = (0, 0)
    circular: bool = False

    @property
    def span(self) -> int:
        """The distance from the first to the last position that a window reads."""
        return self.dilation * (self.width - 1)

    @property
    def padded_length(self) -> int:
        """The number of positions with the padding."""
        return self.length + sum(self.padding)

    @property
    def outputs(self) -> int:
        """T', the number of windows, which is not positive if the padded axis is shorter than a window."""
        return (self.padded_length - self.span - 1) // self.stride + 1

    @property
    def fit(self) -> bool:
        """True if at least one window fits. With circular padding, a window must not be longer than the input."""
        return self.outputs > 0 and not (self.circular and self.span >= self.length)

    def outputs_of(self, lengths: Array) -> Array:
        """For datapoints of T_n <= T positions, the number of windows, (N,): not positive if no window fits."""
        return (lengths + sum(self.padding) - self.span - 1) // self.stride + 1

    def reads_of(self, k: int, lengths: Array) -> Array:
        """For datapoints of T_n <= T positions, the number of windows in which tap k reads an input, (N,)."""
        xp = array_namespace(lengths)
        windows = xp.arange(self.outputs, dtype=lengths.dtype, device=device(lengths))[None, :]
        positions = windows * self.stride + (k * self.dilation - self.padding[0])
        read = (positions >= 0) & (positions < lengths[:, None]) & (windows < self.outputs_of(lengths)[:, None])
        return xp.sum(xp.astype(read, lengths.dtype), axis=1)

    def reads(self, k: int) -> int:
        """The number of windows in which tap k reads an input, and not a zero of the padding."""
        starts = range(0, self.outputs * self.stride, self.stride)
        positions = (start + k * self.dilation - self.padding[0] for start in starts)
        return self.outputs if self.circular else sum(0 <= position < self.length for position in positions)

    def padded(self, xp: Namespace, a: Array) -> Array:
        """The input (A, T, B) with its padding: (A, `padded_length`, B)."""
        left, right = self.padding
        if not self.circular:
            return with_zeros(xp, a, left, right)
        before = [a[:, self.length - left :, :]] if left else []
        after = [a[:, :right, :]] if right else []
        return xp.concat([*before, a, *after], axis=1) if left + right else a

    @property
    def pulled(self) -> range:
        """The padded positions to which rows are pulled back: all for circular padding, else those of the input."""
        first = self.padding[0]
        return range(self.padded_length) if self.circular else range(first, first + self.length)

    @property
    def phases(self) -> tuple[tuple[tuple[int, int], ...], ...]:
        """For each phase of the positions `pulled`, the taps that read the phase.

        Phase p = 0, ..., stride - 1 has the elements p + u stride of `pulled`, for u = 0, 1, ... A pair (k, shift)
        means that tap k of window u - shift reads element u of the phase.
        """
        starts = [self.pulled.start + phase for phase in range(self.stride)]
        reached = [[k * self.dilation - start for k in range(self.width)] for start in starts]
        return tuple(
            tuple((k, n // self.stride) for k, n in enumerate(numbers) if n % self.stride == 0) for numbers in reached
        )

    @property
    def per_phase(self) -> int:
        """The number of elements of a phase. In the last phases, the last element may lie after the end of `pulled`."""
        return -(-len(self.pulled) // self.stride)

    def with_all_windows(self, xp: Namespace, rows: Array) -> Array:
        """The rows (A, T', B) of the windows, with zeros at both ends for further windows that `windows_of` needs."""
        left, last = self._before, self.per_phase - 1 - min(self._shifts)
        return with_zeros(xp, rows, left, max(0, last + 1 - self.outputs))

    def windows_of(self, shift: int) -> slice:
        """The slice of the windows u - shift, for all u, along the rows of `with_all_windows`."""
        return slice(self._before - shift, self._before - shift + self.per_phase)

    @property
    def _shifts(self) -> list[int]:
        return [shift for phase in self.phases for _, shift in phase]

    @property
    def _before(self) -> int:
        """The number of zeros before the first window."""
        return max(0, *self._shifts)

    def joined(self, xp: Namespace, pulled: Array) -> Array:
        """Sum the rows `pulled` of each input position and of the added positions that repeat it: (A, T, B)."""
        if not self.circular:
            return pulled[:, : self.length, :]
        (left, right), T = self.padding, self.length
        total = pulled[:, left : left + T, :]
        if left:
            total = total + with_zeros(xp, pulled[:, :left, :], T - left, 0)
        if right:
            total = total + with_zeros(xp, pulled[:, left + T : self.padded_length, :], 0, T - right)
        return total

    def tap(self, k: int) -> slice:
        """The slice of the padded axis that tap k reads: one position for each window."""
        start = k * self.dilation
        return slice(start, start + (self.outputs - 1) * self.stride + 1, self.stride)

    def placed(self, k: int, xp: Namespace, rows: Array) -> Array:
        """The transpose of the slice `tap`: rows (A, T', B) at the positions that tap k reads, and zeros elsewhere."""
        (A, outputs, B), start = rows.shape, k * self.dilation
        if self.stride > 1:
            zeros = xp.zeros((A, outputs, self.stride - 1, B), dtype=rows.dtype, device=device(rows))
            spread = xp.reshape(xp.concat([rows[:, :, None, :], zeros], axis=2), (A, outputs * self.stride, B))
            rows = spread[:, : (outputs - 1) * self.stride + 1, :]
        return with_zeros(xp, rows, start, self.padded_length - start - rows.shape[1])


def with_zeros(xp: Namespace, a: Array, left: int, right: int) -> Array:
    """The array (A, T, B) with zeros before and after its positions: (A, left + T + right, B)."""

    def zeros(n: int) -> list[Array]:
        return [xp.zeros((a.shape[0], n, a.shape[2]), dtype=a.dtype, device=device(a))] if n else []

    return xp.concat([*zeros(left), a, *zeros(right)], axis=1) if left + right else a


def along(xp: Namespace, a: Array, axis: int, method: Callable[[Namespace, Array], Array]) -> Array:
    """Apply a method for arrays (A, T, B) along one axis of an array, where T is the length of the axis."""
    shape = a.shape
    before, after = math.prod(shape[:axis]), math.prod(shape[axis + 1 :])
    result = method(xp, xp.reshape(a, (before, shape[axis], after)))
    return xp.reshape(result, (*shape[:axis], result.shape[1], *shape[axis + 1 :]))


def interleaved(xp: Namespace, parts: list[Array], axis: int) -> Array:
    """Join n arrays of one shape: position u n + i of the result along an axis is position u of `parts[i]`."""
    if len(parts) == 1:
        return parts[0]
    shape = parts[0].shape
    return xp.reshape(xp.stack(parts, axis=axis + 1), (*shape[:axis], shape[axis] * len(parts), *shape[axis + 1 :]))
