"""The record of a batch that is linearised at the weights. Every curvature is computed from this record."""

from dataclasses import dataclass

from array_api_compat import array_namespace

from .._network.network import Network
from .._network.objectives import OBJECTIVES, Objective
from .._network.output_hessian import OutputCurvature, OutputHessian
from .._network.transfers import transfer_functions
from .._types import Array, Arrays, Namespace, Weights
from .arguments import checked, checked_targets, gauss_newton_split
from .passes import Forward, backward, forward


@dataclass(frozen=True, eq=False)
class Linearisation:
    """A batch, X (N, D_0) and Y, with its forward pass at the weights.

    All arrays have been checked and are outside any autograd graph. Y is None for quantities that do not depend on the
    targets.
    """

    xp: Namespace
    network: Network
    weights: Arrays
    X: Array
    Y: Array
    forward: Forward

    @property
    def objective(self) -> Objective:
        """The functions of the network's objective."""
        return OBJECTIVES[self.network.objective]

    @property
    def outputs(self) -> Array:
        """h_L, (N, D_L)."""
        return self.forward.outputs

    def losses(self) -> Array:
        """The objective E of each datapoint, (N,)."""
        return self.objective.value(self.xp, self.outputs, self.Y)

    def loss(self) -> Array:
        """The mean of E over the N datapoints, 0-d."""
        return self.xp.mean(self.losses())

    def output_gradient(self) -> Array:
        """dE/dh_L of each datapoint, (N, D_L)."""
        return self.objective.gradient(self.xp, self.outputs, self.Y)

    def dE_dh(self) -> Arrays:  # noqa: N802  (the paper's symbol)
        """dE/dh_l of each datapoint, (N, D_l), for l = 1, ..., L, equation (3)."""
        return self.pulled_back(self.output_gradient())

    def output_hessian(self) -> OutputHessian:
        """H_L of each datapoint, which may be indefinite."""
        return self.objective.hessian(self.xp, self.outputs, self.Y)

    def second_derivative_terms(self, dE_dh: Arrays) -> Arrays:
        """The diagonals (10) of the hidden layers: f''(h_l) * dE/da_l (N, D_l) for l = 1, ..., L - 1."""
        layers, h = self.network.layers, self.forward.preactivations
        return tuple(
            transfer_functions(layers[l].transfer).second_derivative(self.xp, h[l])
            * layers[l + 1].pulled_back(self.weights[l + 1], dE_dh[l + 1])
            for l in range(self.network.depth - 1)
        )

    def pulled_back(self, rows: Array) -> Arrays:
        """The products of rows (..., N, D_L) with the Jacobians dh_L/dh_l: (..., N, D_l) for l = 1, ..., L."""
        return backward(self.network, self.weights, self.forward.derivatives, rows)

    def mean_gradient(self, dE_dh: Arrays) -> Arrays:
        """1/N sum_n dE/dh_l a_{l-1}^T in the shapes of the weights, equation (3), from dE/dh_l (N, D_l)."""
        parts = zip(self.network.layers, dE_dh, self.forward.inputs, strict=True)
        return tuple(layer.mean_gradient(d, inputs) for layer, d, inputs in parts)

    def input_moments(self) -> Arrays:
        """Q_l = 1/N sum_n a_{l-1} a_{l-1}^T of each layer, equation (21)."""
        parts = zip(self.network.layers, self.forward.inputs, strict=True)
        return tuple(layer.mean_input_moment(self.xp, inputs) for layer, inputs in parts)

    def mean_blocks(self, M: Arrays) -> Arrays:
        """1/N sum_n (a_{l-1} a_{l-1}^T) kron M_n of each layer, equations (7) and (16), from M (N, D_l, D_l)."""
        parts = zip(self.network.layers, self.forward.inputs, M, strict=True)
        return tuple(layer.mean_block(self.xp, inputs, M_l) for layer, inputs, M_l in parts)


@dataclass(frozen=True, eq=False)
class GaussNewtonLinearisation(Linearisation):
    """A linearised batch, with the middle factor M of the Gauss-Newton matrix J^T M J for each datapoint.

    output_curvature: M, which is H_L, or the PSD matrix that `Network.psd` selects to replace an indefinite H_L
    """

    output_curvature: OutputCurvature

    @property
    def root_size(self) -> int:
        """K, the number of columns of the root of `output_curvature`."""
        return gauss_newton_split(self.network).root_size(self.network.widths[-1])

    def part(self, start: int, stop: int) -> "GaussNewtonLinearisation":
        """The linearisation of the datapoints start, ..., stop - 1."""
        rows = slice(start, stop)
        forward = Forward(*(tuple(x[rows, :] for x in arrays) for arrays in self.forward))
        return _with_curvature(self.network, self.weights, self.X[rows, :], self.Y[rows, ...], forward)


def checked_batch(
    network: Network, weights: Weights, X: Array, Y: Array, *, check: bool
) -> tuple[Arrays, Array, Array]:
    """Return the checked weights, X and Y of a public function, outside any autograd graph.

    A public function then checks its other arguments, and begins the forward pass only if every argument is valid.
    Raises `TypeError` or `ValueError` as the docstring of the package describes.
    """
    weights, X = checked(network, weights, X, check=check)
    return weights, X, checked_targets(network, X, Y, check=check)


def linearise(network: Network, weights: Weights, X: Array, Y: Array, *, check: bool) -> Linearisation:
    """Check the network, the weights, X and Y of a public function, and run the forward pass."""
    return linearised(network, *checked_batch(network, weights, X, Y, check=check))


def linearise_for_gauss_newton(
    network: Network, weights: Weights, X: Array, Y: Array, *, check: bool
) -> GaussNewtonLinearisation:
    """Check the network, the weights, X and Y of a public function, and linearise for a Gauss-Newton matrix."""
    return linearised_for_gauss_newton(network, *checked_batch(network, weights, X, Y, check=check))


def linearised(network: Network, weights: Arrays, X: Array, Y: Array | None) -> Linearisation:
    """Run the forward pass of a batch that has been checked."""
    xp = array_namespace(X)
    return Linearisation(xp, network, weights, X, Y, forward(xp, network, weights, X))


def linearised_for_gauss_newton(network: Network, weights: Arrays, X: Array, Y: Array) -> GaussNewtonLinearisation:
    """Run the forward pass of a batch that has been checked, and compute the curvature of its outputs.

    Raises `ValueError` if H_L is indefinite and `Network.psd` is "raise".
    """
    gauss_newton_split(network)
    return _with_curvature(network, weights, X, Y, forward(array_namespace(X), network, weights, X))


def _with_curvature(
    network: Network, weights: Arrays, X: Array, Y: Array, forward: Forward
) -> GaussNewtonLinearisation:
    xp = array_namespace(X)
    curvature = gauss_newton_split(network).output_curvature(xp, forward.outputs, Y)
    return GaussNewtonLinearisation(xp, network, weights, X, Y, forward, curvature)
