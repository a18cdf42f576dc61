"""What is asked of arguments that are no data: counts, names and single numbers."""

import math
import numbers
import operator
from typing import Any

from array_api_compat import is_array_api_obj

from ._types import Array
from .backends import detached, has_values
from .expectations import floating, one_library_and_device, type_of


def checked_count(name: str, n: Any) -> int:
    """A positive integer: `TypeError` for what is no integer, `ValueError` for what is not positive."""
    try:
        count = operator.index(n)
    except TypeError:
        raise TypeError(f"{name}: expected a positive integer, got {n!r}") from None
    if count < 1:
        raise ValueError(f"{name}: expected a positive integer, got {n!r}")
    return count


def checked_name(name: str, value: Any, known: tuple[str, ...]) -> None:
    """`ValueError` for a name that is not known."""
    if value not in known:
        raise ValueError(f"{name}: unknown name {value!r}; known: {', '.join(known)}")


def checked_scalar(
    name: str, value: Any, like: Array, *, check: bool, of: str = "X", positive: bool = False
) -> Array | float:
    """A finite number that is not negative, or positive: Python's, whose value is always checked, or a 0-d array."""
    expected = "a positive number" if positive else "a number from 0"
    if not isinstance(value, bool) and isinstance(value, numbers.Real):
        _number(name, float(value), expected, positive=positive)
        return float(value)
    if not is_array_api_obj(value):
        raise TypeError(f"{name}: expected {expected}, or one as a 0-d array, got {type_of(value)}")
    number: Array = value
    xp = one_library_and_device({of: like, name: number})
    floating(xp, {of: like, name: number})
    if number.ndim != 0:
        raise ValueError(f"{name}: expected {expected} or a 0-d array, got shape {tuple(number.shape)}")
    number = detached(number)
    if check and has_values(number):
        _number(name, float(number), expected, positive=positive)
    return number


def _number(name: str, value: float, expected: str, *, positive: bool) -> None:
    if not (math.isfinite(value) and (value > 0 if positive else value >= 0)):
        raise ValueError(f"{name}: expected {expected}, got {value}")
