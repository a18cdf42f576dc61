"""The heuristics that run in a step. They depend on the number of the step alone."""

from typing import NamedTuple

from .._types import Array


class Schedule(NamedTuple):
    """The heuristics of a step. Each field is a Python bool, or a 0-d boolean array if t is an array.

    refreshes:    the curvature is computed again
    adapts_tau:   tau follows the reduction ratio (42)
    adapts_gamma: gamma is chosen from three candidates
    """

    refreshes: bool | Array
    adapts_tau: bool | Array
    adapts_gamma: bool | Array

    @property
    def inverts(self) -> bool | Array:
        """True if damped inverses are computed again: for new factors, or for several values of gamma."""
        return True if self.refreshes is True else self.refreshes | self.adapts_gamma


def is_multiple(t: int | Array, period: int | None) -> bool | Array:
    """True if t is a multiple of the period, and False without a period.

    The result is a Python bool if it is the same for every t, so that a trace over t has one branch only.
    """
    if period is None or period == 1:
        return period == 1
    return t % period == 0
