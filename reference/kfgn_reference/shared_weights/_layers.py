"""The layers of a network with shared weights, each a map between activations (C, T): C channels at T positions.

A dense layer acts on each position alone. Its weights are shared by the T positions, such as the tokens of a sequence.

>>> import numpy as np
>>> from kfgn_reference.shared_weights import Dense, Pooling
>>> tokens = np.array([[1.0, 2.0, 3.0]])
>>> h = Dense(np.array([[2.0, 1.0]])).forward(tokens)
>>> h.tolist(), Pooling(width=3, stride=1, kind="sum").forward(h).tolist()
([[3.0, 5.0, 7.0]], [[15.0]])
"""

from typing import Any, NamedTuple, TypeAlias

import numpy as np

from .._arithmetic import diagonal, one
from .._transfers import TRANSFERS, Transfer, transfer
from .._types import Array
from .._vectors import vec
from ._convolution import Convolution
from ._taps import Tap, sum_over_taps


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

    def output_shape(self, C: int, T: int) -> tuple[int, int]:
        """(C', T). Raises `ValueError` if the weight does not fit C channels."""
        rows, columns = np.shape(self.weight)
        if columns != C + self.bias:
            raise ValueError(f"weight: expected shape (C', {C + self.bias}), got {(rows, columns)}")
        return rows, T

    def patches(self, a: Array) -> tuple[Array, ...]:
        """The inputs a_t of the weights as columns, (C + 1, T), with the unit appended."""
        return (np.concatenate([a, one(a[:1])]) if self.bias else a,)

    def forward(self, a: Array) -> Array:
        """W times the inputs, (C', T)."""
        return self.weight @ self.patches(a)[0]

    def taps(self, a: Array) -> tuple[Tap, ...]:
        """W without its bias column, which connects each position with itself."""
        return (Tap(self.weight[:, : len(a)], np.eye(a.shape[1], dtype=bool)),)


class Pooling(NamedTuple):
    """The mean or the sum over windows of positions, in each channel alone.

    width:  the number of positions of a window, at most T
    stride: the distance between neighbouring windows. Positions after the last whole window are not used
    kind:   "mean" or "sum"
    """

    width: int
    stride: int
    kind: str

    def output_shape(self, C: int, T: int) -> tuple[int, int]:
        """(C, T') with T' = floor((T - width) / stride) + 1. Raises `ValueError` if an argument does not fit."""
        if self.kind not in ("mean", "sum"):
            raise ValueError(f"kind: expected mean or sum, got {self.kind!r}")
        if self.width > T:
            raise ValueError(f"x: expected at least {self.width} positions for the window, got {T}")
        return C, (T - self.width) // self.stride + 1

    def forward(self, a: Array) -> Array:
        """The pooled activations, (C, T')."""
        return sum_over_taps(self, a)

    def taps(self, a: Array) -> tuple[Tap, ...]:
        """The identity between channels. Z is 1, or 1 / width for the mean, where window t' has position t."""
        T = a.shape[1]
        starts = self.stride * np.arange(self.output_shape(*a.shape)[1])[None, :]
        t = np.arange(T)[:, None]
        window = (starts <= t) & (t < starts + self.width)
        Z = one(a[0, 0]) * window
        return (Tap(diagonal(one(a[:, 0])), Z / self.width if self.kind == "mean" else Z),)


class Flatten(NamedTuple):
    """vec(a), (C T, 1): one position with all entries, the channels of a position next to each other."""

    def output_shape(self, C: int, T: int) -> tuple[int, int]:
        """(C T, 1)."""
        return C * T, 1

    def forward(self, a: Array) -> Array:
        """vec(a) as one column."""
        return vec(a)[:, None]

    def taps(self, a: Array) -> tuple[Tap, ...]:
        """One tap for each input position t: it moves the channels of position t to their place in vec(a)."""
        C, T = a.shape
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
        """The transfer function with its derivatives. Raises `ValueError` for an unknown name."""
        if isinstance(self.transfer, str) and self.transfer not in TRANSFERS:
            raise ValueError(f"transfer: expected one of {', '.join(TRANSFERS)}, got {self.transfer!r}")
        return transfer(self.transfer)

    def output_shape(self, C: int, T: int) -> tuple[int, int]:
        """(C, T). Raises `ValueError` for an unknown transfer function."""
        _ = self.f
        return C, T

    def forward(self, a: Array) -> Array:
        """f(a), (C, T)."""
        return self.f.f(a)


Weighted: TypeAlias = Dense | Convolution
"""A layer with weights."""

Layer: TypeAlias = Dense | Convolution | Pooling | Flatten | Elementwise
"""A layer of a network."""
