"""Appendix C.4 and Section 5: moving averages of the parameters (44), (45) and of the curvature's factors."""

from typing import Any

from ._arithmetic import rational
from ._types import PerLayer


def moving_average(old: PerLayer, new: PerLayer, beta: Any) -> PerLayer:
    """Equation (44): beta old + (1 - beta) new."""
    return {l: beta * old[l] + (1 - beta) * new[l] for l in new}


def average_weight(t: int, most: Any) -> Any:
    """Equation (45): beta_t = min(most, 1 - 1/t), t = 1, 2, ...; `most` is 0.95 for parameters, 0.9 for the curvature.

    beta_1 = 0, so nothing that stood there before the first value counts, and the average is the exact mean
    as long as 1 - 1/t is the smaller. Misprint: the paper has a theta_0, and 1 - 1/0 for it.
    """
    exact = 1 - rational(1, t, most)
    return exact if exact < most else most
