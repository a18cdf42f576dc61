"""The comparison of a mistake's arrays with an answer."""

from typing import NamedTuple

from ..oracle import Oracle
from ..quantities import Arrays, largest
from ..tolerances import ROUNDOFF
from .answers import answer_of
from .mistake import Mistake

NEAR = 30
"""A mistake explains an answer only if its arrays differ from the answer by at most this number of tolerances.

`NEAR` is large, because no rule bounds the rounding errors of a mistake.
"""


class Answered(NamedTuple):
    """An answer with the right number of arrays and the right shapes.

    oracle: the oracle with which the answer was compared
    arrays: the arrays of a wrong answer, or None for an answer that passed
    """

    oracle: Oracle
    arrays: Arrays | None


def explains(mistake: Mistake, answer: Answered, dtype: str) -> bool:
    """True if the formulas of a mistake reproduce an answer within `NEAR` tolerances.

    The tolerances are those of the oracle's arrays. If the largest element of a mistake's array is larger than that of
    the oracle's array, the rounding errors of the mistake are larger too, and the tolerance is increased in proportion.
    If the oracle's array is 0, the tolerance is at least the unit roundoff times the largest element of the mistake's
    array.

    At least one wrong array of a wrong answer must also be at least twice as close to the mistake as to the oracle.
    Therefore a mistake without an effect on the problem explains no wrong answer.
    """
    oracle = answer.oracle
    made = answer_of(mistake.textbook, oracle)
    if made is None:
        return False
    arrays = oracle.arrays if answer.arrays is None else answer.arrays
    nearer = answer.arrays is None
    for a, m, q, t, scale in zip(arrays, made, oracle.arrays, oracle.tolerances(dtype), oracle.scales, strict=True):
        rounding = max(1.0, largest(m) / scale) * t if scale > 0 else max(t, ROUNDOFF[dtype] * largest(m))
        error = largest(a - m)
        if not error <= NEAR * rounding:  # also true for an error that is NaN
            return False
        nearer = nearer or error <= largest(a - q) / 2 > t / 2
    return nearer
