"""The settings of `GaussNewton`, and their validation."""

from dataclasses import dataclass
from typing import Any, TypeAlias

from .._documentation import Documented
from .._linearisation.arguments import check_network, gauss_newton_split
from .._network.network import Network
from .._types import Array
from .._validation.scalars import checked_name, checked_number, checked_pair, set_fields
from .._words import shown
from .adaptation import Damping, Dampings
from .eigenvalue_corrected import EigenvalueCorrected
from .factor_methods import METHODS
from .hessian_free import HessianFree
from .kronecker_factored import KroneckerFactored
from .schedule import Schedule, is_multiple

Curvature: TypeAlias = KroneckerFactored | EigenvalueCorrected | HessianFree
"""An estimate of the Gauss-Newton matrix. Each of the three classes implements `CurvatureEstimate`."""

OTHERS: dict[str, Curvature] = {"ekfac": EigenvalueCorrected(), "hessian_free": HessianFree()}
"""The curvatures by name, except those that are methods of `KroneckerFactored`."""


@dataclass(frozen=True)
class Settings(metaclass=Documented):
    """The arguments of `GaussNewton`: the network and the hyperparameters."""

    network: Network
    curvature: Curvature | str = KroneckerFactored("kfra")  # noqa: RUF009  (frozen)
    eta: float = 1e-5
    tau: Damping | None = None
    gamma: Damping | None = None
    thresholds: tuple[float, float] = (0.75, 0.75)
    max_step_size: float | None = None
    momentum: float = 0.0
    parameter_average: float = 0.95

    def __post_init__(self) -> None:
        check_network(self.network)
        gauss_newton_split(self.network)
        set_fields(self, curvature=_curvature(self.curvature))
        tau, gamma = self.dampings
        low, high = checked_pair("thresholds", self.thresholds)
        low = checked_number("thresholds", low)
        set_fields(
            self,
            tau=tau,
            gamma=gamma,
            eta=checked_number("eta", self.eta),
            thresholds=(low, checked_number("thresholds", high, lower=low)),
            momentum=checked_number("momentum", self.momentum, upper=1.0),
            parameter_average=checked_number("parameter_average", self.parameter_average, upper=1.0),
        )
        if self.max_step_size is not None:
            set_fields(self, max_step_size=checked_number("max_step_size", self.max_step_size, above=True))

    @property
    def estimate(self) -> Curvature:
        """The attribute `curvature`, which is never a name, since `__post_init__` replaces a name by an estimate."""
        assert not isinstance(self.curvature, str)
        return self.curvature

    @property
    def dampings(self) -> Dampings:
        """The dampings tau and gamma. The default of the curvature replaces a damping that is None."""
        tau, gamma = self.estimate.default_tau, self.estimate.default_gamma
        return Dampings(_damping("tau", self.tau, tau), _damping("gamma", self.gamma, gamma))


def schedule_at(settings: Settings, t: int | Array) -> Schedule:
    """The heuristics that run in step t = 1, 2, ..."""
    curvature, (tau, gamma) = settings.estimate, settings.dampings
    return Schedule(
        refreshes=curvature.refreshes(t),
        adapts_tau=is_multiple(t, tau.period),
        adapts_gamma=curvature.uses_gamma and is_multiple(t, gamma.period),
    )


def _curvature(value: Any) -> Curvature:
    """Return the value unchanged if it is a curvature, and the curvature with this name if it is a name."""
    if isinstance(value, Curvature):
        return value
    if not isinstance(value, str):
        kinds, names = "KroneckerFactored, EigenvalueCorrected, HessianFree", ", ".join((*METHODS, *OTHERS))
        raise TypeError(f"curvature: expected {kinds} or one of {names}, got {shown(value)}")
    name = checked_name("curvature", value, (*METHODS, *OTHERS))
    return OTHERS[name] if name in OTHERS else KroneckerFactored(name)


def _damping(name: str, value: Any, default: Damping) -> Damping:
    if value is None:
        return default
    if not isinstance(value, Damping):
        raise TypeError(f"{name}: expected a Damping such as kfgn.Damping(initial=1.0, period=5), got {shown(value)}")
    return value
