"""What the curvature functions return, and the part of it that they share."""

from typing import NamedTuple

from .._linearisation.passes import Forward, second_moment
from .._network.network import Network
from .._network.objectives import OBJECTIVES
from .._types import Array, Arrays, Namespace


class LossAndFactors(NamedTuple):
    """The loss, its gradient and the Kronecker factors of a batch, all of them means over its N datapoints.

    loss:     0-d
    gradient: dE/dW_l (D_l, D_{l-1} + 1), equation (3)
    Q:        E[Q_l] (D_{l-1} + 1, D_{l-1} + 1), equation (21), the unit in the last row and column
    G:        E[G_l] (D_l, D_l), by the method that was called

    The Gauss-Newton block of vec(W_l), columns stacked, is approximated by Q_l kron G_l, equation (20).
    A tuple of arrays, so a pytree to JAX and PyTorch.
    """

    loss: Array
    gradient: Arrays
    Q: Arrays
    G: Arrays


def mean_loss(xp: Namespace, network: Network, trace: Forward, Y: Array) -> Array:
    """The loss E averaged over the N datapoints, 0-d."""
    return xp.mean(OBJECTIVES[network.objective].value(xp, trace.outputs, Y))


def mean_gradient(trace: Forward, dE_dh: Arrays) -> Arrays:
    """Equation (3) averaged: dE/dW_l = 1/N sum_n dE/dh_l a_{l-1}^T, from dE/dh_l (N, D_l)."""
    N = trace.outputs.shape[0]
    return tuple(d.T @ a / N for d, a in zip(dE_dh, trace.inputs, strict=True))


def curvature(xp: Namespace, network: Network, trace: Forward, Y: Array, dE_dh: Arrays, G: Arrays) -> LossAndFactors:
    """The record around a second factor G, from the same forward pass and from dE/dh_l (N, D_l)."""
    return LossAndFactors(
        loss=mean_loss(xp, network, trace, Y),
        gradient=mean_gradient(trace, dE_dh),
        Q=tuple(second_moment(xp, a) for a in trace.inputs),
        G=G,
    )
