"""Section 2.2.1: the gradient, equation (3), by backpropagation.

>>> from kfgn_reference import gradient
>>> from kfgn_reference._example import X, Y, net
>>> gradient(net, X, Y)[2].tolist()
[[-2.0, -10.5, -1.5]]
"""

import numpy as np

from ._batch import datapoints
from ._expectation import expectation
from ._network import Network, forward
from ._objectives import OBJECTIVES
from ._types import Array, PerLayer


def backpropagate(net: Network, x: Array, y: Array) -> PerLayer:
    """dE/dh_l = f'(h_l) * W_{l+1}^T dE/dh_{l+1}, (D_l,), for every layer of one datapoint, from dE/dh_L."""
    _, h = forward(net, x)
    dE_dh = {net.L: OBJECTIVES[net.objective].gradient(h[net.L], y)}
    for l in range(net.L - 1, 0, -1):
        dE_da = net.kernel(l + 1).T @ dE_dh[l + 1]
        dE_dh[l] = net.f(l).first(h[l]) * dE_da
    return dE_dh


def sample_gradient(net: Network, x: Array, y: Array) -> PerLayer:
    """Equation (3): [dE/dW_l]_{a,b} = [a_{l-1}]_b [dE/dh_l]_a, (D_l, D_{l-1} + 1), for one datapoint."""
    a, _ = forward(net, x)
    dE_dh = backpropagate(net, x, y)
    return {l: np.outer(dE_dh[l], net.with_unit(l, a[l - 1])) for l in dE_dh}


def gradient(net: Network, X: Array, Y: Array) -> PerLayer:
    """The gradient of the expected loss: (3) averaged over the N datapoints."""
    return expectation(sample_gradient(net, x, y) for x, y in datapoints(net, X, Y))
