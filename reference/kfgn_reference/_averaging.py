"""Appendix C.4 and Section 5: moving averages of the parameters and of the factors, equations (44), (45).

>>> from kfgn_reference import average_weight
>>> [average_weight(t, 0.75) for t in (1, 2, 4, 8)]
[0.0, 0.5, 0.75, 0.75]
"""

from typing import Any

from ._arithmetic import rational
from ._types import PerLayer


def moving_average(old: PerLayer, new: PerLayer, beta: Any) -> PerLayer:
    """Equation (44): beta old + (1 - beta) new, layer by layer."""
    return {l: beta * old[l] + (1 - beta) * new[l] for l in new}


def average_weight(t: int, upper: Any) -> Any:
    """Equation (45): beta_t = min(upper, 1 - 1/t) for t = 1, 2, ...

    upper: the largest weight of the old average, 0.95 for parameters and 0.9 for factors

    beta_1 = 0, so the value before the first step has no weight. The average is the arithmetic mean of all values while
    1 - 1/t <= upper. Gap: the paper does not say that t starts at 1. For t = 0, 1 - 1/t has no value.
    """
    exact = 1 - rational(1, t, upper)
    return exact if exact < upper else upper
