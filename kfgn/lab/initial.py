"""Where training starts: Glorot and Bengio's uniform kernels, and zero biases."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._network.network import Network
from .streams import INITIAL, generator


def initial_weights(network: Network, seed: int) -> tuple[NDArray[Any], ...]:
    """W_l (D_l, D_{l-1} + 1) in float32: uniform within sqrt(6 / (D_{l-1} + D_l)), but for the last column, zero."""
    weights = []
    for l, (layer, (D, P)) in enumerate(zip(network.layers, network.weight_shapes, strict=True), start=1):
        inputs = P - layer.bias
        bound = math.sqrt(6 / (D + inputs))
        W = np.zeros((D, P), dtype=np.float32)
        W[:, :inputs] = generator(INITIAL, seed, l).uniform(-bound, bound, (D, inputs))
        weights.append(W)
    return tuple(weights)
