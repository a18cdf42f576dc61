"""The range check of Python's numbers that meet arrays: the dtype of the arrays must hold each number."""

from array_api_compat import array_namespace

from .._types import Array
from ..backends import has_values


def in_dtype(name: str, value: Array | float, like: Array, *, check: bool, positive: bool = False) -> Array | float:
    """The value, checked: `ValueError` if it becomes infinite in the dtype of `like`.

    positive: `ValueError` also for a value below the smallest normal number, which some processors replace by 0.

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
    """The value on the host, if it is there or may be read; else None."""
    if isinstance(value, float):
        return value
    return float(value) if check and has_values(value) else None
