"""The embedding of tokens: a dense layer on one-hot vectors, whose forward pass selects columns of the weights.

>>> import numpy as np
>>> from kfgn_reference.shared_weights import Embedding
>>> Embedding(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])).forward(np.array([2, 0, 2, 2])).tolist()
[[3.0, 1.0, 3.0, 3.0], [6.0, 4.0, 6.0, 6.0]]
"""

from typing import NamedTuple

import numpy as np

from .._arithmetic import one
from .._types import Array


class Embedding(NamedTuple):
    """h_t = W e_{x_t}, column x_t of W, at each position t. Only the first layer of a network can be an embedding.

    weight: W (C', V) with a column for each of V tokens, the transposed weight of an embedding of PyTorch

    The input x (*positions) has the tokens themselves, which are integers from 0 to V - 1, and no axis of channels.
    """

    weight: Array

    @property
    def groups(self) -> int:
        """1, since every output depends on the token."""
        return 1

    def output_shape(self, *positions: int) -> tuple[int, ...]:
        """(C', *positions). Raises `ValueError` for a weight that is no matrix."""
        if np.ndim(self.weight) != 2:
            raise ValueError(f"weight: expected shape (C', V), got {np.shape(self.weight)}")
        return len(self.weight), *positions

    def patches(self, x: Array) -> tuple[Array, ...]:
        """The inputs e_{x_t} of the weights as columns, (V, T): one-hot vectors."""
        V = self.weight.shape[1]
        return (one(self.weight[0, 0]) * (np.arange(V)[:, None] == x.reshape(-1)),)

    def forward(self, x: Array) -> Array:
        """Column x_t of W at each position t, (C', *positions)."""
        return self.weight[:, x]
