"""The mean loss over the whole training set, computed in parts."""

import numpy as np

from .._curvature.loss_and_gradient import loss
from .._network.network import Network
from .._types import Array, Arrays
from ..backends import Backend

PART = 5000
"""The number of datapoints in a part of the training set, small enough for the memory of a laptop."""


class Evaluation:
    """The mean loss of a network as a function of its weights, for fixed arrays X (n, D_0) and Y of a backend."""

    def __init__(self, network: Network, X: Array, Y: Array, backend: Backend) -> None:
        self.network, self.X, self.Y, self.backend = network, X, Y, backend
        self.n = n = int(X.shape[0])
        # the parts are arrays of indices, since JAX would compile a program for every slice
        self.parts = [backend.asarray(np.arange(i, min(i + PART, n))) for i in range(0, n, PART)]

    def __call__(self, weights: Arrays) -> float:
        """Return the mean loss at these weights, which may be NaN or infinite."""
        total = 0.0
        for indices in self.parts:
            X, Y = datapoints(self.backend, self.X, self.Y, indices)
            value = loss(self.network, weights, X, Y, check=False)
            total += float(self.backend.to_numpy(value)) * int(indices.shape[0])
        return total / self.n


def datapoints(backend: Backend, X: Array, Y: Array, indices: Array) -> tuple[Array, Array]:
    """Return the rows of X and of Y with these indices. If Y is X, both results are the same array."""
    batch = backend.xp.take(X, indices, axis=0)
    return batch, batch if Y is X else backend.xp.take(Y, indices, axis=0)
