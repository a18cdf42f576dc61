"""The convolution over one or two axes of positions, with stride, padding, dilation and groups."""

import itertools
import math
import operator
from dataclasses import dataclass
from functools import partial, reduce
from typing import Any, ClassVar

from array_api_compat import array_namespace

from .._algebra.matrices import congruence
from .._documentation import Documented
from .._types import Array, Arrays, Namespace
from .._validation.scalars import checked_count, checked_flag, set_fields
from ..backends import matmul
from .axes import check_axes, checked_padding, checked_per_axis, per_axis
from .blocks import BlockPerGroup
from .layer_map import Shape
from .transfers import TransferName, checked_transfer
from .windows import Windows, along


@dataclass(frozen=True)
class Convolution(metaclass=Documented):
    """A convolution over the positions of a datapoint: h_t = W_l a_t with the patch a_t of position t.

    A `Convolution` is hashable and holds no array. It needs a network whose `inputs` is (C, T) or (C, H, W).

    Parameters
    ----------
    units : int
        The number of output channels, positive.
    width : int or pair of int
        The number of taps of the kernel: an int for positions along one axis, and a pair for two axes.
    transfer : str or tuple of (str, float), default "identity"
        f_l: a name or a pair such as ("leaky_relu", 0.01), for every channel and position.
    bias : bool, default True
        True if the layer has a bias, which is the last column of W_l.
    stride : int or pair of int, default 1
        The distance between the patches of neighbouring output positions.
    padding : pair of int, or pair of pairs, default (0, 0)
        The numbers of positions that are added to the input: (left, right), or ((top, bottom), (left, right)).
    circular : bool, default False
        True if the added positions repeat the other end of the input, and False if they are zeros.
    dilation : int or pair of int, default 1
        The distance between the positions that neighbouring taps read.
    groups : int, default 1
        The number of groups of channels. The rows of W_l and the channels of the input are split into equal consecutive
        groups, and group j of the outputs reads group j of the inputs alone.

    Raises
    ------
    TypeError
        For values of a wrong type.
    ValueError
        For numbers that are out of range, for pairs of a wrong length, for an unknown transfer function, and for groups
        that do not divide `units`.

    Notes
    -----
    With a bias, W_l has shape (units, C / groups * taps + 1), for C input channels and a kernel of `taps` taps. A row
    has the weights of a patch, tap by tap, with the C / groups channels of a tap next to each other: [W_1, ..., W_taps,
    b]. The taps of two axes are in row-major order. For a kernel of PyTorch, of shape (units, C / groups, width), W_l
    without the bias is kernel.transpose(1, 2).reshape(units, -1).

    With stride s, dilation d and p positions added on the left, tap k of output position t reads input position
    t s + k d - p.

    Examples
    --------
    >>> import kfgn
    >>> layer = kfgn.Convolution(4, width=3, transfer="tanh", padding=(1, 1))
    >>> layer.weight_shape(inputs=2)
    (4, 7)
    >>> network = kfgn.Network((2, 5), (layer, kfgn.Flatten(), kfgn.Dense(3)), "categorical")
    >>> network.weight_shapes
    ((4, 7), (3, 21))
    """

    units: int
    width: Any
    transfer: TransferName = "identity"
    bias: bool = True
    stride: Any = 1
    padding: Any = (0, 0)
    circular: bool = False
    dilation: Any = 1
    groups: int = 1

    def __post_init__(self) -> None:
        set_fields(self, units=checked_count("units", self.units), width=checked_per_axis("width", self.width))
        set_fields(
            self,
            transfer=checked_transfer("transfer", self.transfer),
            bias=checked_flag("bias", self.bias),
            stride=checked_per_axis("stride", self.stride, like=self.width),
            padding=checked_padding("padding", self.padding, like=self.width),
            circular=checked_flag("circular", self.circular),
            dilation=checked_per_axis("dilation", self.dilation, like=self.width),
            groups=checked_count("groups", self.groups),
        )
        if self.units % self.groups:
            raise ValueError(f"groups: expected a divisor of the {self.units} units, got {self.groups}")

    def weight_shape(self, inputs: int) -> tuple[int, int]:
        """The shape of W_l for C input channels: (units, C / groups * taps + 1), without the 1 if there is no bias."""
        return self.units, inputs // self.groups * math.prod(per_axis(self.width)) + self.bias

    def at(self, shape: Shape) -> tuple["ConvolutionMap", Shape]:
        """The map of the layer for inputs of a shape, and the shape of its outputs.

        Raises `ValueError` if the layer does not fit the shape.
        """
        C, *lengths = shape
        check_axes(self.width, lengths)
        if C % self.groups:
            raise ValueError(f"groups: expected a divisor of the {C} input channels, got {self.groups}")
        padding = (self.padding,) if isinstance(self.width, int) else self.padding
        options = (per_axis(self.width), per_axis(self.stride), per_axis(self.dilation), padding)
        windows = tuple(Windows(*w, self.circular) for w in zip(lengths, *options, strict=True))
        for w in windows:
            if self.circular and max(w.padding) > w.length:
                raise ValueError(
                    f"padding: expected at most {w.length} positions at each end, since circular padding repeats the "
                    f"{w.length} positions of the input, got {w.padding}"
                )
            if not w.fit:
                raise ValueError(f"width: expected a kernel that fits {w.length} positions, got one of {w.span + 1}")
        return ConvolutionMap(self, C, windows), (self.units, *(w.outputs for w in windows))


