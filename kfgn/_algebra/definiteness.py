"""The error of a damped solve for which the dtype has no answer."""

from typing import Any

from .._types import Array, Namespace


class NotPositiveDefiniteError(ValueError):
    """A damped matrix whose inverse its dtype cannot hold, since the damping is too small or too large."""


def dominates(xp: Namespace, damping: float, size: float, dtype: Any) -> bool:
    """True if the damping is so large that a matrix of this size, or of size 1, is below its rounding."""
    return damping * float(xp.finfo(dtype).eps) > max(size, 1.0)


def no_inverse(xp: Namespace, matrix: str, damping: float, size: float, dtype: Any) -> NotPositiveDefiniteError:
    """The error for a matrix with a largest element of this size."""
    if dominates(xp, damping, size, dtype):
        why = f"less, since this is too large for {dtype} to hold the solution with {matrix}"
    else:
        why = f"more, since this is too small to make {matrix} positive definite in {dtype}"
    return NotPositiveDefiniteError(f"damping: expected {why}, got {damping:g}")


def largest(xp: Namespace, *factors: Array) -> float:
    """The product of the largest absolute elements, read on the host."""
    size = 1.0
    for A in factors:
        size *= float(xp.max(xp.abs(A)))
    return size
