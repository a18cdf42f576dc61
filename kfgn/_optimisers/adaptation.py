"""Appendix C.3: the adaptation of tau and gamma to the progress of the optimisation. No array is read."""

from dataclasses import dataclass
from typing import NamedTuple

from .._documentation import Documented
from .._types import Array, Namespace
from .._validation.scalars import checked_number, checked_period, set_fields
from ..backends import unit_roundoff

ROUNDINGS = 8
"""The size of a meaningful change of f in (42), in roundings of f. Below it rho may be wrong by more than an eighth."""


@dataclass(frozen=True)
class Damping(metaclass=Documented):
    """The initial value and the adaptation of a damping, tau or gamma.

    Every `period` steps the value is multiplied with decay^period, divided by it, or kept.

    Parameters
    ----------
    initial : float
        The value before the first step, from `lower` to `upper`.
    period : int or None
        T_tau or T_gamma, the number of steps between two adaptations. None keeps the initial value.
    decay : float, optional
        The base of omega = decay^period, the factor of one adaptation. Above 0 and at most 1, and 0.95 in the paper.
    lower, upper : float, optional
        The bounds of the value, 0 <= lower <= upper.

    Raises
    ------
    TypeError
        For a value that is not a number.
    ValueError
        For a number out of range.

    Notes
    -----
    tau is adapted by (42) and C.3.1, gamma by C.3.2. `GaussNewton` describes both. With lower = 0, a damping that has
    reached 0 stays there until a step is rejected because the damping is too small.

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
        """The factor of one adaptation: decay^period, or 1 without a period."""
        return 1.0 if self.period is None else self.decay**self.period


class Dampings(NamedTuple):
    """The adaptation of both dampings of an optimiser."""

    tau: Damping
    gamma: Damping


def decreased(xp: Namespace, damping: Damping, value: Array) -> Array:
    """The value times omega, within the bounds."""
    return xp.clip(value * damping.omega, damping.lower, damping.upper)


def increased(xp: Namespace, damping: Damping, value: Array) -> Array:
    """The value divided by omega, within the bounds."""
    return xp.clip(value / damping.omega, damping.lower, damping.upper)


def levenberg_marquardt(
    xp: Namespace, damping: Damping, value: Array, rho: Array, thresholds: tuple[float, float]
) -> Array:
    """C.3.1: the value increased where rho is below the first threshold, and decreased where it is above the second.

    A rho of NaN keeps the value.
    """
    low, high = thresholds
    at_least = xp.where(rho < low, increased(xp, damping, value), value)
    return xp.where(rho > high, decreased(xp, damping, value), at_least)


def nan_within_rounding(xp: Namespace, rho: Array, change: Array, change_in_model: Array, rounding: Array) -> Array:
    """rho (42), or NaN if both of its changes are within `ROUNDINGS` roundings of f.

    This rule is ours and not the paper's. Near a minimum rho is a quotient of rounding errors, which would drive tau to
    one of its bounds.
    """
    limit = ROUNDINGS * rounding
    lost = (xp.abs(change) <= limit) & (xp.abs(change_in_model) <= limit)
    return xp.where(lost, xp.full_like(rho, float("nan")), rho)


def after_rejection(xp: Namespace, damping: Damping, value: Array) -> Array:
    """The value after a step that was rejected because it was too small: max(value / omega, u), within the bounds.

    This rule is ours and not the paper's. u is the unit roundoff of the dtype, which a value of 0 becomes. A damping
    without a period keeps its value.
    """
    if damping.period is None:
        return value
    return xp.clip(xp.clip(value / damping.omega, unit_roundoff(value), None), damping.lower, damping.upper)
