"""Mistakes in the L2 term, the R-operator, the quadratic model, the step size and the reduction ratio."""

from typing import Any

import numpy as np

from ...problems.problem import Array
from ..mistake import mistake
from ..textbook import Textbook
from ..textbook.passes import PerLayer
from ..textbook.products import dot


@mistake("https://github.com/f-dangel/singd/issues/17")
class StepSizeUndamped(Textbook):
    """The curvature along the step, delta^T C-bar delta, lacks the term (tau + eta) |delta|^2 of the damping."""

    def curvature_along(self, V: PerLayer) -> Any:
        return super().curvature_along(V) - self.full_damping() * dot(V, V)


@mistake()
class StepSizeHalved(Textbook):
    """The step size minimises a quadratic model that lacks the factor 1/2."""

    def step_size(self, V: PerLayer) -> Any:
        return super().step_size(V) / 2


@mistake()
class StepSizeNegated(Textbook):
    """The step size has the wrong sign, so the step is uphill."""

    def step_size(self, V: PerLayer) -> Any:
        return -super().step_size(V)


@mistake()
class StepSizeOfTheBlocks(Textbook):
    """The curvature along the step, delta^T C-bar delta, uses the diagonal blocks instead of the full matrix."""

    def curvature_along(self, V: PerLayer) -> Any:
        parts = [{m: U if m == l else 0 * U for m, U in V.items()} for l in V]
        return sum(super(StepSizeOfTheBlocks, self).curvature_along(part) for part in parts)


@mistake()
class ModelWithoutItsHalf(Textbook):
    """The quadratic term of the quadratic model lacks the factor 1/2."""

    def change_in_model(self, V: PerLayer) -> Any:
        return super().change_in_model(V) + self.curvature_along(V) / 2


@mistake()
class RatioInverted(Textbook):
    """rho is the change of the quadratic model divided by the change of f. The right ratio is the inverse."""

    def reduction_ratio(self, V: PerLayer) -> Any:
        return 1 / super().reduction_ratio(V)


@mistake()
class RatioNegated(Textbook):
    """rho has the wrong sign."""

    def reduction_ratio(self, V: PerLayer) -> Any:
        return -super().reduction_ratio(V)


@mistake()
class PenaltyForgottenInTheLoss(Textbook):
    """f lacks the L2 term, although the gradient of f includes the L2 term."""

    def l2_term(self) -> Any:
        return 0 * super().l2_term()


@mistake()
class PenaltyWithoutItsHalf(Textbook):
    """The L2 term of f lacks the factor 1/2: it is eta |theta|^2, although the L2 term of the gradient is eta theta."""

    def l2_term(self) -> Any:
        return 2 * super().l2_term()


@mistake()
class PenaltyForgottenInTheGradient(Textbook):
    """The gradient of f lacks the L2 term, although f includes the L2 term."""

    def regularised_gradient(self) -> PerLayer:
        return self.gradient()


@mistake()
class PenaltyWithoutBiases(Textbook):
    """The L2 term does not include the biases."""

    def _kernels(self, W: PerLayer) -> PerLayer:
        return {l: np.hstack([W_l[:, :-1], 0 * W_l[:, -1:]]) if self.has_bias(l) else W_l for l, W_l in W.items()}

    def l2_term(self) -> Any:
        biases = [W_l[:, -1] for l, W_l in self.W.items() if self.has_bias(l)]
        return super().l2_term() - self.eta() / 2 * sum(b @ b for b in biases)

    def regularised_gradient(self) -> PerLayer:
        K = self._kernels(self.W)
        return {l: g + self.eta() * K[l] for l, g in self.gradient().items()}


@mistake()
class DirectionOfTheLastLayer(Textbook):
    """The product J V ignores that a change of W_l changes the inputs of the layers above layer l.

    J is the Jacobian of the outputs. The product includes only the change of the last layer's weights.
    """

    def jacobian_product(self, V: PerLayer) -> Array:
        return self.a[self.L] @ V[self.L].T


@mistake()
class DirectionWithoutSlopes(Textbook):
    """The R-operator does not multiply the change of h_l by f' before the next layer."""

    def pushed(self, V: PerLayer) -> tuple[PerLayer, PerLayer]:
        Ra, Rh = {1: np.zeros_like(self.a[1])}, {}
        for l in range(1, self.L + 1):
            Rh[l] = Ra[l] @ self.W[l].T + self.a[l] @ V[l].T
            if l < self.L:
                Ra[l + 1] = self.with_zero(l + 1, Rh[l])
        return Ra, Rh
