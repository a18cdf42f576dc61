"""Moving averages of the parameters (44), (45), of the Kronecker factors and of the eigenvalues of EKFAC.

While the decay beta of an average is below its upper bound, the average is the arithmetic mean of all values so far.
"""

from .._types import Array, Arrays, Namespace
from ..backends import weighted_mean


def averaged(xp: Namespace, old: Arrays, new: Arrays, n: Array, beta_max: float) -> Arrays:
    """The moving average beta old + (1 - beta) new, with beta = min(beta_max, 1 - 1/n).

    The 0-d integer array n = 1, 2, ... counts the values. `new` is the n-th value, and `old` is the average of the
    n - 1 values before `new`. For n = 1 the decay beta is 0, so the initial `old` has no effect if it is finite.
    """
    beta = xp.clip(1 - 1 / xp.astype(n, new[0].dtype), None, beta_max)
    return tuple(weighted_mean(a, b, beta) for a, b in zip(old, new, strict=True))
