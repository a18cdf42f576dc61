"""The linear map of a convolution: products of the patches of all positions with the kernel.

For arrays that `has_convolution` accepts, the map calls the convolution of the array library. Patches are then formed
only for Kronecker factors, for exact blocks and for tangents of the inputs.

For all other arrays, the map multiplies patches by the kernel or by derivatives, with one product of matrices for each
group. In this case, the transposed convolution has one product for each group and each phase of `Windows.phases` that a
tap reads.
"""

import itertools
import math
from dataclasses import dataclass
from typing import Any, ClassVar

from array_api_compat import array_namespace

from .._algebra.matrices import congruence
from .._types import Array, Arrays, Namespace
from ..backends import LibraryConvolution, device, has_convolution, matmul
from .blocks import BlockPerGroup
from .windows import Windows, along, interleaved


@dataclass(frozen=True)
class ConvolutionMap(BlockPerGroup):
    """A convolution at its place in a network, a `WeightedMap`.

    The method `inputs` returns the patches as (groups, R', I), for R' output rows. The length I of a patch includes the
    1 that is appended if the layer has a bias. For an activation that `has_convolution` accepts, `inputs` returns the
    rows (N T, C) of the padded activation instead, for T positions with the padding.

    units:          C', the number of output channels
    channels:       C, the number of input channels
    windows:        the windows along each axis
    channel_groups: the number of groups of channels
    bias:           True if the last column of W is a bias
    """

    units: int
    channels: int
    windows: tuple[Windows, ...]
    channel_groups: int
    bias: bool

    mixes_positions: ClassVar[bool] = True

    @property
    def groups(self) -> int:
        """The number of groups of channels."""
        return self.channel_groups

    @property
    def taps(self) -> tuple[tuple[int, ...], ...]:
        """The taps as indices along each axis, in row-major order."""
        return tuple(itertools.product(*(range(w.width) for w in self.windows)))

    def inputs(self, xp: Namespace, a: Array) -> Array:
        """The patch of each output position, with a 1 at its end for a bias, or the rows of the padded a."""
        x = self._padded(xp, a)
        return xp.reshape(x, (-1, self.channels)) if has_convolution(x) else self._patches(xp, x, xp.ones_like)

    def input_tangents(self, xp: Namespace, R_a: Array) -> Array:
        """The patches of R_a (R, C), each with a 0 at its end if the layer has a bias."""
        return self._patches(xp, self._padded(xp, R_a), xp.zeros_like)

    def by_group(self, inputs: Array) -> Arrays:
        """The patches of each group, (R', I)."""
        xp = array_namespace(inputs)
        patches = inputs if _are_patches(inputs) else self._patches(xp, self._at_positions(inputs), xp.ones_like)
        return tuple(patches[j, :, :] for j in range(self.groups))

    def preactivations(self, W: Array, inputs: Array) -> Array:
        """For each group, the products of its rows of W with its patches: (R', C')."""
        xp = array_namespace(W)
        if not _are_patches(inputs):
            h = self._of_library(self._at_positions(inputs), self._kernel(W), W[:, -1] if self.bias else None)
            return xp.reshape(h, (-1, self.units))
        products = _products(inputs, xp.matrix_transpose(xp.reshape(W, (self.groups, -1, W.shape[1]))))
        return xp.reshape(xp.permute_dims(products, (1, 0, 2)), (-1, self.units))

    def preactivation_tangents(self, W: Array, R_a: Array) -> Array:
        """The convolution of R_a (..., R, C) without the bias."""
        xp = array_namespace(W)
        x = self._padded(xp, R_a)
        if has_convolution(x):
            rows = self._of_library(x, self._kernel(W), None)
        else:
            rows = self.preactivations(W, self._patches(xp, x, xp.zeros_like))
        return xp.reshape(rows, (*R_a.shape[:-2], -1, self.units))

    def pulled_back(self, W: Array, rows: Array) -> Array:
        """The transposed convolution of rows (..., R', C'): (..., R, C)."""
        xp = array_namespace(W)
        x = self._of_windows(xp, rows)
        if has_convolution(x):
            shape = (x.shape[0], *(w.padded_length for w in self.windows), self.channels)
            padded = self._of_library.transposed(x, self._kernel(W), shape)
            total = padded[(slice(None), *(slice(w.pulled.start, w.pulled.stop) for w in self.windows))]
        else:
            total = self._by_phases(xp, W, x)
        for axis, w in enumerate(self.windows, start=1):
            total = along(xp, total, axis, w.joined)
        return xp.reshape(total, (*rows.shape[:-2], -1, self.channels))

    def mean_gradient(self, dE_dh: Array, inputs: Array) -> Array:
        """The mean over rows of dE/dh a^T with the patch a of each row, in the shape of W."""
        xp, R = array_namespace(dE_dh), dE_dh.shape[0]
        if not _are_patches(inputs):
            x = self._of_windows(xp, dE_dh)
            kernel = self._of_library.kernel_gradient(x, self._at_positions(inputs), self._kernel_shape)
            biases = [xp.sum(dE_dh, axis=0)[:, None]] if self.bias else []
            return xp.concat([xp.reshape(kernel, (self.units, -1)), *biases], axis=1) / R
        by_group = xp.permute_dims(xp.reshape(dE_dh, (R, self.groups, -1)), (1, 2, 0))
        return xp.reshape(_products(by_group, inputs), (self.units, -1)) / R

    def carried_over_taps(self, W: Array, G: Array) -> Array:
        """sum_k T_k/T' W_k^T G W_k, with the matrix W_k (C', C) of tap k.

        In T_k of the T' windows, tap k reads an input, and in all others a zero of the padding.
        """
        xp, kernel, total = array_namespace(W), self._kernel(W), None
        for tap in self.taps:
            term = self._part_read(tap, G) * congruence(
                G, between_all_channels(xp, kernel[(slice(None), *tap, slice(None))], self.groups)
            )
            total = term if total is None else total + term
        return total

    def _part_read(self, tap: tuple[int, ...], like: Array) -> Any:  # noqa: ARG002  (the interface for masked inputs)
        """The part of the outputs for which a tap reads an input."""
        return math.prod([w.reads(i) / w.outputs for w, i in zip(self.windows, tap, strict=True)])

    @property
    def _of_library(self) -> LibraryConvolution:
        strides, dilations = tuple(w.stride for w in self.windows), tuple(w.dilation for w in self.windows)
        return LibraryConvolution(strides, dilations, self.groups)

    @property
    def _kernel_shape(self) -> tuple[int, ...]:
        return self.units, *(w.width for w in self.windows), self.channels // self.groups

    def _kernel(self, W: Array) -> Array:
        """W without its bias column, (C', *width, C / groups)."""
        return array_namespace(W).reshape(W[:, :-1] if self.bias else W, self._kernel_shape)

    def _padded(self, xp: Namespace, a: Array) -> Array:
        """An activation (..., R, C) with its padding: (N, *padded lengths, C). The leading axes are joined with N."""
        x = xp.reshape(a, (-1, *(w.length for w in self.windows), self.channels))
        for axis, w in enumerate(self.windows, start=1):
            x = along(xp, x, axis, w.padded)
        return x

    def _at_positions(self, rows: Array) -> Array:
        """The padded activation (N, *padded lengths, C) from its rows."""
        return array_namespace(rows).reshape(rows, (-1, *(w.padded_length for w in self.windows), self.channels))

    def _of_windows(self, xp: Namespace, rows: Array) -> Array:
        """Rows (..., R', C') of all windows as (N, *outputs, C'). The leading axes are joined with N."""
        return xp.reshape(rows, (-1, *(w.outputs for w in self.windows), self.units))

    def _patches(self, xp: Namespace, padded: Array, unit: Any) -> Array:
        """The patches (groups, R', I). If the layer has a bias, `unit` makes the last entry of each patch."""
        x = xp.reshape(padded, (*padded.shape[:-1], self.groups, -1))
        slices = (tuple(w.tap(i) for w, i in zip(self.windows, tap, strict=True)) for tap in self.taps)
        read = [x[(slice(None), *positions, slice(None), slice(None))] for positions in slices]
        units = [unit(read[0][..., :1])] if self.bias else []
        return _groups_first(xp, xp.concat([*read, *units], axis=-1))

    def _by_phases(self, xp: Namespace, W: Array, x: Array) -> Array:
        """The transposed convolution of rows x (N, *outputs, C') at the positions `Windows.pulled` of each axis."""
        for axis, w in enumerate(self.windows, start=1):
            x = along(xp, x, axis, w.with_all_windows)
        x, kernel = xp.reshape(x, (*x.shape[:-1], self.groups, -1)), self._kernel(W)
        phases = itertools.product(*(w.phases for w in self.windows))
        parts = [self._phase(xp, kernel, x, tuple(itertools.product(*taps))) for taps in phases]
        for axis, w in reversed(list(enumerate(self.windows, start=1))):
            parts = [interleaved(xp, parts[i : i + w.stride], axis) for i in range(0, len(parts), w.stride)]
        return parts[0]

    def _phase(self, xp: Namespace, kernel: Array, x: Array, taps: tuple[tuple[tuple[int, int], ...], ...]) -> Array:
        """The transposed convolution at the positions of one phase, (N, *per_phase, C), by one product for each group.

        taps: the taps that read the phase; a tap is a tuple with a pair (k, shift) of `Windows.phases` for each axis
        """
        shape = (x.shape[0], *(w.per_phase for w in self.windows), self.channels)
        if not taps:
            return xp.zeros(shape, dtype=x.dtype, device=device(x))
        read, kernels = [], []
        for tap in taps:
            windows = (w.windows_of(shift) for w, (_, shift) in zip(self.windows, tap, strict=True))
            read.append(x[(slice(None), *windows, slice(None), slice(None))])
            of_tap = kernel[(slice(None), *(k for k, _ in tap), slice(None))]
            kernels.append(xp.reshape(of_tap, (self.groups, x.shape[-1], -1)))
        products = _products(_groups_first(xp, xp.concat(read, axis=-1)), xp.concat(kernels, axis=1))
        return xp.reshape(xp.permute_dims(products, (1, 0, 2)), shape)


def _are_patches(inputs: Array) -> bool:
    """True for patches (groups, R', I), and False for the rows (N T, C) of a padded activation."""
    return bool(inputs.ndim == 3)


def _groups_first(xp: Namespace, x: Array) -> Array:
    """The array x (N, *positions, groups, I) as (groups, R, I), with one row for each position of each datapoint."""
    return xp.permute_dims(xp.reshape(x, (-1, *x.shape[-2:])), (1, 0, 2))


def _products(A: Array, B: Array) -> Array:
    """The products (groups, N, M) of A (groups, N, K) and B (groups, K, M)."""
    return matmul(A[0, :, :], B[0, :, :])[None, :, :] if A.shape[0] == 1 else matmul(A, B)


def between_all_channels(xp: Namespace, kernel: Array, groups: int) -> Array:
    """The matrix (C', C) of a tap, zero between different groups, from the kernel (C', C / groups) of the tap."""
    if groups == 1:
        return kernel
    rows = xp.reshape(kernel, (groups, -1, kernel.shape[1]))
    zeros = xp.zeros_like(rows[0, :, :])
    blocks = [xp.concat([rows[j, :, :] if i == j else zeros for i in range(groups)], axis=1) for j in range(groups)]
    return xp.concat(blocks, axis=0)
