"""The loss over the whole training set, piece by piece."""

import numpy as np

from .._curvature.loss_and_gradient import loss
from .._network.network import Network
from .._types import Array, Arrays
from ..backends import Backend

PIECE = 5000
"""Datapoints at a time: few enough for the memory of a laptop."""


class Evaluation:
    """The mean loss of a network on X (n, D_0), Y, arrays of the backend."""

    def __init__(self, network: Network, X: Array, Y: Array, backend: Backend) -> None:
        self.network, self.X, self.Y, self.backend = network, X, Y, backend
        self.n = n = int(X.shape[0])
        # rows by index: JAX would compile every slice anew
        self.pieces = [backend.asarray(np.arange(i, min(i + PIECE, n))) for i in range(0, n, PIECE)]

    def __call__(self, weights: Arrays) -> float:
        """At these weights; NaN or infinity where it is."""
        total = 0.0
        for rows in self.pieces:
            X, Y = taken(self.backend, self.X, self.Y, rows)
            value = loss(self.network, weights, X, Y, check=False)
            total += float(self.backend.to_numpy(value)) * int(rows.shape[0])
        return total / self.n


def taken(backend: Backend, X: Array, Y: Array, rows: Array) -> tuple[Array, Array]:
    """These rows of both, once where both are the same."""
    batch = backend.xp.take(X, rows, axis=0)
    return batch, batch if Y is X else backend.xp.take(Y, rows, axis=0)
