"""The convolution with stride, padding, dilation and groups, as a dense layer on patches and as a sum over taps.

The width has a number for each axis of positions: an int for sequences (C, T), or a pair for images (C, H, W).

>>> import numpy as np
>>> from kfgn_reference.shared_weights import Convolution
>>> layer = Convolution(np.array([[1.0, 2.0, 10.0]]), width=2)
>>> patches = layer.patches(np.array([[3.0, 4.0, 5.0]]))
>>> patches[0].tolist(), layer.forward(np.array([[3.0, 4.0, 5.0]])).tolist()
([[3.0, 4.0], [4.0, 5.0], [1.0, 1.0]], [[21.0, 24.0]])
>>> image = np.array([[[3.0, 4.0, 5.0], [6.0, 7.0, 8.0]]])
>>> Convolution(np.array([[1.0, 0.0, 0.0, 2.0, 10.0]]), width=(2, 2)).forward(image).tolist()
[[[27.0, 30.0]]]
"""

import math
from typing import NamedTuple

import numpy as np

from .._arithmetic import one
from .._types import Array
from ._positions import block_diagonal, matrix
from ._taps import Tap
from ._windows import Padding, PerAxis, Window, is_int, output_positions, reads, windows


class Convolution(NamedTuple):
    """h_t = W a_t. The patch a_t has the inputs that output position t reads.

    The patch has the inputs of the first tap, then those of the second tap, and so on, and a 1 at the end if the layer
    has a bias.

    weight:   W (C', C / groups * k + 1) = [W_1, ..., W_k, b], for C input channels, C' output channels and k taps. The
              last column is the bias b, if `bias` is True. W_i (C', C / groups) is the matrix of tap i. The k taps of
              an image have row-major order. Let `kernel` be a kernel of PyTorch, as a NumPy array. Without the bias
              column, W is `kernel.transpose(0, 2, 1).reshape(C', -1)` for the shape (C', C / groups, width), and
              `kernel.transpose(0, 2, 3, 1).reshape(C', -1)` for the shape (C', C / groups, height, width)
    width:    the number of taps along each axis
    stride:   the distance between the first inputs of neighbouring output positions, along each axis
    padding:  the numbers of positions that are added: (left, right), or ((top, bottom), (left, right))
    circular: True if the added positions repeat the other end of the input, False if they are zeros
    dilation: the distance between the inputs of neighbouring taps, along each axis
    groups:   the number of groups of channels. The rows of W, and the channels of the input, are split into equal
              consecutive groups, and group j of the outputs reads only group j of the inputs
    bias:     False if W has no bias column
    """

    weight: Array
    width: PerAxis
    stride: PerAxis = 1
    padding: Padding = (0, 0)
    circular: bool = False
    dilation: PerAxis = 1
    groups: int = 1
    bias: bool = True

    @property
    def windows(self) -> tuple[Window, ...]:
        """The windows along each axis. Raises `ValueError` for a wrong width, stride, padding or dilation."""
        return windows(self.width, self.stride, self.padding, self.circular, self.dilation)

    def output_shape(self, C: int, *positions: int) -> tuple[int, ...]:
        """(C', *positions') with T' = floor((T + padding - dilation (width - 1) - 1) / stride) + 1 along each axis.

        Here padding is the number of added positions, at both ends together. Raises `ValueError` if an argument is out
        of range, if the weight does not fit C channels, or if the kernel does not fit the positions.
        """
        taps = math.prod(window.width for window in self.windows)
        if not is_int(self.groups, 1) or C % self.groups:
            raise ValueError(f"groups: expected a positive divisor of the {C} channels, got {self.groups!r}")
        columns = C // self.groups * taps + self.bias
        rows, *others = np.shape(self.weight) or (0,)
        if rows % self.groups or others != [columns]:
            raise ValueError(
                f"weight: expected shape (C', {columns}) for {C} channels in {self.groups} groups, got"
                f" {np.shape(self.weight)}"
            )
        return rows, *output_positions(self.windows, positions)

    def patches(self, a: Array) -> tuple[Array, ...]:
        """The inputs a_t of each group of channels as columns, (C / groups * k + 1, T').

        Without a bias, the last row, which has the ones, is missing.
        """
        self.output_shape(*a.shape)
        Z = reads(self.windows, a.shape[1:])
        parts = np.split(matrix(a), self.groups)
        unfolded = [np.concatenate([part @ Z_k for Z_k in Z]) for part in parts]
        return tuple(np.concatenate([A, one(A[:1])]) if self.bias else A for A in unfolded)

    def forward(self, a: Array) -> Array:
        """(C', *positions'): the rows of W that belong to a group times the patches of the group, for each group."""
        weights = np.split(self.weight, self.groups)
        h = np.concatenate([W @ A for W, A in zip(weights, self.patches(a), strict=True)])
        return h.reshape(self.output_shape(*a.shape))

    def taps(self, a: Array) -> tuple[Tap, ...]:
        """For each tap k, a matrix (C', C) that is 0 between different groups of channels, and the Z_k of `reads`."""
        self.output_shape(*a.shape)
        C = len(a) // self.groups
        Z = reads(self.windows, a.shape[1:])
        kernels = [self.weight[:, k * C : (k + 1) * C] for k in range(len(Z))]
        between_all_channels = (block_diagonal(np.split(kernel, self.groups)) for kernel in kernels)
        return tuple(Tap(W_k, Z_k) for W_k, Z_k in zip(between_all_channels, Z, strict=True))
