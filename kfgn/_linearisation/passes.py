"""The forward pass (1) and the backward pass (3), each once for everything that is computed from them."""

from typing import NamedTuple

from .._network.network import Network
from .._network.objectives import OBJECTIVES
from .._network.transfers import TRANSFERS
from .._types import Array, Arrays, Namespace, Weights


class Forward(NamedTuple):
    """What the forward pass leaves behind.

    inputs         a_0, ..., a_{L-1} with the unit appended, (N, D_{l-1} + 1): what each W_l multiplies
    preactivations h_1, ..., h_L, (N, D_l)
    slopes         f'(h_1), ..., f'(h_{L-1}), (N, D_l)
    """

    inputs: Arrays
    preactivations: Arrays
    slopes: Arrays

    @property
    def outputs(self) -> Array:
        """h_L (N, D_L), what the objective takes."""
        return self.preactivations[-1]


def kernel(W: Array) -> Array:
    """W_l without its bias column, (D_l, D_{l-1}): what derivatives are propagated through."""
    return W[:, :-1]


def forward(xp: Namespace, network: Network, weights: Weights, X: Array) -> Forward:
    """Equation (1) for the rows of X (N, D_0): h_l = a_{l-1} W_l^T and a_l = f_l(h_l)."""
    unit = xp.ones_like(X[:, :1])
    inputs, preactivations, slopes = [xp.concat([X, unit], axis=1)], [], []
    for l, W in enumerate(weights):
        h = inputs[l] @ W.T
        preactivations.append(h)
        if l < len(network.transfers):
            a, slope = TRANSFERS[network.transfers[l]].value_and_slope(xp, h)
            inputs.append(xp.concat([a, unit], axis=1))
            slopes.append(slope)
    return Forward(tuple(inputs), tuple(preactivations), tuple(slopes))


def backward(weights: Weights, slopes: Arrays, rows: Array) -> Arrays:
    """Rows (..., N, D_L) carried back to (..., N, D_l) for l = 1, ..., L: v_l = (v_{l+1} W_{l+1}) * f'(h_l).

    One linear recursion serves three equations: with rows dE/dh_L it is the gradient's (3), with
    gradients at S sampled labels KFAC's (59), and with the K columns of a root of H_L it is (24).
    """
    carried = [rows]
    for W, slope in zip(reversed(weights[1:]), reversed(slopes), strict=True):
        carried.append((carried[-1] @ kernel(W)) * slope)
    return tuple(reversed(carried))


def gradients(xp: Namespace, network: Network, weights: Weights, trace: Forward, y: Array) -> Arrays:
    """dE/dh_l (..., N, D_l) of each datapoint at the labels y, for l = 1, ..., L."""
    return backward(weights, trace.slopes, OBJECTIVES[network.objective].gradient(xp, trace.outputs, y))


def curving(xp: Namespace, network: Network, weights: Weights, trace: Forward, dE_dh: Arrays) -> Arrays:
    """The diagonals (10) of the hidden layers, f''(h_l) * dE/da_l (N, D_l) for l = 1, ..., L - 1, from dE/dh_l."""
    return tuple(
        TRANSFERS[name].second(xp, h) * (d @ kernel(W))
        for name, h, d, W in zip(network.transfers, trace.preactivations[:-1], dE_dh[1:], weights[1:], strict=True)
    )


def second_moment(xp: Namespace, rows: Array) -> Array:
    """The mean of v v^T over all rows v of (..., D): (D, D)."""
    flat = xp.reshape(rows, (-1, rows.shape[-1]))
    return flat.T @ flat / flat.shape[0]
