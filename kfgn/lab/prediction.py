"""The outputs of a trained network at new inputs, computed by NumPy."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._linearisation.inputs import check_types, checked_inputs
from .._linearisation.passes import forward
from .._network.network import Network
from ..backends import with_own_settings


@with_own_settings
def outputs_of(network: Network, weights: tuple[NDArray[Any], ...], X: Any) -> NDArray[Any]:
    """Return h_L (N, D_L) at the rows of X (N, D_0), in the dtype of the weights.

    Raises `TypeError` or `ValueError` unless X is a NumPy array in float32 or float64 of this shape, with finite values
    that the dtype of the weights can hold.
    """
    if isinstance(X, np.ndarray) and X.dtype in (np.float32, np.float64):
        X = X.astype(weights[0].dtype)
    xp = check_types(network, X, {f"W_{l}": W for l, W in enumerate(weights, 1)})
    X = checked_inputs(xp, network, X, weights[0], check=True)
    return np.asarray(forward(xp, network, weights, X).outputs)
