"""The exact blocks (7s) of the Hessian and of the Gauss-Newton matrix, for the layers with weights.

A layer with one group has pre-activations h = W A, where A = [a_1, ..., a_T] has I rows. So vec(h) = (A^T kron Id)
vec(W) with the identity Id. For one datapoint, let H be the Hessian or the Gauss-Newton matrix of vec(h), with the
block H[t, t'] (O, O) between the positions t and t'. The block of vec(W) is

    (A kron Id) H (A^T kron Id) = sum_t sum_t' (a_t a_t'^T) kron H[t, t']

with a sum over all pairs of positions.

>>> from kfgn_reference.shared_weights import gauss_newton_blocks
>>> from kfgn_reference.shared_weights._example import X, Y, net
>>> gauss_newton_blocks(net, X, Y)[1].tolist()
[[97.0, 50.5, 24.5], [50.5, 26.5, 12.5], [24.5, 12.5, 6.5]]
"""

from typing import Any

import numpy as np

from .._arithmetic import diagonal, one
from .._expectation import expectation
from .._types import Array, PerLayer
from ._batch import Datapoints, datapoints
from ._layers import Weighted
from ._network import Network, forward
from ._positions import matrix
from ._recursions import backpropagate, sample_preactivation_gauss_newton, sample_preactivation_hessians


def weight_jacobian(layer: Weighted, a: Array) -> Array:
    """dvec(h) / dvec(W), (C' T', C' I), for inputs a (C, *positions) and outputs h (C', *positions').

    The derivative is A^T kron Id if the layer has one group.
    A grouped layer, or a `ScaleShift`, has a matrix A_j (I, T') for each group. Row (t, o) of the derivative has the
    inputs a_t of the group to which output o belongs.
    """
    A = layer.patches(a)
    outputs = len(layer.weight)
    inputs = np.stack([A[o * len(A) // outputs].T for o in range(outputs)], axis=1)
    same_output = diagonal(one(layer.weight[:, 0]))
    jacobian = inputs[:, :, :, None] * same_output[None, :, None, :]
    return jacobian.reshape(-1, layer.weight.size)


def sample_blocks(net: Network, x: Array, H: PerLayer) -> PerLayer:
    """Equation (7s): (dvec(h)/dvec(W))^T H_l (dvec(h)/dvec(W)) of one datapoint, for every layer l with weights."""
    a = forward(net, x)
    J = {l: weight_jacobian(layer, a[l - 1]) for l, layer in net.weighted.items()}
    return {l: J[l].T @ H[l] @ J[l] for l in J}


def hessian_blocks(net: Network, X: Datapoints, Y: Datapoints) -> PerLayer:
    """d^2 E / dvec(W_l)^2, (C_l I, C_l I), for every layer l with weights: (7s) with (8s), mean over N datapoints."""
    samples = ((x, sample_preactivation_hessians(net, x, y)) for x, y in datapoints(net, X, Y))
    return expectation(sample_blocks(net, x, H) for x, H in samples)


def gauss_newton_blocks(net: Network, X: Datapoints, Y: Datapoints) -> PerLayer:
    """The exact Gauss-Newton block of each vec(W_l), (C_l I, C_l I): (7s) with (15s), mean over N datapoints."""
    samples = ((x, sample_preactivation_gauss_newton(net, x, y)) for x, y in datapoints(net, X, Y))
    return expectation(sample_blocks(net, x, G) for x, G in samples)


def sample_gradient(net: Network, x: Array, y: Any) -> PerLayer:
    """dE/dW_l = sum_t dE/dh_t a_t^T, (C_l, I), of one datapoint, for every layer l with weights."""
    a, dE_da = forward(net, x), backpropagate(net, x, y)
    by_group = {
        l: zip(np.split(matrix(dE_da[l]), layer.groups), layer.patches(a[l - 1]), strict=True)
        for l, layer in net.weighted.items()
    }
    return {l: np.concatenate([d @ A.T for d, A in groups]) for l, groups in by_group.items()}


def gradient(net: Network, X: Datapoints, Y: Datapoints) -> PerLayer:
    """dE/dW_l, (C_l, I): `sample_gradient` averaged over the N datapoints."""
    return expectation(sample_gradient(net, x, y) for x, y in datapoints(net, X, Y))
