"""Options of a layer that have a number for each axis of positions: an int for one axis, and a pair for two axes."""

from collections.abc import Sequence
from typing import Any, TypeAlias

from .._validation.scalars import checked_count, checked_integer, checked_pair
from .._words import shown

PerAxis: TypeAlias = int | tuple[int, int]
"""An int for positions along one axis, and a pair of int for two axes."""


def per_axis(value: PerAxis) -> tuple[int, ...]:
    """An option as a tuple, with one number per axis."""
    return (value,) if isinstance(value, int) else value


def checked_per_axis(name: str, value: Any, like: PerAxis | None = None) -> PerAxis:
    """Return a positive int or a pair of positive int.

    like: the checked width of the layer; None if `value` is the width itself, or if a pooling has the width None. If
          the width is a pair, a single int holds for both axes.
    """
    if not isinstance(value, (tuple, list)):
        number = checked_count(name, value)
        return (number, number) if isinstance(like, tuple) else number
    if isinstance(like, int):
        raise TypeError(f"{name}: expected a positive integer, since width {like} is for one axis, got {shown(value)}")
    first, second = checked_pair(name, value, "a positive integer or a pair of them")
    return checked_count(name, first), checked_count(name, second)


def checked_padding(name: str, value: Any, like: PerAxis) -> tuple[Any, Any]:
    """Return (left, right) if the width `like` is an int, and ((top, bottom), (left, right)) if it is a pair."""
    if isinstance(like, int):
        return _ends(name, value, "a pair (left, right) of integers from 0")
    expected = "pairs ((top, bottom), (left, right)) of integers from 0"
    pair = checked_pair(name, value, expected)
    if all(type(n) is int and n == 0 for n in pair):  # the default
        return (0, 0), (0, 0)
    return _ends(name, pair[0], expected), _ends(name, pair[1], expected)


def check_positions(lengths: Sequence[int]) -> None:
    """Raise `ValueError` if there are no axes of positions."""
    if not lengths:
        raise ValueError("inputs: expected inputs with positions, got a vector")


def check_axes(width: PerAxis, lengths: Sequence[int]) -> None:
    """Raise `ValueError` if there are no axes of positions, or if the width does not have one number per axis."""
    check_positions(lengths)
    if len(per_axis(width)) != len(lengths):
        n = "1 number" if len(lengths) == 1 else "2 numbers"
        raise ValueError(f"width: expected {n}, one per axis of positions, got {width}")


def _ends(name: str, value: Any, expected: str) -> tuple[int, int]:
    first, second = checked_pair(name, value, expected)
    return tuple(checked_integer(name, n, lower=0, expected=expected) for n in (first, second))  # type: ignore[return-value]