@dataclass(frozen=True)
class ConvolutionMap(BlockPerGroup):
    """A convolution at its place in a network, a `WeightedMap`.

    The method `inputs` returns the patches as (groups, R', I), for R' output rows. The length I of a patch includes the
    1 that is appended for the bias.
    """

    layer: Convolution
    channels: int
    windows: tuple[Windows, ...]

    mixes_positions: ClassVar[bool] = True

    @property
    def groups(self) -> int:
        """The number of groups of channels."""
        return self.layer.groups

    @property
    def taps(self) -> tuple[tuple[int, ...], ...]:
        """The taps as indices along each axis, in row-major order."""
        return tuple(itertools.product(*(range(w.width) for w in self.windows)))

    def inputs(self, xp: Namespace, a: Array) -> Array:
        """The patch of each position, with a 1 at its end if the layer has a bias."""
        return self._patches(xp, a, xp.ones_like)

    def by_group(self, inputs: Array) -> Arrays:
        """The patches of each group, (R', I)."""
        return tuple(inputs[j, :, :] for j in range(self.groups))

    def input_tangents(self, xp: Namespace, R_a: Array) -> Array:
        """The patches of R_a (..., R, C), with a 0 for the bias. Leading axes are joined with the axis of the rows."""
        return self._patches(xp, R_a, xp.zeros_like)

    def preactivations(self, W: Array, inputs: Array) -> Array:
        """For each group, the products of its rows of W with its patches: (R', C')."""
        xp = array_namespace(W)
        by_group = xp.reshape(W, (self.groups, -1, W.shape[1]))
        products = _products(inputs, xp.matrix_transpose(by_group))
        return xp.reshape(xp.permute_dims(products, (1, 0, 2)), (-1, self.layer.units))

    def preactivation_tangents(self, W: Array, R_a: Array) -> Array:
        """The convolution of R_a (..., R, C) without the bias."""
        xp = array_namespace(W)
        rows = self.preactivations(W, self.input_tangents(xp, R_a))
        return xp.reshape(rows, (*R_a.shape[:-2], -1, self.layer.units))

    def pulled_back(self, W: Array, rows: Array) -> Array:
        """The transposed convolution: a product with the kernel, and a sum over the taps at their positions."""
        xp, groups, outputs = array_namespace(W), self.groups, tuple(w.outputs for w in self.windows)
        by_group = xp.permute_dims(xp.reshape(rows, (-1, groups, self.layer.units // groups)), (1, 0, 2))
        kernel = xp.reshape(self._kernel(W), (groups, self.layer.units // groups, -1))
        products = xp.reshape(_products(by_group, kernel), (groups, -1, len(self.taps), self.channels // groups))
        by_tap = [xp.permute_dims(products[:, :, k, :], (1, 0, 2)) for k in range(len(self.taps))]
        total = self._summed(xp, [xp.reshape(part, (-1, *outputs, self.channels)) for part in by_tap])
        for axis, w in enumerate(self.windows, start=1):
            total = along(xp, total, axis, w.unpadded)
        return xp.reshape(total, (*rows.shape[:-2], -1, self.channels))

    def mean_gradient(self, dE_dh: Array, inputs: Array) -> Array:
        """The mean over rows of dE/dh a^T, in the shape of W."""
        xp, R = array_namespace(dE_dh), dE_dh.shape[0]
        by_group = xp.permute_dims(xp.reshape(dE_dh, (R, self.groups, -1)), (1, 2, 0))
        return xp.reshape(_products(by_group, inputs), (self.layer.units, -1)) / R

    def carried_over_taps(self, W: Array, G: Array) -> Array:
        """sum_k T_k/T' W_k^T G W_k, where tap k with the matrix W_k reads an input at T_k of T' output positions."""
        xp, c = array_namespace(W), self.channels // self.groups
        kernel, total = self._kernel(W), None
        for k, tap in enumerate(self.taps):
            part = math.prod([w.reads(i) / w.outputs for w, i in zip(self.windows, tap, strict=True)])
            W_k = between_all_channels(xp, kernel[:, k * c : (k + 1) * c], self.groups)
            term = part * congruence(G, W_k)
            total = term if total is None else total + term
        return total

    def _slices(self, tap: tuple[int, ...]) -> tuple[slice, ...]:
        """The positions of the padded input that a tap reads, as one slice along each axis."""
        return tuple(w.tap(i) for w, i in zip(self.windows, tap, strict=True))

    def _summed(self, xp: Namespace, parts: list[Array]) -> Array:
        """The sum of arrays (N, *outputs, C), each placed at the padded positions that its tap reads.

        The last axis is summed first.
        """
        for axis, w in reversed(list(enumerate(self.windows, start=1))):
            placed = [along(xp, part, axis, partial(w.placed, i % w.width)) for i, part in enumerate(parts)]
            parts = [reduce(operator.add, placed[i : i + w.width]) for i in range(0, len(placed), w.width)]
        return parts[0]

    def _kernel(self, W: Array) -> Array:
        """W without its bias column."""
        return W[:, :-1] if self.layer.bias else W

    def _patches(self, xp: Namespace, a: Array, unit: Any) -> Array:
        """The patches (groups, R', I). If the layer has a bias, `unit` makes the last entry of each patch."""
        x = xp.reshape(a, (-1, *(w.length for w in self.windows), self.channels))
        for axis, w in enumerate(self.windows, start=1):
            x = along(xp, x, axis, w.padded)
        read = [x[(slice(None), *self._slices(tap), slice(None))] for tap in self.taps]
        parts = [xp.reshape(part, (-1, self.groups, self.channels // self.groups)) for part in read]
        units = [unit(parts[0][:, :, :1])] if self.layer.bias else []
        return xp.permute_dims(xp.concat([*parts, *units], axis=-1), (1, 0, 2))


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
