"""A rough comparison with the oracle for questions in other orders. It does without d, which takes long to compute.

    |answer - oracle| <= c sqrt(n) u size + l max|Q|

The first term is that of the rule of `tolerances`. The second term, in the place of c d, is the largest tolerance that
proves anything: l is 1e-3 in float32 and 1e-9 in float64. An answer that was kept from another problem has a larger
error.
"""

import math
from functools import lru_cache

import numpy as np

from .problems.problem import Problem
from .quantities import Quantity, largest
from .tolerances import LOOSE, ROUNDOFF, C, Truth, longest_sum
from .verdicts import NON_STRICT, Status, Verdict, measured, well_formed


@lru_cache(maxsize=2048)
def oracle(problem: Problem, quantity: Quantity) -> Truth:
    """The oracle's answer without d. Raises `ValueError` where it is not finite."""
    answers = [np.asarray(array) for array in quantity.value(problem)]
    arrays = tuple(answer.astype(np.float64) for answer in answers)
    scales, sizes = tuple(map(largest, arrays)), quantity.size(problem, arrays)
    if not np.all(np.isfinite([*scales, *sizes])):
        raise ValueError(f"{quantity.name} on {problem.id}: expected a finite oracle, got NaN or infinity")
    return Truth(arrays, scales, sizes, (0.0,) * len(arrays), integer=answers[0].dtype.kind in "iu")


def compare_roughly(
    answer: object, problem: Problem, quantity: Quantity, dtype: str, translations: tuple[str, ...] = ()
) -> Verdict:
    """The verdict on an answer in a dtype, by the rule of this module."""
    right = oracle(problem, quantity)
    arrays, fault = well_formed(answer, right, dtype)
    if fault:
        return Verdict(Status.FAIL, problem.id, np.inf, detail=fault, translations=translations)
    rounding, most = C * math.sqrt(longest_sum(problem)) * ROUNDOFF[dtype], max(right.scales)
    allowed = [
        rounding * size + LOOSE[dtype] * (scale or most) for size, scale in zip(right.sizes, right.scales, strict=True)
    ]
    ratio, detail = measured(arrays, right, allowed, "rough tolerance")
    if ratio <= 1:
        return Verdict(Status.PASS, problem.id, ratio, LOOSE[dtype], detail, None, translations)
    status = Status.NON_STRICT if ratio <= NON_STRICT else Status.FAIL
    return Verdict(status, problem.id, ratio, LOOSE[dtype], detail, tuple(map(np.copy, arrays)), translations)
