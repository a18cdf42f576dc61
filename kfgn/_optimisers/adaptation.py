"""Appendix C.3: the adaptation of tau and gamma to the progress of the optimisation.

No function of this module reads the value of an array on the host, so no function waits for the device.
"""

from dataclasses import dataclass
from typing import NamedTuple

from .._documentation import Documented
from .._types import Array, Namespace
from .._validation.scalars import checked_number, checked_period, set_fields
from ..backends import unit_roundoff

ROUNDINGS = 8
"""The smallest meaningful change in (42), of f or of the model, as a multiple of the rounding error of f.

If the change of f and that of the model are both smaller than this bound, rho may be wrong by more than an eighth.
"""


@dataclass(frozen=True)
class Damping(metaclass=Documented):
    """The initial value and the adaptation of a damping, tau or gamma.

    Every `period` steps the damping is multiplied by decay^period, divided by decay^period, or left unchanged.

    Parameters
    ----------
    initial : float
        The damping before the first step, from `lower` to `upper`.
    period : int or None
        T_tau or T_gamma, the number of steps between two adaptations. With period=None the damping keeps its initial
        value. The period has no default, because the periods of the paper differ: 5 steps for tau, and 20 for gamma.
    decay : float, optional
        The base of the factor omega = decay^period of one adaptation, above 0 and at most 1. The paper uses the base
        0.95.
    lower, upper : float, optional
        The bounds of the damping, 0 <= lower <= upper.

    Raises
    ------
    TypeError
        If `period` is neither an integer nor None, or if one of the other arguments is not a number.
    ValueError
        If a number is out of range.

    Notes
    -----
    tau is adapted by equation (42) and Appendix C.3.1, and gamma by Appendix C.3.2. The docstring of `GaussNewton`
    describes the adaptation of tau and of gamma. With lower = 0, an adaptation leaves a damping of 0 unchanged. Only a
    step that is rejected because the damping is too small raises the damping above 0.

    Examples
    --------
    >>> import kfgn
    >>> damping = kfgn.Damping(initial=0.1, period=5, lower=1e-6)
    >>> round(damping.omega, 4)
    0.7738
    """

    initial: float
    period: int | None
    decay: float = 0.95
    lower: float = 0.0
    upper: float = 1e10

    def __post_init__(self) -> None:
        upper = checked_number("upper", self.upper)
        lower = checked_number("lower", self.lower, upper=upper)
        set_fields(
            self,
            upper=upper,
            lower=lower,
            initial=checked_number("initial", self.initial, lower=lower, upper=upper),
            decay=checked_number("decay", self.decay, upper=1.0, above=True),
            period=checked_period("period", self.period),
        )

    @property
    def omega(self) -> float:
        """The factor of one adaptation: decay^period, or 1 if the period is None."""
        return 1.0 if self.period is None else self.decay**self.period


class Dampings(NamedTuple):
    """The initial values and the adaptations of tau and gamma."""

    tau: Damping
    gamma: Damping


def decreased(xp: Namespace, damping: Damping, value: Array) -> Array:
    """The damping `value` times omega, clipped to the bounds of the damping."""
    return xp.clip(value * damping.omega, damping.lower, damping.upper)


def increased(xp: Namespace, damping: Damping, value: Array) -> Array:
    """The damping `value` divided by omega, clipped to the bounds of the damping."""
    return xp.clip(value / damping.omega, damping.lower, damping.upper)


def levenberg_marquardt(
    xp: Namespace, damping: Damping, value: Array, rho: Array, thresholds: tuple[float, float]
) -> Array:
    """tau, increased for rho below the first threshold and decreased for rho above the second threshold (C.3.1).

    For rho = NaN tau does not change.
    """
    low, high = thresholds
    at_least = xp.where(rho < low, increased(xp, damping, value), value)
    return xp.where(rho > high, decreased(xp, damping, value), at_least)


def nan_within_rounding(xp: Namespace, rho: Array, change: Array, change_in_model: Array, rounding: Array) -> Array:
    """rho (42), or NaN if the changes of f and of the model are both at most `ROUNDINGS` rounding errors of f.

    The rule for NaN is not in the paper. Near a minimum rho is a quotient of rounding errors, and would drive tau to
    one of its bounds.
    """
    limit = ROUNDINGS * rounding
    lost = (xp.abs(change) <= limit) & (xp.abs(change_in_model) <= limit)
    return xp.where(lost, xp.full_like(rho, float("nan")), rho)


def after_rejection(xp: Namespace, damping: Damping, value: Array) -> Array:
    """The increased damping after a rejected step: max(value / omega, u), clipped to the bounds of the damping.

    The caller uses the result only if the step was rejected because this damping may have been too small. The paper has
    no rule for rejected steps. u is the unit roundoff of the dtype, so a damping of 0 becomes u. A damping without a
    period does not change.
    """
    if damping.period is None:
        return value
    return xp.clip(xp.clip(value / damping.omega, unit_roundoff(value), None), damping.lower, damping.upper)
