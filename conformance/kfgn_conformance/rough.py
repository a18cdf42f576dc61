"""A rough tolerance rule for repeated questions. The rule does not have the term d, which takes long to compute.

    |answer - oracle| <= c sqrt(n) u size + l max|Q|

The first term is also in the rule of `tolerances`, which defines u, n and size. The second term replaces c d, and
max|Q| is the largest element of the oracle's array. l is the largest relative tolerance with which a comparison is
conclusive: 1e-3 in float32 and 1e-9 in float64. If an implementation gives an answer that was stored for a different
problem, the error is usually above this rough tolerance.
"""

import math

from .judging import Rule
from .oracle import Oracle
from .tolerances import MAX_RELATIVE_TOLERANCE, ROUNDOFF, C, longest_sum


def tolerances(oracle: Oracle, dtype: str) -> list[float]:
    """Compute the rough tolerance of each array. For an array of zeros, max|Q| is the largest element of all arrays."""
    rounding, most = C * math.sqrt(longest_sum(oracle.problem)) * ROUNDOFF[dtype], max(oracle.scales)
    pairs = zip(oracle.sizes, oracle.scales, strict=True)
    return [rounding * size + MAX_RELATIVE_TOLERANCE[dtype] * (scale or most) for size, scale in pairs]


def relative_tolerance(_oracle: Oracle, dtype: str) -> float:
    """Return l, the largest relative tolerance with which a verdict is not INCONCLUSIVE."""
    return MAX_RELATIVE_TOLERANCE[dtype]


ROUGH = Rule("rough tolerance", tolerances, relative_tolerance)
"""The rough tolerance rule, by which the answers to repeated questions are compared with the oracles."""


def has_value(oracle: Oracle) -> bool:
    """True if an answer can be compared with the oracle by the rough tolerance rule."""
    try:
        return oracle.value is not None
    except (ArithmeticError, ValueError):
        return False
