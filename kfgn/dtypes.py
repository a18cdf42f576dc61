"""Numbers of Python beside arrays: each must be one that the dtype of the arrays has."""

from array_api_compat import array_namespace

from ._types import Array
from .backends import has_values


def in_dtype(name: str, value: Array | float, like: Array, *, check: bool, positive: bool = False) -> Array | float:
    """The value, once the dtype of `like` has it: `ValueError` for one that becomes infinite there.

    positive: `ValueError` also for one below the smallest normal number, which some processors take for 0.

    A 0-d array is in the dtype already. It is read only under `check`.
    """
    number = _known(value, check=check)
    if number is None:
        return value
    information = array_namespace(like).finfo(like.dtype)
    expected = f"{name}: expected a number that {like.dtype} can hold, got {number:g}, which is too"
    if number > float(information.max):
        raise ValueError(f"{expected} large")
    if positive and number < float(information.smallest_normal):
        raise ValueError(f"{expected} small")
    return value


def _known(value: Array | float, *, check: bool) -> float | None:
    """The value on the host, where it is there or may be read."""
    if isinstance(value, float):
        return value
    return float(value) if check and has_values(value) else None
