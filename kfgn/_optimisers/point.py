"""A batch at the weights: one forward pass, for everything that a step computes from it."""

from typing import NamedTuple

from array_api_compat import array_namespace

from .._algebra.layerwise import inner
from .._curvature.loss_and_factors import mean_gradient, mean_loss
from .._linearisation.arguments import checked_split
from .._linearisation.passes import Forward, forward
from .._network.network import Network
from .._network.output_hessian import OutputCurvature
from .._quadratic_model.terms import curvature_term
from .._types import Array, Arrays, Namespace


class Point(NamedTuple):
    """The batch X (N, D_0), Y at the weights, its forward pass, and what stands for H_L in Gauss-Newton."""

    xp: Namespace
    network: Network
    weights: Arrays
    X: Array
    Y: Array
    trace: Forward
    outputs: OutputCurvature

    def loss(self) -> Array:
        """The mean loss, 0-d."""
        return mean_loss(self.xp, self.network, self.trace, self.Y)

    def penalty(self, eta: float) -> Array:
        """The L2 term eta / 2 |theta|^2, 0-d."""
        return eta / 2 * inner(self.xp, self.weights, self.weights)

    def gradient(self, dE_dh: Arrays) -> Arrays:
        """The gradient of the mean loss (3) from dE/dh_l (N, D_l)."""
        return mean_gradient(self.trace, dE_dh)

    def curvature_along(self, delta: Arrays, added: Array | float) -> Array:
        """delta^T C-bar delta (41), 0-d, where C-bar is the full Gauss-Newton matrix of the batch + added I."""
        return curvature_term(self.xp, self.weights, self.trace, self.outputs, delta, added)


def point(network: Network, weights: Arrays, X: Array, Y: Array) -> Point:
    """The forward pass is taken here."""
    xp = array_namespace(X)
    trace = forward(xp, network, weights, X)
    return Point(xp, network, weights, X, Y, trace, checked_split(network).at(xp, trace.outputs, Y))
