"""The mean loss and the accuracy over a whole set of datapoints, computed in parts."""

from typing import NamedTuple

import numpy as np

from .._linearisation.linearisation import Linearisation, linearise
from .._network.network import Network
from .._types import Array, Arrays
from ..backends import Backend, with_own_settings

PART = 5000
"""The largest number of datapoints in a part of a set, small enough for the memory of a laptop."""


class Figures(NamedTuple):
    """The mean loss and the accuracy of a network on a set of datapoints.

    loss:     the mean loss, which may be NaN or infinite
    accuracy: the fraction of the datapoints whose target is the most probable class; None for a network without classes
    """

    loss: float
    accuracy: float | None


class Evaluation:
    """The mean loss and the accuracy as functions of the weights, for fixed arrays X (n, D_0) and Y of a backend."""

    def __init__(self, network: Network, X: Array, Y: Array, backend: Backend) -> None:
        self.network, self.X, self.Y, self.backend = network, X, Y, backend
        self.n = n = int(X.shape[0])
        # the parts are arrays of indices, since JAX would compile a program for every slice
        self.parts = [backend.asarray(np.arange(i, min(i + PART, n))) for i in range(0, n, PART)]

    def __call__(self, weights: Arrays) -> Figures:
        """Return the mean loss and the accuracy at these weights."""
        total, correct = 0.0, 0.0
        for indices in self.parts:
            X, Y = datapoints(self.backend, self.X, self.Y, indices)
            loss, hits = _loss_and_hits(self.network, weights, X, Y)
            total += float(self.backend.to_numpy(loss)) * int(indices.shape[0])
            if hits is not None:
                correct += float(self.backend.to_numpy(hits))
        return Figures(total / self.n, None if self.network.classes is None else correct / self.n)


@with_own_settings
def _loss_and_hits(network: Network, weights: Arrays, X: Array, Y: Array) -> tuple[Array, Array | None]:
    """Return the mean loss, and the number of datapoints whose target is the most probable class.

    The number is None for a network without classes.
    """
    at = linearise(network, weights, X, Y, check=False)
    if network.classes is None:
        return at.loss(), None
    hits = at.xp.astype(_most_probable(at, network.classes), Y.dtype) == Y
    return at.loss(), at.xp.sum(at.xp.astype(hits, at.outputs.dtype))


def _most_probable(at: Linearisation, classes: int) -> Array:
    """Return the most probable class of each datapoint, (N,): the class y with the lowest objective -log p(y | h_L)."""
    if at.network.objective == "categorical":
        return at.xp.argmax(at.outputs, axis=-1)
    labels = [at.xp.full_like(at.Y, k) for k in range(classes)]
    losses = at.xp.stack([at.objective.value(at.xp, at.outputs, y) for y in labels])
    return at.xp.argmin(losses, axis=0)


def datapoints(backend: Backend, X: Array, Y: Array, indices: Array) -> tuple[Array, Array]:
    """Return the rows of X and of Y with these indices. If Y is X, both results are the same array."""
    batch = backend.xp.take(X, indices, axis=0)
    return batch, batch if Y is X else backend.xp.take(Y, indices, axis=0)
