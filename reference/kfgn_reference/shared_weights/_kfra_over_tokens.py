"""KFRA over tokens: the recursion (26) with tokens as datapoints, for networks whose layers do not mix positions.

>>> import numpy as np
>>> from kfgn_reference.shared_weights import Dense, Elementwise, Network, kfra_over_tokens
>>> layers = Dense(np.array([[1.0, 0.0]])), Elementwise("relu"), Dense(np.array([[2.0, 0.0]]))
>>> net = Network(layers, "squared_error", divisor=3)
>>> kfra_over_tokens(net, np.array([[[1.0, -1.0, 2.0]]]), np.zeros((1, 3, 1)))[1].round(6).tolist()
[[2.666667]]
"""

from collections.abc import Sequence
from typing import cast

from .._expectation import expectation, mean
from .._types import Array, PerLayer
from ._batch import Datapoints, datapoints
from ._convolution import Convolution
from ._kfra_over_positions import diagonal_sum
from ._layers import Dense, Flatten, Nonlinear, Pooling
from ._network import Network, forward
from ._outputs import output_gauss_newton
from ._scale_shift import ScaleShift


def kfra_over_tokens(net: Network, X: Datapoints, Y: Datapoints) -> PerLayer:
    """G_l (C_l, C_l) for l = 1, ..., L, with the scale of the G of `expand`.

        G_{l-1} ~ 1/(N T) sum_n sum_t J_nt^T G_l J_nt    for a layer l that is not linear
        G_{l-1} = W_l^T G_l W_l                          for a dense layer l, W_l without its bias column

    J_nt is the Jacobian of layer l at position t of datapoint n. For a transfer function the first line is the
    elementwise product of G_l and the mean of f' f'^T, as in (26). A scale-and-shift layer has diag(gamma) as its W_l.
    G_L = 1/N sum_n sum_t H_nt / divisor is exact, where H_nt is the Hessian of the loss of one position, or its
    positive semi-definite replacement. Without masks, the result is T / divisor times (26) for the N T tokens as
    datapoints. Raises `ValueError` for a convolution, and for a pooling or flattening layer.
    """
    mixing = [l for l, layer in enumerate(net.layers, 1) if isinstance(layer, Convolution | Pooling | Flatten)]
    if mixing:
        raise ValueError(f"layers: expected no convolution, pooling or flattening, got one as layer {mixing[0]}")
    rows = [(forward(net, x), y) for x, y in datapoints(net, X, Y)]
    G = expectation({net.L: diagonal_sum(output_gauss_newton(net, a[net.L], y), len(a[net.L]))} for a, y in rows)
    for l in range(net.L, 1, -1):
        layer, inputs = net.layers[l - 1], [a[l - 1] for a, _ in rows]
        if isinstance(layer, Nonlinear):
            G[l - 1] = carried_over_positions(layer, inputs, G[l])
        else:
            ((W, _),) = cast("Dense | ScaleShift", layer).taps(inputs[0])
            G[l - 1] = W.T @ G[l] @ W
    return G


def carried_over_positions(layer: Nonlinear, inputs: Sequence[Array], G: Array) -> Array:
    """1/(N T) sum_n sum_t J_nt^T G J_nt, (C, C), the mean over all positions of N inputs a (C, *positions)."""
    return mean(J.T @ G @ J for a in inputs for J in layer.jacobians(a))
