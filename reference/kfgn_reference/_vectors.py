"""The maps vec and theta from matrices to vectors, and the inverse maps unvec and per_layer.

>>> import numpy as np
>>> from kfgn_reference import unvec, vec
>>> v = vec(np.array([[1, 2, 3], [4, 5, 6]]))
>>> v.tolist(), unvec(v, 2).tolist()
([1, 4, 2, 5, 3, 6], [[1, 2, 3], [4, 5, 6]])
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from ._arithmetic import one
from ._network import Network
from ._types import Array, PerLayer


def vec(V: Array) -> Array:
    """The columns of V (D, K) stacked into one vector (D K,)."""
    return V.T.reshape(-1)


def unvec(v: Array, rows: int) -> Array:
    """The matrix V, with the given number of rows, for which vec(V) = v."""
    return v.reshape(-1, rows).T


def theta(V: PerLayer) -> Array:
    """(vec V_1, ..., vec V_L), one vector for all layers in the order of Section 2.1."""
    return np.concatenate([vec(V[l]) for l in sorted(V)])


def per_layer(net: Network, v: Array) -> PerLayer:
    """The matrices V_l, each of the shape of W_l, whose `theta` is v."""
    ends = np.cumsum([W.size for W in net.weights])[:-1]
    parts = np.split(v, ends)
    return {l: unvec(part, len(net.weights[l - 1])) for l, part in enumerate(parts, start=1)}


def weights(net: Network) -> PerLayer:
    """W_1, ..., W_L, keyed by layer."""
    return dict(enumerate(net.weights, start=1))


def moved(net: Network, delta: PerLayer) -> Network:
    """The network at theta + delta."""
    return net._replace(weights=tuple(W + delta[l] for l, W in weights(net).items()))


def dot(U: PerLayer, V: PerLayer) -> Any:
    """theta(U)^T theta(V)."""
    return sum(np.sum(U[l] * V[l]) for l in U)


def added(U: PerLayer, V: PerLayer) -> PerLayer:
    """U + V, layer by layer."""
    return {l: U[l] + V[l] for l in U}


def scaled(c: Any, V: PerLayer) -> PerLayer:
    """c V, layer by layer, for a scalar c."""
    return {l: c * V[l] for l in V}


def unit_vectors(net: Network) -> Iterator[PerLayer]:
    """The unit vectors of the parameter space, in the order of `theta`."""
    size = sum(W.size for W in net.weights)
    ones = one(theta(weights(net)))
    for i in range(size):
        yield per_layer(net, ones * (np.arange(size) == i))
