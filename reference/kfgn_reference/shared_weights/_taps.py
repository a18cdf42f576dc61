"""A linear layer as a sum over taps, and its matrix M between whole activations.

A tap is a matrix M_k from the channels of one input position to the channels of one output position, with a matrix Z_k
of the pairs of positions that M_k connects. Dense layers, convolutions, scale-and-shift layers, pooling and flattening
are sums over taps, apart from their biases.

>>> import numpy as np
>>> from kfgn_reference.shared_weights import Pooling, layer_matrix
>>> layer_matrix(Pooling(width=2, stride=2, kind="mean"), np.zeros((1, 4))).tolist()
[[0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 0.5, 0.5]]
"""

import functools
import operator
from typing import NamedTuple, Protocol

import numpy as np

from .._types import Array
from ._positions import matrix


class Tap(NamedTuple):
    """One term M_k a Z_k of a linear layer, for an activation a as a matrix (C, T).

    matrix:    M_k (C', C), from the channels of an input position to the channels of an output position
    positions: Z_k (T, T'), the weight with which output position t' reads input position t: 0, or 1, or 1 / size for
               the mean over a window of that size
    """

    matrix: Array
    positions: Array


class LinearLayer(Protocol):
    """A layer that has taps."""

    def taps(self, a: Array) -> tuple[Tap, ...]:
        """Return the taps for inputs of the shape and the arithmetic of `a` (C, *positions)."""
        ...


def sum_over_taps(layer: LinearLayer, a: Array) -> Array:
    """sum_k M_k a Z_k, (C', T'): the layer without its bias, with the positions in row-major order."""
    return functools.reduce(operator.add, (tap.matrix @ matrix(a) @ tap.positions for tap in layer.taps(a)))


def layer_matrix(layer: LinearLayer, a: Array) -> Array:
    """M = sum_k Z_k^T kron M_k, (C' T', C T), so that vec(sum_k M_k a Z_k) = M vec(a).

    The matrix depends on the shape and the arithmetic of `a` (C, *positions), and not on its values. For a dense layer
    without a bias, M = Id kron W with the identity Id (T, T). For a convolution of stride 1 along one axis without
    circular padding, tap k puts M_k into the blocks on one diagonal.
    """
    return functools.reduce(operator.add, (np.kron(tap.positions.T, tap.matrix) for tap in layer.taps(a)))
