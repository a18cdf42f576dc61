"""Appendix C.3: how tau and gamma follow the progress of the optimisation. Nothing here reads a value."""

from dataclasses import dataclass

from .._types import Array, Namespace
from .._validation.scalars import checked_number, checked_period, set_fields
from ..backends import unit_roundoff

ROUNDINGS = 8
"""The roundings of f within which both changes of (42) mean nothing: rho may be wrong by more than an eighth."""


@dataclass(frozen=True)
class Damping:
    """A damping that adapts itself: every `period` steps by a factor of decay^period, or its inverse, or not.

    initial:     its value before the first step
    period:      T_tau or T_gamma; None keeps the initial value
    decay:       omega = decay^period, the paper's 0.95^T
    lower, upper: its bounds

    Raises `ValueError` and `TypeError` for numbers that are out of range or no numbers.
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
        """The factor of one adaptation."""
        return 1.0 if self.period is None else self.decay**self.period

    def due(self, t: int) -> bool:
        """Whether step t = 1, 2, ... adapts it."""
        return self.period is not None and t % self.period == 0

    def decreased(self, xp: Namespace, value: Array) -> Array:
        """value omega, within the bounds."""
        return xp.clip(value * self.omega, self.lower, self.upper)

    def increased(self, xp: Namespace, value: Array) -> Array:
        """value / omega, within the bounds."""
        return xp.clip(value / self.omega, self.lower, self.upper)

    def candidates(self, xp: Namespace, value: Array) -> tuple[Array, Array, Array]:
        """The candidates of C.3.2: value, value omega and value / omega."""
        return value, self.decreased(xp, value), self.increased(xp, value)

    def raised(self, xp: Namespace, value: Array) -> Array:
        """The damping after a step that needed more: the larger of value / omega and u, within the bounds.

        Ours and not the paper's. u, the unit roundoff of the dtype, leads away from 0. A damping without a period keeps
        its value here too.
        """
        if self.period is None:
            return value
        increased = xp.clip(value / self.omega, unit_roundoff(value), None)
        return xp.clip(increased, self.lower, self.upper)

    def followed(self, xp: Namespace, value: Array, rho: Array, thresholds: tuple[float, float]) -> Array:
        """C.3.1, Levenberg-Marquardt: lower where rho is above the second threshold, higher below the first.

        A rho of NaN keeps the value: see `trusted`.
        """
        low, high = thresholds
        raised = xp.where(rho < low, self.increased(xp, value), value)
        return xp.where(rho > high, self.decreased(xp, value), raised)


def trusted(xp: Namespace, rho: Array, change: Array, change_in_model: Array, rounding: Array) -> Array:
    """rho (42), but NaN if both of its changes are within `ROUNDINGS` roundings of f.

    Ours and not the paper's: near a minimum rho is a quotient of rounding errors, and would drive tau to a bound.
    """
    limit = ROUNDINGS * rounding
    lost = (xp.abs(change) <= limit) & (xp.abs(change_in_model) <= limit)
    return xp.where(lost, xp.full_like(rho, float("nan")), rho)
