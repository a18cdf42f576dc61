"""Mistakes in the update, the adaptation of tau and gamma, moving averages, momentum, and rejected steps."""

from typing import Any

import numpy as np

from ...problems.problem import Array, Checkpoint
from ..mistake import mistake
from ..textbook import Textbook
from ..textbook.passes import PerLayer
from ..textbook.steps import CURVATURE_AVERAGE, DECAY, PARAMETER_AVERAGE, Averages, StepResult


@mistake("https://github.com/google-deepmind/kfac-jax/commit/aaf3064")
class TauInverted(Textbook):
    """tau is increased if the quadratic model is accurate, and decreased if the model is not accurate."""

    def omega_tau(self) -> float:
        return 1 / super().omega_tau()


@mistake()
class TauNeverRaised(Textbook):
    """tau is decreased if the quadratic model is accurate, but never increased."""

    def adapted_tau(self, rho: Any) -> Any:
        tau = super().adapted_tau(rho)
        return min(tau, self.problem.arguments.tau)


@mistake()
class TauKept(Textbook):
    """tau is not adapted."""

    def adapted_tau(self, rho: Any) -> Any:
        return self.problem.arguments.tau


@mistake()
class TauByOneStep(Textbook):
    """tau is multiplied or divided by 0.95 instead of 0.95^T_tau."""

    def omega_tau(self) -> float:
        return DECAY


@mistake()
class GammaKept(Textbook):
    """gamma is not adapted."""

    def adapted_gamma(self, averages: Averages) -> Any:
        return self.problem.arguments.gamma


@mistake()
class GammaLowered(Textbook):
    """gamma always decreases, because its candidates are compared by a model with C-tilde instead of C-bar."""

    def adapted_gamma(self, averages: Averages) -> Any:
        return self.bounded(self.problem.arguments.gamma * self.omega_gamma(), self.trajectory().gamma_bounds)


@mistake()
class GammaOfTheSmallestDecrease(Textbook):
    """gamma becomes the candidate whose step decreases the quadratic model least instead of most."""

    def decrease(self, delta: PerLayer) -> Any:
        return -super().decrease(delta)


@mistake()
class GammaByOneStep(Textbook):
    """gamma is multiplied or divided by 0.95 instead of 0.95^T_gamma."""

    def omega_gamma(self) -> float:
        return DECAY


@mistake("https://github.com/gpauloski/kfac-pytorch")
class AveragesFromTheIdentity(Textbook):
    """The averages of the factors start at the identity, and the weights of old and new value are constant."""

    def averaged(self, old: PerLayer, new: PerLayer, t: int, limit: float) -> PerLayer:
        if limit != CURVATURE_AVERAGE:
            return super().averaged(old, new, t, limit)
        if t == 1:
            old = {l: np.eye(len(A)) for l, A in new.items()}
        return {l: limit * old[l] + (1 - limit) * new[l] for l in new}


@mistake()
class AveragesNotDebiased(Textbook):
    """In a moving average, the weights of old and new value are constant after the first update.

    Early averages should be arithmetic means.
    """

    def weight_of_old(self, t: int, limit: float) -> float:
        return limit if t > 1 else 0.0


@mistake()
class AverageWeightsExchanged(Textbook):
    """The weights of the old value and the new value in a moving average are exchanged."""

    def weight_of_old(self, t: int, limit: float) -> float:
        return 1 - super().weight_of_old(t, limit) if t > 1 else 0.0


@mistake()
class FactorsNotAveraged(Textbook):
    """The factors are computed from the last batch only, without a moving average."""

    def weight_of_old(self, t: int, limit: float) -> float:
        return 0.0 if limit == CURVATURE_AVERAGE else super().weight_of_old(t, limit)


@mistake()
class ParametersNotAveraged(Textbook):
    """The moving average of the parameters equals the current parameters."""

    def weight_of_old(self, t: int, limit: float) -> float:
        return 0.0 if limit == PARAMETER_AVERAGE else super().weight_of_old(t, limit)


@mistake()
class ParametersAveragedBefore(Textbook):
    """The moving average of the parameters is updated with the parameters before the step, not after the step."""

    def step(self, here: Checkpoint) -> StepResult:
        old = dict(enumerate(here.average, start=1))
        return super().step(here)._replace(average=self.averaged(old, self.W, here.t + 1, PARAMETER_AVERAGE))


@mistake()
class UpdateSubtracted(Textbook):
    """The update is subtracted instead of added, although the step size is already negative."""

    def step(self, here: Checkpoint) -> StepResult:
        step = super().step(here)
        weights = {l: 2 * W - step.weights[l] for l, W in self.W.items()}
        average = self.averaged(dict(enumerate(here.average, start=1)), weights, here.t + 1, PARAMETER_AVERAGE)
        return step._replace(weights=weights, average=average)


@mistake()
class RatioWithoutMomentum(Textbook):
    """rho is computed for the update without momentum instead of the full update."""

    def ratio(self, update: PerLayer, own: PerLayer) -> Any:
        return self.reduction_ratio(own)


@mistake()
class ModelWithoutMomentum(Textbook):
    """rho is the change of f by the full update, divided by the change of the model by the update without momentum."""

    def ratio(self, update: PerLayer, own: PerLayer) -> Any:
        return self.reduction_ratio(update) * self.change_in_model(update) / self.change_in_model(own)


@mistake()
class TauFollowsRounding(Textbook):
    """tau is adapted even if rho consists of rounding errors."""

    def is_rounding(self, update: PerLayer) -> bool:
        return False


@mistake()
class DampingLostInRounding(Textbook):
    """A tiny damping in (36) is not increased. Rounding then removes the damping, and the step may be rejected."""

    def visible(self, A: Array, damping: Any) -> Any:
        return damping


@mistake()
class RejectedForEver(Textbook):
    """gamma is not increased after a step that is rejected because a matrix is not positive definite."""

    def raised_gamma(self) -> Any:
        return self.problem.arguments.gamma


@mistake()
class IndefiniteInverted(Textbook):
    """A step uses the inverse of a matrix that is not positive definite."""

    def invertible(self, averages: Averages) -> bool:
        return True
