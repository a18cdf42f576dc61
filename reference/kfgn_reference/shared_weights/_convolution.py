"""The 1-d convolution with stride, padding, dilation and groups, as a dense layer on patches and as a sum over taps.

>>> import numpy as np
>>> from kfgn_reference.shared_weights import Convolution
>>> layer = Convolution(np.array([[1.0, 2.0, 10.0]]), width=2)
>>> patches = layer.patches(np.array([[3.0, 4.0, 5.0]]))
>>> patches[0].tolist(), layer.forward(np.array([[3.0, 4.0, 5.0]])).tolist()
([[3.0, 4.0], [4.0, 5.0], [1.0, 1.0]], [[21.0, 24.0]])
"""

from typing import NamedTuple

import numpy as np

from .._arithmetic import one, zero
from .._types import Array
from ._taps import Tap


class Convolution(NamedTuple):
    """h_t = W a_t with the patch a_t: the inputs that position t of the outputs reads, tap by tap, and the unit.

    weight:   W (C', C / groups * width + 1), [W_1, ..., W_width, b] with the bias b in the last column, if `bias`. W_k
              (C', C / groups) is the matrix of tap k. For a kernel of PyTorch, of shape (C', C / groups, width), W is
              `kernel.transpose(0, 2, 1).reshape(C', -1)` without the bias
    width:    the number of taps
    stride:   the distance between the first inputs of neighbouring output positions
    padding:  the numbers of positions that are added on the left and on the right
    circular: True if the added positions repeat the other end of the input, False if they are zeros
    dilation: the distance between the inputs of neighbouring taps
    groups:   the number of groups of channels. The rows of W, and the channels of the input, are split into equal
              consecutive groups, and group j of the outputs reads group j of the inputs alone
    bias:     False if W has no bias column
    """

    weight: Array
    width: int
    stride: int = 1
    padding: tuple[int, int] = (0, 0)
    circular: bool = False
    dilation: int = 1
    groups: int = 1
    bias: bool = True

    def output_shape(self, C: int, T: int) -> tuple[int, int]:
        """(C', T') with T' = floor((T + padding - dilation (width - 1) - 1) / stride) + 1.

        Raises `ValueError` if the weight does not fit C channels, or the kernel does not fit T positions.
        """
        columns = C // self.groups * self.width + self.bias
        rows = len(self.weight)
        if C % self.groups or rows % self.groups or self.weight.shape != (rows, columns):
            raise ValueError(
                f"weight: expected shape (C', {columns}) for {C} channels in {self.groups} groups, got"
                f" {self.weight.shape}"
            )
        span = self.dilation * (self.width - 1)
        outputs = (T + sum(self.padding) - span - 1) // self.stride + 1
        if outputs < 1 or (self.circular and (span >= T or max(self.padding) > T)):
            raise ValueError(f"x: expected more positions for a kernel that spans {span + 1}, got {T}")
        return rows, outputs

    def reads(self, a: Array) -> tuple[Array, ...]:
        """Z_k (T, T') for each tap k: True where output position t' reads input position t.

        That input is t = t' stride + k dilation - left padding, for k, t and t' from 0. It is taken modulo T if the
        padding is circular. If it is outside the input, the tap reads a zero, and the column of Z_k is False.
        """
        C, T = a.shape
        starts = self.stride * np.arange(self.output_shape(C, T)[1]) - self.padding[0]
        sources = [starts + self.dilation * k for k in range(self.width)]
        return tuple(np.arange(T)[:, None] == (source % T if self.circular else source)[None, :] for source in sources)

    def patches(self, a: Array) -> tuple[Array, ...]:
        """The inputs a_t of the weights as columns, (C / groups * width + 1, T'), for each group of channels."""
        Z = self.reads(a)
        parts = np.split(a, self.groups)
        unfolded = [np.concatenate([part @ Z_k for Z_k in Z]) for part in parts]
        return tuple(np.concatenate([A, one(A[:1])]) if self.bias else A for A in unfolded)

    def forward(self, a: Array) -> Array:
        """(C', T'): W_j times the patches of group j, for each group."""
        weights = np.split(self.weight, self.groups)
        return np.concatenate([W @ A for W, A in zip(weights, self.patches(a), strict=True)])

    def taps(self, a: Array) -> tuple[Tap, ...]:
        """W_k for all channels, (C', C), with the positions Z_k of tap k. W_k is 0 between different groups."""
        C = len(a) // self.groups
        kernels = [self.weight[:, k * C : (k + 1) * C] for k in range(self.width)]
        matrices = [self._between_all_channels(kernel) for kernel in kernels]
        return tuple(Tap(M, Z) for M, Z in zip(matrices, self.reads(a), strict=True))

    def _between_all_channels(self, kernel: Array) -> Array:
        """The matrix (C', C) with the groups of a kernel (C', C / groups) as its diagonal blocks."""
        rows = np.split(kernel, self.groups)
        blocks = [[part if i == j else zero(part) for i in range(self.groups)] for j, part in enumerate(rows)]
        return np.concatenate([np.concatenate(row, axis=1) for row in blocks])
