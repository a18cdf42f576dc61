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
    for l, (D, P) in enumerate(network.weight_shapes, start=1):
        bound = math.sqrt(6 / (D + P - 1))
        W = np.zeros((D, P), dtype=np.float32)
        W[:, :-1] = generator(INITIAL, seed, l).uniform(-bound, bound, (D, P - 1))
        weights.append(W)
    return tuple(weights)
