"""Validation and conversion of arguments other than data: numbers, counts, names and flags.

Numbers, counts, flags and names are converted to Python's own float, int, bool and str, so that a hyperparameter never
decides the dtype of an array, and equal options have equal hashes.

A number is an instance of `numbers.Real`, such as Python's int and float, `fractions.Fraction`, and the scalars of
NumPy that are integers or floats. An integer is an instance of `numbers.Integral`. True, False and `decimal.Decimal`
are not accepted as numbers. Only `checked_scalar` and `checked_representable` accept a 0-d array. Both return the array
on its device, and read its value only with `check`, since reading waits for the device.
"""

import math
import numbers
import operator
from typing import Any

import numpy as np
from array_api_compat import array_namespace, is_array_api_obj

from .._types import Array
from .._words import shown, type_of
from ..backends import detached, has_values
from .arrays import check_floating_dtype, one_library_and_device

LARGEST_INTEGER = 2**63 - 1
"""The largest integer that `checked_integer` accepts."""

NOT_NUMBERS = (bool, np.timedelta64)
"""Types that the module `numbers` regards as integers and that kfgn rejects."""


def checked_number(
    name: str, value: Any, *, lower: float = 0.0, upper: float = math.inf, above: bool = False, below: bool = False
) -> float:
    """Return a finite number from `lower` to `upper` as a float.

    above: True to exclude the value `lower` from the range
    below: True to exclude the value `upper` from the range

    Raises `TypeError` for a value that is not a number, and `ValueError` for a number that is not finite or is out of
    range.
    """
    expected = _range(lower, upper, above=above, below=below)
    number = _as_float(name, value, expected)
    within = (number > lower if above else number >= lower) and (number < upper if below else number <= upper)
    if not (within and math.isfinite(number)):
        raise ValueError(f"{name}: expected {expected}, got {shown(value)}")
    return number


def checked_integer(name: str, value: Any, *, lower: int, expected: str) -> int:
    """Return an integer from `lower` to 2^63 - 1.

    Raises `TypeError` for a value that is not an integer, and `ValueError` for an integer that is out of range.
    """
    if isinstance(value, NOT_NUMBERS) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name}: expected {expected}, got {shown(value)}")
    integer = operator.index(value)
    if integer < lower:
        raise ValueError(f"{name}: expected {expected}, got {shown(value)}")
    if integer > LARGEST_INTEGER:
        raise ValueError(f"{name}: expected {expected}, at most 2^63 - 1, got {shown(value)}")
    return integer


def checked_count(name: str, value: Any) -> int:
    """Return a positive integer."""
    return checked_integer(name, value, lower=1, expected="a positive integer")


def checked_period(name: str, value: Any) -> int | None:
    """Return the period of a repeated change: a positive integer, or None if the change never happens."""
    return None if value is None else checked_integer(name, value, lower=1, expected="a positive integer or None")


def checked_seed(name: str, value: Any) -> int:
    """Return an integer of at least 0."""
    return checked_integer(name, value, lower=0, expected="an integer of at least 0")


def checked_pair(name: str, value: Any, expected: str = "a pair of numbers") -> tuple[Any, Any]:
    """Return a pair of values, which are not checked.

    Raises `TypeError` for a value that is not a tuple or list, and `ValueError` for a wrong number of elements.
    """
    if not isinstance(value, (tuple, list)):
        raise TypeError(f"{name}: expected {expected}, got {shown(value)}")
    if len(value) != 2:
        raise ValueError(f"{name}: expected {expected}, got {shown(value)}")
    return value[0], value[1]


def checked_flag(name: str, value: Any) -> bool:
    """Return True or False, from a bool of Python or NumPy. Raises `TypeError` for other values."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name}: expected True or False, got {shown(value)}")
    return bool(value)


def checked_name(name: str, value: Any, known: tuple[str, ...], kind: str = "one of") -> str:
    """Return one of the known names. Raises `ValueError` for other values, of any type."""
    if isinstance(value, str):
        for word in known:
            if word == value:
                return word
    raise ValueError(f"{name}: expected {kind} {', '.join(known)}, got {shown(value)}")


def checked_scalar(
    name: str, value: Any, like: Array, *, check: bool, of: str = "X", positive: bool = False
) -> Array | float:
    """Return a finite number or 0-d array of at least 0, or above 0 if `positive`.

    The value of a number is always checked. An array must have the library, device and dtype of `like`. The argument
    `of` is the name of `like` in messages. The value of an array is read only with `check`.
    """
    if not isinstance(value, NOT_NUMBERS) and isinstance(value, numbers.Real):
        return checked_number(name, value, above=positive)
    expected = _range(0.0, math.inf, above=positive, below=False)
    if not is_array_api_obj(value):
        raise TypeError(f"{name}: expected {expected}, possibly as a 0-d array, got {type_of(value)}")
    number: Array = value
    xp = one_library_and_device({of: like, name: number})
    check_floating_dtype(xp, {of: like, name: number})
    if number.ndim != 0:
        raise ValueError(f"{name}: expected {expected}, possibly as a 0-d array, got shape {tuple(number.shape)}")
    number = detached(number)
    if check and has_values(number):
        checked_number(name, float(number), above=positive)
    return number


def checked_representable(
    name: str, value: Array | float, like: Array, *, check: bool, positive: bool = False
) -> Array | float:
    """Return a number or 0-d array unchanged. Raises `ValueError` for a value above all numbers of the dtype of `like`.

    positive: True to raise `ValueError` also for a number below the smallest normal number, since some processors
    replace such a number by 0

    A 0-d array already has the dtype of `like`, and the value of the array is read only with `check`.
    """
    number = _read(value, check=check)
    if number is None:
        return value
    information = array_namespace(like).finfo(like.dtype)
    expected = f"{name}: expected a number that {like.dtype} can hold, got {number:g}, which is too"
    if number > float(information.max):
        raise ValueError(f"{expected} large")
    if positive and number < float(information.smallest_normal):
        raise ValueError(f"{expected} small")
    return value


def set_fields(record: Any, **values: Any) -> None:
    """Set fields of a frozen dataclass to converted values, in the `__post_init__` of the class."""
    for name, value in values.items():
        object.__setattr__(record, name, value)


def _read(value: Array | float, *, check: bool) -> float | None:
    """Return the value on the host, or None if the value is an array that must not be read or cannot be read."""
    if isinstance(value, float):
        return value
    return float(value) if check and has_values(value) else None


def _range(lower: float, upper: float, *, above: bool, below: bool) -> str:
    """Return the words that describe a range of numbers in an error message."""
    if math.isinf(upper):
        return "a finite number" if math.isinf(lower) else f"a finite number {_lower(lower, above)}"
    if above or below:
        return f"a number {_lower(lower, above)} and {f'below {upper:g}' if below else f'at most {upper:g}'}"
    return f"a number from {lower:g} to {upper:g}"


def _lower(lower: float, above: bool) -> str:
    return f"above {lower:g}" if above else f"of at least {lower:g}"


def _as_float(name: str, value: Any, expected: str) -> float:
    """Return the nearest float, or infinity for an integer or fraction outside the range of floats."""
    if isinstance(value, NOT_NUMBERS) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name}: expected {expected}, got {shown(value)}")
    try:
        return float(value)
    except OverflowError:
        return math.inf
