"""How tau, gamma and the averages go on from step to step."""

from typing import Any

import numpy as np

from ...problems.problem import Array, Checkpoint
from ..mistake import mistake
from ..textbook import Textbook
from ..textbook.passes import PerLayer
from ..textbook.steps import CURVATURE_AVERAGE, DECAY, PARAMETER_AVERAGE, Stepped


@mistake("https://github.com/google-deepmind/kfac-jax/commit/aaf3064")
class TauInverted(Textbook):
    """tau grows where the model was good, and shrinks where it was not."""

    def omega_tau(self) -> float:
        return 1 / super().omega_tau()


@mistake()
class TauNeverRaised(Textbook):
    """tau shrinks where the model was good, and stays where it was not."""

    def followed_tau(self, rho: Any) -> Any:
        tau = super().followed_tau(rho)
        return min(tau, self.problem.arguments.tau)


@mistake()
class TauKept(Textbook):
    """tau is not adapted."""

    def followed_tau(self, rho: Any) -> Any:
        return self.problem.arguments.tau


@mistake()
class TauByOneStep(Textbook):
    """tau changes by 0.95, where it should by 0.95^T_tau."""

    def omega_tau(self) -> float:
        return DECAY


@mistake()
class GammaKept(Textbook):
    """gamma is not adapted."""

    def chosen_gamma(self, factors: tuple[PerLayer, PerLayer] | None) -> Any:
        return self.problem.arguments.gamma


@mistake()
class GammaLowered(Textbook):
    """gamma always shrinks, as it does where the model is compared under C-tilde."""

    def chosen_gamma(self, factors: tuple[PerLayer, PerLayer] | None) -> Any:
        return self.bounded(self.problem.arguments.gamma * self.omega_gamma(), self.trajectory().gamma_bounds)


@mistake()
class GammaOfTheSmallestDecrease(Textbook):
    """Of the three gammas the one is taken whose step decreases the model least."""

    def decrease(self, delta: PerLayer) -> Any:
        return -super().decrease(delta)


@mistake()
class GammaByOneStep(Textbook):
    """gamma changes by 0.95, where it should by 0.95^T_gamma."""

    def omega_gamma(self) -> float:
        return DECAY


@mistake("https://github.com/gpauloski/kfac-pytorch")
class AveragesFromTheIdentity(Textbook):
    """The averages of the factors start at the identity, with the weight that old factors have later."""

    def averaged(self, old: PerLayer, new: PerLayer, t: int, most: float) -> PerLayer:
        if most != CURVATURE_AVERAGE:
            return super().averaged(old, new, t, most)
        if t == 1:
            old = {l: np.eye(len(A)) for l, A in new.items()}
        return {l: most * old[l] + (1 - most) * new[l] for l in new}


@mistake()
class AveragesNotDebiased(Textbook):
    """Averages have the same weight from the second step on, and are no exact means at first."""

    def weight_of_old(self, t: int, most: float) -> float:
        return most if t > 1 else 0.0


@mistake()
class AverageWeightsExchanged(Textbook):
    """In an average the new value has the weight of the old."""

    def weight_of_old(self, t: int, most: float) -> float:
        return 1 - super().weight_of_old(t, most) if t > 1 else 0.0


@mistake()
class FactorsNotAveraged(Textbook):
    """The factors are those of the last batch alone."""

    def weight_of_old(self, t: int, most: float) -> float:
        return 0.0 if most == CURVATURE_AVERAGE else super().weight_of_old(t, most)


@mistake()
class ParametersNotAveraged(Textbook):
    """The average of the parameters is the parameters."""

    def weight_of_old(self, t: int, most: float) -> float:
        return 0.0 if most == PARAMETER_AVERAGE else super().weight_of_old(t, most)


@mistake()
class ParametersAveragedBefore(Textbook):
    """The average of the parameters takes in those before the update."""

    def stepped(self, here: Checkpoint) -> Stepped:
        old = dict(enumerate(here.average, start=1))
        return super().stepped(here)._replace(average=self.averaged(old, self.W, here.t + 1, PARAMETER_AVERAGE))


@mistake()
class UpdateSubtracted(Textbook):
    """The update is subtracted, where it should be added: its step size is negative already."""

    def stepped(self, here: Checkpoint) -> Stepped:
        step = super().stepped(here)
        weights = {l: 2 * W - step.weights[l] for l, W in self.W.items()}
        average = self.averaged(dict(enumerate(here.average, start=1)), weights, here.t + 1, PARAMETER_AVERAGE)
        return step._replace(weights=weights, average=average)


@mistake()
class RatioWithoutMomentum(Textbook):
    """rho is that of the step along the direction, where it should be that of the update, momentum and all."""

    def ratio(self, update: PerLayer, own: PerLayer) -> Any:
        return self.reduction_ratio(own)


@mistake()
class ModelWithoutMomentum(Textbook):
    """rho has the change of f by the whole update, and that of the model by the update without its momentum."""

    def ratio(self, update: PerLayer, own: PerLayer) -> Any:
        return self.reduction_ratio(update) * self.change_in_model(update) / self.change_in_model(own)


@mistake()
class TauFollowsRounding(Textbook):
    """tau follows a rho that is made of rounding errors."""

    def is_rounding(self, update: PerLayer) -> bool:
        return False


@mistake()
class DampingLostInRounding(Textbook):
    """A damping of (36) is so small beside its factor that adding it changes nothing, and the step is rejected."""

    def visible(self, A: Array, damping: Any) -> Any:
        return damping


@mistake()
class RejectedForEver(Textbook):
    """A step that is rejected, as a matrix is not positive definite, leaves gamma as it was."""

    def raised_gamma(self) -> Any:
        return self.problem.arguments.gamma


@mistake()
class IndefiniteInverted(Textbook):
    """A step is made with the inverse of a matrix that is not positive definite."""

    def invertible(self, factors: tuple[PerLayer, PerLayer] | None) -> bool:
        return True
