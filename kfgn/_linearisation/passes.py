"""The forward pass (1) and the backward pass (3), shared by all methods."""

from typing import Any, NamedTuple

from array_api_compat import array_namespace

from .._network.masks import kept
from .._network.network import Network
from .._network.transfers import transfer_functions
from .._types import Array, Arrays, Namespace
from .counted import Counted


class Forward(NamedTuple):
    """The intermediate results of a forward pass. Here L is the number of all layers, including those without weights.

    inputs:         a_0, ..., a_{L-1}, as the method `inputs` of each layer returns them. For a dense layer, the shape
                    is (N, D_{l-1} + 1) with the appended unit, or (N, D_{l-1}) without a bias
    preactivations: h_1, ..., h_L, (N, D_l)
    derivatives:    f'(h_1), ..., f'(h_{L-1}), (N, D_l), and a `NormalisationJacobian` for a normalisation

    With T positions, N T replaces N.
    """

    inputs: Arrays
    preactivations: Arrays
    derivatives: Arrays

    @property
    def outputs(self) -> Array:
        """h_L (N, D_L), the argument of the objective."""
        return self.preactivations[-1]


def forward(xp: Namespace, network: Network, weights: Arrays, X: Array, counted: Counted | None = None) -> Forward:
    """Equation (1) for the rows of X (N, D_0): h_l = W_l a_{l-1} and a_l = f_l(h_l).

    The rows a_{l-1} of masked positions are set to 0. An activation that overflows there has no influence.

    counted: the counted positions of a batch; None for a batch without a mask
    """
    a = rows_of_positions(xp, network, X)
    inputs, preactivations, derivatives = [], [], []
    last = len(network.layers) - 1
    maps = network.maps if counted is None else counted.maps
    masks = (None,) * len(maps) if counted is None else counted.masks[:-1]
    for l, (layer, W, mask) in enumerate(zip(maps, network.by_layer(weights), masks, strict=True)):
        inputs.append(layer.inputs(xp, kept(mask, a)))
        preactivations.append(layer.preactivations(W, inputs[-1]))
        if l < last:
            f = transfer_functions(network.layers[l].transfer)
            a, derivative = f.value_and_derivative(xp, preactivations[-1])
            derivatives.append(derivative)
    return Forward(tuple(inputs), tuple(preactivations), tuple(derivatives))


def rows_of_positions(xp: Namespace, network: Network, X: Array) -> Array:
    """X (N, C, T) or (N, C, H, W) as one row (C) per position of each datapoint, and X (N, D_0) unchanged.

    Tokens (N, T) or (N, H, W) become rows of one number.
    """
    if not network.has_positions:
        return X
    if network.has_tokens:
        return xp.reshape(X, (-1, 1))
    channels_last = xp.permute_dims(X, (0, *range(2, X.ndim), 1))
    return xp.reshape(channels_last, (-1, network.widths[0]))


def rows_of_targets(network: Network, Y: Array | None) -> Array | None:
    """Y as one row or one class index per output position. Y is unchanged if the outputs have no positions."""
    if Y is None or not network.has_positions:
        return Y
    return array_namespace(Y).reshape(Y, (-1, network.widths[-1]) if network.classes is None else (-1,))


def backward(network: Network, maps: tuple[Any, ...], weights: Arrays, derivatives: Arrays, rows: Array) -> Arrays:
    """The products v_l (..., N, D_l) of rows (..., N, D_L) with dh_L/dh_l: v_l = (v_{l+1} W_{l+1}) * f'(h_l).

    If the rows are dE/dh_L of the datapoints, the recursion is (3). If the rows are the K columns of a root of H_L, the
    recursion is (24). KFAC (59) uses the rows dE/dh_L at S sampled labels.
    """
    v = [rows]
    above = zip(maps[1:], network.by_layer(weights)[1:], derivatives, strict=True)
    for layer, W, derivative in reversed(list(above)):
        v.append(derivative * layer.pulled_back(W, v[-1]))
    return tuple(reversed(v))
