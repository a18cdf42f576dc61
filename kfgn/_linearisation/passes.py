"""The forward pass (1) and the backward pass (3), shared by all methods."""

from typing import NamedTuple

from .._network.network import Network
from .._network.transfers import transfer_functions
from .._types import Array, Arrays, Namespace


class Forward(NamedTuple):
    """The intermediate results of a forward pass.

    inputs:         a_0, ..., a_{L-1}, the rows that W_1, ..., W_L multiply: (N, D_{l-1} + 1) with the appended unit,
                    or (N, D_{l-1}) for a layer without a bias
    preactivations: h_1, ..., h_L, (N, D_l)
    derivatives:    f'(h_1), ..., f'(h_{L-1}), (N, D_l)
    """

    inputs: Arrays
    preactivations: Arrays
    derivatives: Arrays

    @property
    def outputs(self) -> Array:
        """h_L (N, D_L), the argument of the objective."""
        return self.preactivations[-1]


def forward(xp: Namespace, network: Network, weights: Arrays, X: Array) -> Forward:
    """Equation (1) for the rows of X (N, D_0): h_l = W_l a_{l-1} and a_l = f_l(h_l)."""
    a = X
    inputs, preactivations, derivatives = [], [], []
    for l, (layer, W) in enumerate(zip(network.layers, weights, strict=True), start=1):
        inputs.append(layer.inputs(xp, a))
        preactivations.append(layer.preactivations(W, inputs[-1]))
        if l < network.depth:
            a, derivative = transfer_functions(layer.transfer).value_and_derivative(xp, preactivations[-1])
            derivatives.append(derivative)
    return Forward(tuple(inputs), tuple(preactivations), tuple(derivatives))


def backward(network: Network, weights: Arrays, derivatives: Arrays, rows: Array) -> Arrays:
    """The products v_l (..., N, D_l) of rows (..., N, D_L) with dh_L/dh_l: v_l = (v_{l+1} W_{l+1}) * f'(h_l).

    If the rows are dE/dh_L of the datapoints, the recursion is (3). If the rows are the K columns of a root of H_L, the
    recursion is (24). KFAC (59) uses the rows dE/dh_L at S sampled labels.
    """
    v = [rows]
    above = zip(network.layers[1:], weights[1:], derivatives, strict=True)
    for layer, W, derivative in reversed(list(above)):
        v.append(layer.pulled_back(W, v[-1]) * derivative)
    return tuple(reversed(v))
