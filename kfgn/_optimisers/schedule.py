"""The schedule of the heuristics, which depends on the number of the step alone."""

from typing import NamedTuple

from .._types import Array


class Schedule(NamedTuple):
    """Flags for the heuristics that run in step t.

    Each flag is a Python bool, or a 0-d boolean array if t is an array and the flag is not the same for every t.

    refreshes:    true if the factors of the curvature are computed again
    adapts_tau:   true if tau is adapted by the reduction ratio (42)
    adapts_gamma: true if gamma is chosen from three candidates
    """

    refreshes: bool | Array
    adapts_tau: bool | Array
    adapts_gamma: bool | Array

    @property
    def inverts(self) -> bool | Array:
        """True if damped inverses are computed again: for new factors, or for several values of gamma."""
        return True if self.refreshes is True else self.refreshes | self.adapts_gamma


def is_multiple(t: int | Array, period: int | None) -> bool | Array:
    """True if t is a multiple of the period, and False if the period is None.

    If the result is the same for every t, it is a Python bool, so that a traced program has only one branch.
    """
    if period is None or period == 1:
        return period == 1
    return t % period == 0
