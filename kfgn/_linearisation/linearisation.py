"""The record of a batch that is linearised at the weights. Every curvature is computed from this record."""

from dataclasses import dataclass
from typing import Any

from array_api_compat import array_namespace

from .._network.divided import divided, over, times
from .._network.masks import kept
from .._network.network import Network
from .._network.normalising import NormalisationJacobian
from .._network.objectives import OBJECTIVES, Objective
from .._network.output_hessian import OutputCurvature, OutputHessian
from .._network.padded import values_of
from .._network.transfers import transfer_functions
from .._types import Array, Arrays, Namespace, Weights
from .arguments import checked, checked_targets, gauss_newton_split
from .counted import Counted, counted_positions
from .passes import Forward, backward, forward, rows_of_targets


@dataclass(frozen=True, eq=False)
class Linearisation:
    """A batch, X (N, D_0) and Y, with its forward pass at the weights.

    All arrays have been checked and are outside any autograd graph. Y is None for quantities that do not depend on the
    targets. If layer l has T_l positions, Y and the arrays of the passes have one row for each position of each
    datapoint, so that N T_l replaces N in the shapes.
    """

    xp: Namespace
    network: Network
    weights: Arrays
    X: Array
    Y: Array
    forward: Forward
    counted: Counted

    @property
    def maps(self) -> tuple[Any, ...]:
        """The map of each layer, which differs from that of the network in a batch with a mask."""
        return self.counted.maps

    @property
    def objective(self) -> Objective:
        """The functions of the network's objective."""
        return OBJECTIVES[self.network.objective]

    @property
    def outputs(self) -> Array:
        """h_L, (N, D_L)."""
        return self.forward.outputs

    @property
    def weights_by_layer(self) -> tuple[Any, ...]:
        """The weights of each layer, and None for a layer without weights."""
        return self.network.by_layer(self.weights)

    def losses(self) -> Array:
        """The objective E of each row of the outputs, (N,), divided by the divisor."""
        losses, mask = self.objective.value(self.xp, self.outputs, self.Y), self.counted.outputs
        return over(losses if mask is None else mask.kept_numbers(losses), self.counted.divisor)

    def loss(self) -> Array:
        """The mean of E over the N datapoints, 0-d."""
        return self.mean_over_datapoints(self.losses())

    def mean_over_datapoints(self, values: Array) -> Array:
        """Sum values (N,) over the output positions of each datapoint, and return the mean over the datapoints, 0-d."""
        return times(self.xp.mean(values), self.network.positions[-1])

    def output_gradient(self) -> Array:
        """dE/dh_L of each datapoint, (N, D_L)."""
        return over(self.gradient_at(self.Y), self.counted.divisor)

    def gradient_at(self, labels: Array) -> Array:
        """dE/dh_L at labels (..., N, D_L) or (..., N), without the divisor of the loss: (..., N, D_L)."""
        return kept(self.counted.outputs, self.objective.gradient(self.xp, self.outputs, labels))

    def dE_dh(self) -> Arrays:  # noqa: N802  (the paper's symbol)
        """dE/dh_l of each datapoint, (N, D_l), for l = 1, ..., L, equation (3)."""
        return self.pulled_back(self.output_gradient())

    def output_hessian(self) -> OutputHessian:
        """H_L of each datapoint. This matrix may be indefinite."""
        H, mask = self.objective.hessian(self.xp, self.outputs, self.Y), self.counted.outputs
        divided_H: OutputHessian = divided(H if mask is None else H.masked(mask), self.counted.divisor)
        return divided_H

    def second_derivative_terms(self, dE_dh: Arrays) -> Arrays:
        """The diagonals (10) of all layers except the last: f''(h_l) * dE/da_l (N, D_l).

        For a normalisation, the term is a `NormalisationSecondTerm`.
        """
        network, h, weights = self.network, self.forward.preactivations, self.weights_by_layer
        return tuple(
            transfer_functions(network.layers[l].transfer).second_term(
                self.xp, h[l], self.maps[l + 1].pulled_back(weights[l + 1], dE_dh[l + 1])
            )
            for l in range(len(network.layers) - 1)
        )

    def pulled_back(self, rows: Array) -> Arrays:
        """The products of rows (..., N, D_L) with the Jacobians dh_L/dh_l: (..., N, D_l) for each layer."""
        return backward(self.network, self.maps, self.weights, self.forward.derivatives, rows)

    def mean_gradient(self, dE_dh: Arrays, inputs: Arrays | None = None) -> Arrays:
        """1/N sum_n dE/dh_l a_{l-1}^T in the shapes of the weights, equation (3), from dE/dh_l (N, D_l).

        inputs: the rows that replace those of a_{l-1}, if given
        """
        a, T = inputs or self.forward.inputs, self.network.positions[1:]
        weighted = self.network.weighted.items()
        return tuple(times(layer.mean_gradient(dE_dh[l], a[l]), T[l]) for l, layer in weighted)

    def input_moments(self, sharing: str = "expand") -> Arrays:
        """Q_l = 1/N sum_n a_{l-1} a_{l-1}^T of each layer with weights, equation (21), or one Q for each of its groups.

        With positions, a_nt is the row of a_{l-1} at position t of datapoint n. "expand" takes the mean of a_nt a_nt^T
        over positions too, and "reduce" takes the mean of a_nt over positions before the product. A `ScaleShift` has
        Q = 1.
        """
        a, T, layers = self.forward.inputs, self.network.positions[1:], self.network.weighted.items()
        masks = self.counted.masks[1:]
        return tuple(Q for l, layer in layers for Q in layer.second_moments(a[l], T[l], sharing, masks[l]))

    def part(self, start: int, stop: int) -> "Linearisation":
        """The linearisation of the datapoints start, ..., stop - 1."""
        return Linearisation(self.xp, self.network, self.weights, *self._batch_of_part(start, stop))

    def moved(self, weights: Arrays) -> "Linearisation":
        """The linearisation of the same batch at other weights."""
        at = forward(self.xp, self.network, weights, self.X, self.counted)
        return Linearisation(self.xp, self.network, weights, self.X, self.Y, at, self.counted)

    def _batch_of_part(self, start: int, stop: int) -> tuple[Array, Array, Forward, Counted]:
        """The fields `X`, `Y`, `forward` and `counted` of the linearisation of the datapoints start, ..., stop - 1."""
        N, T = self.X.shape[0], self.network.positions[-1]

        def part(x: Any) -> Any:
            """The rows of the datapoints. The patches of a convolution have an axis of groups before the rows."""
            if isinstance(x, NormalisationJacobian):
                return NormalisationJacobian(part(x.z), part(x.s))
            positions = x.shape[-2] // N
            return x[..., start * positions : stop * positions, :]

        forward = Forward(*(tuple(map(part, arrays)) for arrays in self.forward))
        counted = self.counted.part(self.network, start, stop)
        return self.X[start:stop, ...], self.Y[start * T : stop * T, ...], forward, counted

    def by_datapoint(self, rows: Array) -> Array:
        """Rows (N T, D_L) of the outputs as (N, T, D_L) or (N, H, W, D_L), and unchanged without positions.

        The rows of masked positions are 0.
        """
        if not self.network.has_positions:
            return rows
        return self.xp.reshape(kept(self.counted.outputs, rows), (-1, *self.network.shapes[-1][1:], rows.shape[1]))


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
        return _with_curvature(self.network, self.weights, *self._batch_of_part(start, stop))


