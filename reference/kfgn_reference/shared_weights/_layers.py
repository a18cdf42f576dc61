"""The layers of a network with shared weights, each a map between activations (C, *positions).

An activation has one axis of positions, (C, T), or several, such as (C, H, W). A dense layer acts on each position
alone, and the T positions, such as the tokens of a sequence, share the weights of the layer.

>>> import numpy as np
>>> from kfgn_reference.shared_weights import Dense, Pooling
>>> tokens = np.array([[1.0, 2.0, 3.0]])
>>> h = Dense(np.array([[2.0, 1.0]])).forward(tokens)
>>> h.tolist(), Pooling(width=3, stride=1, kind="sum").forward(h).tolist()
([[3.0, 5.0, 7.0]], [[15.0]])
"""

import functools
import math
import operator
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from .._arithmetic import diagonal, one
from .._transfers import TRANSFERS, Transfer, transfer
from .._types import Array
from ._convolution import Convolution
from ._embedding import Embedding
from ._normalisation import Normalisation
from ._positions import matrix, vec
from ._scale_shift import ScaleShift
from ._taps import Tap, sum_over_taps
from ._windows import PerAxis, Window, output_positions, reads, windows


class Dense(NamedTuple):
    """h_t = W [a_t, 1] at each position t, with the same W for all positions.

    weight: W (C', C + 1) with the bias in the last column, or (C', C) without a bias
    bias:   False if W has no bias column
    """

    weight: Array
    bias: bool = True

    @property
    def groups(self) -> int:
        """1, since every output reads every channel."""
        return 1

    def output_shape(self, C: int, *positions: int) -> tuple[int, ...]:
        """(C', *positions). Raises `ValueError` if the weight does not fit C channels."""
        rows, *others = np.shape(self.weight) or (0,)
        if others != [C + self.bias]:
            raise ValueError(f"weight: expected shape (C', {C + self.bias}), got {np.shape(self.weight)}")
        return rows, *positions

    def patches(self, a: Array) -> tuple[Array, ...]:
        """The inputs a_t of the weights as columns, (C + 1, T) with a last row of ones, or (C, T) without a bias."""
        A = matrix(a)
        return (np.concatenate([A, one(A[:1])]) if self.bias else A,)

    def forward(self, a: Array) -> Array:
        """W times the inputs, (C', *positions)."""
        return (self.weight @ self.patches(a)[0]).reshape(self.output_shape(*a.shape))

    def taps(self, a: Array) -> tuple[Tap, ...]:
        """One tap: W without its bias column. The tap connects each position with itself."""
        return (Tap(self.weight[:, : len(a)], np.eye(matrix(a).shape[1], dtype=bool)),)


class Pooling(NamedTuple):
    """The mean or the sum over windows of positions, in each channel alone.

    width:  the number of positions of a window along each axis: an int for one axis, a tuple for several axes, or None
            for one window with all positions
    stride: the distance between neighbouring windows along each axis, without effect if the width is None. Positions
            after the last window are not used
    kind:   "mean" or "sum"
    """

    width: PerAxis | None
    stride: PerAxis
    kind: str

    def windows(self, positions: tuple[int, ...]) -> tuple[Window, ...]:
        """The windows along each axis. Raises `ValueError` for a wrong width or stride."""
        return tuple(map(Window, positions)) if self.width is None else windows(self.width, self.stride)

    def output_shape(self, C: int, *positions: int) -> tuple[int, ...]:
        """(C, *positions') with T' = floor((T - width) / stride) + 1 along each axis, or T' = 1 if the width is None.

        Raises `ValueError` for an unknown kind, a wrong width or stride, and windows that do not fit the positions.
        """
        if self.kind not in ("mean", "sum"):
            raise ValueError(f"kind: expected mean or sum, got {self.kind!r}")
        return C, *output_positions(self.windows(positions), positions)

    def forward(self, a: Array) -> Array:
        """The pooled activations, (C, *positions')."""
        return sum_over_taps(self, a).reshape(self.output_shape(*a.shape))

    def taps(self, a: Array) -> tuple[Tap, ...]:
        """One tap, the identity between channels. Z is 0 where window t' does not have position t.

        Elsewhere, Z is 1 for the sum, and 1 / size for the mean, where size is the number of positions of a window.
        """
        along = self.windows(a.shape[1:])
        Z = functools.reduce(operator.or_, reads(along, a.shape[1:])) * one(a.reshape(-1)[0])
        size = math.prod(window.width for window in along)
        return (Tap(diagonal(one(matrix(a)[:, 0])), Z / size if self.kind == "mean" else Z),)


class Flatten(NamedTuple):
    """vec(a), (C T, 1): all entries at one position, with the channels of a position next to each other."""

    def output_shape(self, C: int, *positions: int) -> tuple[int, ...]:
        """(C T, 1)."""
        return C * math.prod(positions), 1

    def forward(self, a: Array) -> Array:
        """vec(a) as one column."""
        return vec(a)[:, None]

    def taps(self, a: Array) -> tuple[Tap, ...]:
        """One tap for each input position t. The tap moves the channels of position t to their place in vec(a)."""
        C, T = matrix(a).shape
        moves = diagonal(one(vec(a)))
        column = np.eye(T, dtype=bool)
        return tuple(Tap(moves[:, t * C : (t + 1) * C], column[:, t : t + 1]) for t in range(T))


class Elementwise(NamedTuple):
    """f(h) for every channel and position.

    transfer: the transfer function, a name of `kfgn_reference.TRANSFERS` such as "identity" or "tanh", or a pair
              (name, parameter)
    """

    transfer: str | tuple[str, Any]

    @property
    def f(self) -> Transfer:
        """The transfer function with its derivatives.

        Raises `ValueError` for an unknown name, or for a parameter of a function that has none.
        """
        if isinstance(self.transfer, str) and self.transfer not in TRANSFERS:
            raise ValueError(f"transfer: expected one of {', '.join(TRANSFERS)}, got {self.transfer!r}")
        return transfer(self.transfer)

    def output_shape(self, C: int, *positions: int) -> tuple[int, ...]:
        """(C, *positions). Raises `ValueError` for an unknown transfer function."""
        _ = self.f
        return C, *positions

    def forward(self, a: Array) -> Array:
        """f(a), (C, *positions)."""
        return self.f.f(a)

    def jacobians(self, a: Array) -> list[Array]:
        """diag(f'(a_t)), (C, C), at each position."""
        return [diagonal(slopes) for slopes in matrix(self.f.first(a)).T]

    def curvatures(self, a: Array, dE_dz: Array) -> list[Array]:
        """diag(f''(a_t) * dE/dz_t), (C, C), at each position, for z = f(a)."""
        return [diagonal(terms) for terms in matrix(self.f.second(a) * dE_dz).T]


Weighted: TypeAlias = Embedding | Dense | Convolution | ScaleShift
"""A layer with weights."""

Linear: TypeAlias = Dense | Convolution | ScaleShift | Pooling | Flatten
"""A layer that is a sum over taps, with or without a bias."""

Nonlinear: TypeAlias = Elementwise | Normalisation
"""A layer that acts on each position alone, with `jacobians` and `curvatures` at each position."""

Layer: TypeAlias = Embedding | Linear | Nonlinear
"""A layer of a network."""
