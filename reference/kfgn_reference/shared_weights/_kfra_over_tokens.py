"""KFRA over tokens: the recursion (26) with tokens as datapoints, for networks whose layers do not mix positions.

>>> import numpy as np
>>> from kfgn_reference.shared_weights import Dense, Elementwise, Network, kfra_over_tokens
>>> layers = Dense(np.array([[1.0, 0.0]])), Elementwise("relu"), Dense(np.array([[2.0, 0.0]]))
>>> net = Network(layers, "squared_error", divisor=3)
>>> kfra_over_tokens(net, np.array([[[1.0, -1.0, 2.0]]]), np.zeros((1, 3, 1)))[1].round(6).tolist()
[[2.666667]]
"""

from .._expectation import expectation, mean
from .._types import Array, PerLayer
from ._batch import datapoints
from ._kfra_over_positions import diagonal_sum
from ._layers import Dense, Elementwise
from ._network import Network, forward
from ._outputs import output_gauss_newton
from ._positions import matrix


def kfra_over_tokens(net: Network, X: Array, Y: Array) -> PerLayer:
    """G_l (C_l, C_l) for l = 1, ..., L, with the scale of the G of `expand`.

        G_{l-1} ~ G_l * 1/(N T) sum_n sum_t f'(h_nt) f'(h_nt)^T    for an elementwise layer l with inputs h
        G_{l-1} = W_l^T G_l W_l                                    for a dense layer l, W_l without its bias column

    G_L is exact, a sum over positions and a mean over datapoints: 1/N sum_n sum_t H_nt / divisor. The result is
    T / divisor times (26) for the N T tokens as datapoints. Raises `ValueError` for a layer that mixes positions.
    """
    mixing = [l for l, layer in enumerate(net.layers, 1) if not isinstance(layer, Dense | Elementwise)]
    if mixing:
        raise ValueError(f"layers: expected dense and elementwise layers alone, got another kind as layer {mixing[0]}")
    rows = [(forward(net, x), y) for x, y in datapoints(net, X, Y)]
    G = expectation({net.L: diagonal_sum(output_gauss_newton(net, a[net.L], y), len(a[net.L]))} for a, y in rows)
    for l in range(net.L, 1, -1):
        layer = net.layers[l - 1]
        if isinstance(layer, Elementwise):
            G[l - 1] = G[l] * mean_outer_slopes(layer, [a[l - 1] for a, _ in rows])
        elif isinstance(layer, Dense):
            W = layer.weight[:, : len(rows[0][0][l - 1])]
            G[l - 1] = W.T @ G[l] @ W
    return G


def mean_outer_slopes(layer: Elementwise, inputs: list[Array]) -> Array:
    """1/(N T) sum_n sum_t f'(h_nt) f'(h_nt)^T, (C, C), for N inputs h (C, *positions) of an elementwise layer."""
    slopes = [matrix(layer.f.first(h)) for h in inputs]
    return mean(slope @ slope.T / slope.shape[1] for slope in slopes)
