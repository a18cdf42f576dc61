"""The scale and the shift of each channel, such as those that follow the normalisation in layer normalisation.

>>> import numpy as np
>>> from kfgn_reference.shared_weights import ScaleShift
>>> ScaleShift(np.array([[2.0, 1.0], [3.0, 0.0]])).forward(np.array([[1.0, 2.0], [3.0, 4.0]])).tolist()
[[3.0, 5.0], [9.0, 12.0]]
"""

from typing import NamedTuple

import numpy as np

from .._arithmetic import diagonal, one
from .._types import Array
from ._positions import matrix
from ._taps import Tap


class ScaleShift(NamedTuple):
    """h_ct = gamma_c a_ct + beta_c for channel c at each position t. Each channel is a group.

    weight: W (C, 2) = [gamma, beta], or (C, 1) without the shift
    bias:   False if W has no shift
    """

    weight: Array
    bias: bool = True

    @property
    def groups(self) -> int:
        """C, since every output reads its channel alone."""
        return len(self.weight)

    def output_shape(self, C: int, *positions: int) -> tuple[int, ...]:
        """(C, *positions). Raises `ValueError` if the weight does not fit C channels."""
        if np.shape(self.weight) != (C, 1 + self.bias):
            raise ValueError(f"weight: expected shape {(C, 1 + self.bias)}, got {np.shape(self.weight)}")
        return C, *positions

    def patches(self, a: Array) -> tuple[Array, ...]:
        """The inputs [a_ct, 1] of the weights of channel c as columns, (2, T), or [a_ct] without the shift."""
        channels = np.split(matrix(a), len(a))
        return tuple(np.concatenate([row, one(row)]) if self.bias else row for row in channels)

    def forward(self, a: Array) -> Array:
        """(C, *positions): the row of W for a channel times the inputs of the channel."""
        rows = zip(np.split(self.weight, len(a)), self.patches(a), strict=True)
        return np.concatenate([W @ A for W, A in rows]).reshape(a.shape)

    def taps(self, a: Array) -> tuple[Tap, ...]:
        """One tap: diag(gamma). The tap connects each position with itself."""
        return (Tap(diagonal(self.weight[:, 0]), np.eye(matrix(a).shape[1], dtype=bool)),)
