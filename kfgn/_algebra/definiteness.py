"""The exception for a damped matrix that has no inverse in its dtype."""

from typing import Any

from .._types import Array, Namespace


class NotPositiveDefiniteError(ValueError):
    """A damped matrix has no inverse in its dtype, because the damping is too small or too large.

    The methods `solve` and `logdet` of `KroneckerBlock` and `EigenBlock` raise this error, which is a `ValueError`. The
    functions `solve_gauss_newton` and `solve_gauss_newton_blocks` raise the error too. The message states whether a
    larger or a smaller damping is needed.

    Examples
    --------
    >>> import numpy as np
    >>> import kfgn
    >>> block = kfgn.KroneckerBlock(np.ones((2, 2)), np.ones((3, 3)))
    >>> try:
    ...     block.solve(np.ones((3, 2)), damping=1e-40)
    ... except kfgn.NotPositiveDefiniteError as error:
    ...     print(str(error)[:60])
    damping: expected a larger value, since this value is too sm
    """


def dominates(xp: Namespace, damping: float, size: float, dtype: Any) -> bool:
    """Return True if the damping is so large that its rounding error, eps times the damping, is above max(size, 1).

    size: the largest absolute element of the matrix without the damping, or an upper bound
    """
    return damping * float(xp.finfo(dtype).eps) > max(size, 1.0)


def no_inverse(xp: Namespace, matrix: str, damping: float, size: float, dtype: Any) -> NotPositiveDefiniteError:
    """Return the exception whose message recommends a larger or a smaller damping of a matrix.

    size: the largest absolute element of the matrix without the damping, or an upper bound; 1.0 if neither is known
    """
    if dominates(xp, damping, size, dtype):
        why = f"a smaller value, since this value is too large for {dtype} to hold the inverse of {matrix} with damping"
    else:
        why = f"a larger value, since this value is too small to make {matrix} positive definite in {dtype}"
    return NotPositiveDefiniteError(f"damping: expected {why}, got {damping:g}")


def largest(xp: Namespace, *factors: Array) -> float:
    """Return the product of the largest absolute elements of the factors. The largest elements are read on the host."""
    size = 1.0
    for A in factors:
        size *= float(xp.max(xp.abs(A)))
    return size