def checked_batch(network: Network, weights: Weights, X: Any, Y: Array, *, check: bool) -> tuple[Arrays, Any, Array]:
    """Return the checked weights, X and Y of a public function, outside any autograd graph.

    A public function then checks its other arguments, and begins the forward pass only if every argument is valid.
    Raises `TypeError` or `ValueError` as the docstring of `kfgn` describes.
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


def linearised(network: Network, weights: Arrays, X: Any, Y: Array | None) -> Linearisation:
    """Run the forward pass of a batch that has been checked."""
    counted, X = counted_positions(network, X), values_of(X)
    xp = array_namespace(X)
    at = forward(xp, network, weights, X, counted)
    return Linearisation(xp, network, weights, X, rows_of_targets(network, Y), at, counted)


def linearised_for_gauss_newton(network: Network, weights: Arrays, X: Any, Y: Array) -> GaussNewtonLinearisation:
    """Run the forward pass of a batch that has been checked, and compute the curvature of its outputs.

    Raises `ValueError` if H_L is indefinite and `Network.psd` is "raise".
    """
    gauss_newton_split(network)
    counted, X = counted_positions(network, X), values_of(X)
    at = forward(array_namespace(X), network, weights, X, counted)
    return _with_curvature(network, weights, X, Y, at, counted)


def _with_curvature(
    network: Network, weights: Arrays, X: Array, Y: Array, forward: Forward, counted: Counted
) -> GaussNewtonLinearisation:
    xp = array_namespace(X)
    Y = rows_of_targets(network, Y)
    M = gauss_newton_split(network).output_curvature(xp, forward.outputs, Y)
    M = divided(M if counted.outputs is None else M.masked(counted.outputs), counted.divisor)
    return GaussNewtonLinearisation(xp, network, weights, X, Y, forward, counted, M)
