"""What an error looks like, for one that no known mistake explains."""

import numpy as np

from ..problems import Array, Problem
from ..quantities import Arrays, Quantity, largest
from ..tolerances import ROUNDOFF, tolerances, truth


def shape_of_error(problem: Problem, quantity: Quantity, arrays: Arrays, dtype: str) -> str:
    """Which arrays are wrong, by what factor if it is one, and whether symmetry was lost."""
    oracle, allowed = truth(problem, quantity), tolerances(problem, quantity, dtype)
    told = []
    for i, (a, q, t) in enumerate(zip(arrays, oracle.arrays, allowed, strict=True), start=1):
        if largest(a - q) > t:
            told.append(f"array {i} {_of_array(problem, a.astype(np.float64), q, t, dtype)}")
    right = len(arrays) - len(told)
    return "; ".join([f"on {problem.id} {right} of {len(arrays)} arrays are right", *told])


def _of_array(problem: Problem, a: Array, q: Array, tolerance: float, dtype: str) -> str:
    error, size = largest(a - q), largest(q)
    if dtype == "float64" and error <= 2**6 * ROUNDOFF["float32"] * size:
        return f"is wrong by {error / size:.1e} of its largest element, as if a part had been computed in float32"
    if not np.any(a):
        return "is zero"
    ratio = float(np.sum(a * q) / np.sum(q * q)) if size > 0 else np.inf
    if largest(a - ratio * q) <= max(1.0, abs(ratio)) * tolerance:
        return f"is {ratio:.6g} times the right one{_named(problem, ratio)}"
    if a.ndim == 2 and a.shape[0] == a.shape[1]:
        if largest(a - q.T) <= tolerance:
            return "is the right one transposed"
        lost = largest(a - a.T)
        if largest(q - q.T) <= tolerance < lost:
            return f"is wrong by {error:.3g} and not symmetric, by {lost:.3g}"
    where = np.abs(a - q) > tolerance
    return f"is wrong by {error:.3g} in {int(np.sum(where))} of {where.size} elements"


def _named(problem: Problem, ratio: float) -> str:
    """The symbols that a ratio is the value of."""
    N, D, S = problem.N, problem.widths[-1], problem.labels.shape[1]
    symbols = {"2": 2, "N": N, "D_L": D, "S": S, "N^2": N**2, "D_L^2": D**2, "S^2": S**2, "N S": N * S, "N D_L": N * D}
    values = {**symbols, **{f"1/({name})": 1 / value for name, value in symbols.items()}, "-1": -1}
    found = [name for name, value in values.items() if abs(ratio / value - 1) < 1e-4]
    return f", which is {' or '.join(found)}" if found else ""
