"""The initial weights of a run: uniform weights after Glorot and Bengio (2010), and zero biases."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._network.network import Network
from .random_streams import INITIAL_WEIGHTS, stream


def initial_weights(network: Network, seed: int) -> tuple[NDArray[Any], ...]:
    """Return W_1, ..., W_L in float32: weights uniform in +-sqrt(6 / (D_{l-1} + D_l)), and biases of 0."""
    weights = []
    for l, (layer, (D, P)) in enumerate(zip(network.layers, network.weight_shapes, strict=True), start=1):
        inputs = P - layer.bias
        bound = math.sqrt(6 / (D + inputs))
        W = np.zeros((D, P), dtype=np.float32)
        W[:, :inputs] = stream(INITIAL_WEIGHTS, seed, l).uniform(-bound, bound, (D, inputs))
        weights.append(W)
    return tuple(weights)
