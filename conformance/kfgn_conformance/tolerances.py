"""The tolerance rule: each array of an answer has a computed tolerance, and not a fixed tolerance such as 1e-5.

    |answer - oracle| <= c (sqrt(n) u size + d) + the smallest normal number

u is the unit roundoff of the dtype. n is the larger of N and D + 1, where D is the largest of D_0, ..., D_L. With
shared weights, an activation has C channels at T positions, and I is the number of columns of a matrix of weights. n is
then the largest of N T, C T + 1 and I over all layers.

The size of an array is the number to which its rounding errors are proportional. For most quantities, the size is the
largest element of the oracle's array. For the solution of a linear system, the size is the largest element times the
condition number of the system. For a difference of larger terms, the size is the magnitude of these terms.

d is the change of the array if every input has the relative error u, and every operation of the reference is rounded
with unit roundoff u (see `changes`). The error of an algorithm may be as large as the part of d that comes from the
inputs, even if the algorithm is backward stable. The part that comes from rounded operations is the loss of accuracy in
the formulas of the paper.

Rounding errors with random signs grow like sqrt(n), and not like n (Higham and Mary 2019). For the widths of the
autoencoder in float32, sqrt(n) allows an error of 1.5e-5 times the size, while n would allow 4.8e-4 times the size.

For both dtypes, d is measured with the 24 bits of float32, and multiplied by u / 2^-24, since d is proportional to u.
For u = 2^-53, d cannot be measured in float64, since the rounding errors of the reference are as large as d.

`Oracle.tolerances` applies the rule.
"""

import math

import numpy as np

from .problems.layers import positions_of
from .problems.problem import Problem

C = 8
"""The constant c of the rule. docs/conformance.md lists the ratios error / tolerance of correct implementations."""

ROUNDOFF = {"float32": 2.0**-24, "float64": 2.0**-53}
"""The unit roundoff u of each dtype."""

MAX_RELATIVE_TOLERANCE = {"float32": 1e-3, "float64": 1e-9}
"""The largest tolerance / max|Q| with which a pass shows that the answer is right.

max|Q| is the largest absolute value in the oracle's array. An error within a larger tolerance is INCONCLUSIVE.
"""

SMALLEST_NORMAL = {"float32": 2.0**-126, "float64": 2.0**-1022}
"""The smallest normal number of each dtype. An absolute error of this number is always allowed.

A smaller number has fewer digits, and some libraries replace it by 0. The relative tolerance is computed without this
absolute error.
"""


def longest_sum(problem: Problem) -> int:
    """n, the largest number of terms in a sum over the datapoints, or over the inputs and the bias of a layer.

    With shared weights, a sum over the datapoints is also a sum over the T positions of a layer, and a matrix over all
    positions of a layer with C channels has C T rows. The tolerance with this n also covers the rounding errors of
    longer sums, such as sums over S samples per datapoint.
    """
    if problem.is_shared:
        inputs: int = max(W.shape[1] for W in problem.weights)
        sizes = [(shape[0], positions_of(shape)) for shape in problem.shapes]
        return max(inputs, *(max(problem.N * T, C * T + 1) for C, T in sizes))
    return max(problem.N, max(problem.widths) + 1)


def rounding_bound(n: int, size: float, change: float, dtype: str) -> float:
    """The term c (sqrt(n) u size + d) of the rule, where u is the unit roundoff of the dtype.

    change: d for float32, from which the function computes d for the dtype
    """
    u = ROUNDOFF[dtype]
    d = change * u / ROUNDOFF["float32"]
    return C * (math.sqrt(n) * u * size + d)


def quotient(error: float, tolerance: float) -> float:
    """error / tolerance, or 0 if the error is 0, or infinity if only the tolerance is 0."""
    if error == 0:
        return 0.0
    return error / tolerance if tolerance > 0 else np.inf
