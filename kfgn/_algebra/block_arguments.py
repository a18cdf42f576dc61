"""Checks of arguments and of results that the methods of `KroneckerBlock` and of `EigenBlock` share."""

from collections.abc import Callable

from array_api_compat import array_namespace

from .._types import Array, Namespace
from .._validation.arrays import check_finite, check_floating_dtype, one_library_and_device
from .._validation.scalars import checked_flag, checked_representable, checked_scalar
from ..backends import detached, has_values
from .damping import DampedInverse
from .definiteness import dominates, no_inverse


def checked_matrices(named: dict[str, Array], *, square: bool = True, check: bool) -> Namespace:
    """Return the namespace of the matrices of a block, after a check of the matrices.

    square: True if every matrix must be square and not empty
    """
    check = checked_flag("check", check)
    xp = one_library_and_device(named)
    check_floating_dtype(xp, named)
    for name, A in named.items():
        shape = tuple(A.shape)
        if square and (len(shape) != 2 or shape[0] != shape[1] or shape[0] == 0):
            raise ValueError(f"{name}: expected a square matrix with at least one row, got shape {shape}")
    if check:
        check_finite(xp, named)
    return xp


def checked_vector(V: Array, shape: tuple[int, int], named: dict[str, Array], *, check: bool) -> Array:
    """Return V outside any autograd graph, after a check of its shape, library, dtype and device.

    named: a dictionary from a name to the array that has the expected library, dtype and device
    check: True to check also that the values of V are finite
    """
    xp = one_library_and_device(named | {"V": V})
    check_floating_dtype(xp, named | {"V": V})
    if (came := tuple(V.shape)) != shape:
        raise ValueError(f"V: expected shape {shape}, got {came}")
    if check:
        check_finite(xp, {"V": V})
    return detached(V)


def checked_damping(damping: Array | float, like: Array, of: str, *, check: bool) -> Array | float:
    """Return the damping, after checks that it is positive and that the dtype of `like` can hold its value.

    With `check=False`, and in a traced program, the value of a 0-d array is not checked.

    of: the name of `like` in a message
    """
    k = checked_scalar("damping", damping, like, of=of, check=check, positive=True)
    return checked_representable("damping", k, like, check=check, positive=True)


def checked_result(
    result: Array,
    ok: Array,
    inverse: DampedInverse,
    damping: Array | float,
    *,
    matrix: str,
    size: Callable[[], float],
    underflow: Array | None = None,
    check: bool,
) -> Array:
    """Return the result, or NaN if no inverse exists or if the result is not finite.

    With `check`, the function raises `NotPositiveDefiniteError` instead of returning NaN. The exception is also raised
    for a pivot that is not larger than its rounding error, and for a result that underflows because of a large damping.
    If values cannot be read, no exception is raised.

    matrix:    the words for the block in a message
    size:      a function that reads the largest absolute element of the block, or an upper bound, on the host
    underflow: a 0-d boolean, true if the result is zero for a vector that is not zero
    """
    xp = array_namespace(result)
    ok = ok & xp.all(xp.isfinite(result))
    if check and has_values(result):
        k = float(damping)
        vanished = underflow is not None and bool(underflow) and dominates(xp, k, size(), result.dtype)
        if vanished or not bool(ok & inverse.resolved()):
            raise no_inverse(xp, matrix, k, size(), result.dtype)
    return xp.where(ok, result, xp.full_like(result, float("nan")))
