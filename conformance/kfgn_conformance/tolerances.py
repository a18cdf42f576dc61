"""The tolerance rule. A tolerance is computed for each problem; it is never a bare 1e-5.

    |answer - oracle| <= c (sqrt(n) u size + d) + the smallest normal number

u is the unit roundoff of the dtype. n is the larger of N and the most units of a layer, inputs included, plus one.

The size is the magnitude to which rounding errors are relative. For most quantities it is the largest element of the
oracle's array. For the solution of a system it is this element times the condition of the system. For a difference of
larger terms it is the size of the terms.

d is the change of the array when the inputs and every operation of the reference are rounded to u (`changes`). No
implementation can avoid the change by rounded inputs. The change by rounded operations is a loss of the paper's
formulas.

Rounding errors of either sign grow like sqrt(n), not like n (Higham and Mary 2019). For the widths of the autoencoder
in float32, sqrt(n) allows an error of 1.5e-5 of the size, and n would allow 4.8e-4.

d is measured with the 24 bits of float32 for both dtypes, and scaled to u. It is a first derivative, and changes of
2^-53 would be lost in the rounding of the reference itself.

`Oracle.tolerances` applies the rule.
"""

import math

import numpy as np

from .problems.problem import Problem

C = 8
"""The c of the rule. docs/conformance.md lists the ratios that right implementations reach with it."""

ROUNDOFF = {"float32": 2.0**-24, "float64": 2.0**-53}
"""u, by dtype."""

MAX_RELATIVE_TOLERANCE = {"float32": 1e-3, "float64": 1e-9}
"""A tolerance above this part of max|Q| proves nothing: the verdict is INCONCLUSIVE."""

SMALLEST_NORMAL = {"float32": 2.0**-126, "float64": 2.0**-1022}
"""The smallest normal numbers. A smaller number has fewer digits, and some libraries replace it by 0. So an absolute
error of this size is always allowed. The relative tolerance is computed without it."""


def longest_sum(problem: Problem) -> int:
    """n: the length of a sum over the datapoints, or over the inputs of a layer with the bias, whichever is longer.

    Sums over N S or N K stay within sqrt(n) too.
    """
    return max(problem.N, max(problem.widths) + 1)


def rounding_bound(n: int, size: float, change: float, dtype: str) -> float:
    """c (sqrt(n) u size + d). change: d for u = 2^-24, which is scaled to the dtype."""
    u = ROUNDOFF[dtype]
    d = change * u / ROUNDOFF["float32"]
    return C * (math.sqrt(n) * u * size + d)


def quotient(error: float, tolerance: float) -> float:
    """error / tolerance. Without an error it is 0, and an error where none is allowed makes it infinite."""
    if error == 0:
        return 0.0
    return error / tolerance if tolerance > 0 else np.inf
