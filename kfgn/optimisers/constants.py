"""What is asked of the constants of an optimiser, which are Python numbers."""

import math
import numbers
from typing import Any


def checked_number(name: str, value: Any, *, least: float = 0.0, most: float = math.inf, open_: bool = False) -> None:
    """A number from `least`, or above it if `open_`, to `most`: `TypeError` for no number, `ValueError` for others."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name}: expected a number, got {value!r}")
    number = float(value)
    within = (least < number if open_ else least <= number) and number <= most
    if not (within and math.isfinite(number)):
        lower = f"above {least:g}" if open_ else f"from {least:g}"
        upper = "" if math.isinf(most) else f" to {most:g}"
        raise ValueError(f"{name}: expected a number {lower}{upper}, got {value!r}")


def checked_pair(name: str, value: Any) -> tuple[Any, Any]:
    """Two of something: `TypeError` for what is no pair."""
    if not isinstance(value, tuple) or len(value) != 2:
        raise TypeError(f"{name}: expected a pair of numbers, got {value!r}")
    return value


def checked_period(name: str, value: Any) -> None:
    """A positive integer, or None for never."""
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name}: expected a positive integer, or None for never, got {value!r}")
    if value < 1:
        raise ValueError(f"{name}: expected a positive integer, or None for never, got {value!r}")
