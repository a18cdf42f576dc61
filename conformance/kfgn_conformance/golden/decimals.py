"""Conversion of balls to decimal digits with a common radius, and to float64 numbers.

A ball is an interval that contains the exact value of an element.
"""

from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from ..problems.problem import Array

DIGITS = 36
"""The number of digits in which the largest element of an array is written.

All elements of the array have the same last decimal place as the largest element.
"""


def each(f: Callable[[Any], Any], array: Array) -> Array:
    """Apply f to every element. Returns an array of objects of the same shape, also for a 0-d array."""
    return np.asarray(np.frompyfunc(f, 1, 1)(array), dtype=object)


def in_decimals(balls: Array, integers: bool) -> dict[str, Any]:
    """Convert an array of balls to decimals with one radius for all elements, and to the nearest float64 numbers.

    integers: True for an array of class indices instead of balls; the radius is then 0
    """
    if integers:
        return {"decimals": each(str, balls).tolist(), "radius": "0", "float64": balls.tolist()}
    from ..certified import bounds

    low, high = bounds(balls)
    centres = np.asarray((low + high) / 2, dtype=object)
    quantum = decimal_quantum(max((abs(centre) for centre in centres.flat), default=Fraction(0)))
    decimals = each(lambda centre: decimal(centre, quantum), centres)
    printed = each(Fraction, decimals)
    edges = np.asarray(np.maximum(abs(printed - low), abs(high - printed)), dtype=object)
    return {
        "decimals": each(without_exponent, decimals).tolist(),
        "radius": rounded_up(max(edges.flat, default=Fraction(0))),
        "float64": each(float, centres).tolist(),
    }


def decimal_quantum(largest: Fraction) -> Decimal:
    """The unit of the last decimal place, such that the largest element has `DIGITS` digits."""
    exponent = Decimal(largest.numerator) / Decimal(largest.denominator) if largest else Decimal(1)
    return Decimal(1).scaleb(exponent.adjusted() - DIGITS + 1)


def decimal(x: Fraction, quantum: Decimal) -> Decimal:
    """Round x to a multiple of the quantum."""
    context = Context(prec=4 * DIGITS, rounding=ROUND_HALF_EVEN)
    return context.quantize(context.divide(Decimal(x.numerator), Decimal(x.denominator)), quantum)


def without_exponent(x: Decimal) -> str:
    """The digits of x without an exponent and without trailing zeros after the point."""
    text = format(x, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) if x else "0"


def rounded_up(radius: Fraction) -> str:
    """An upper bound of the radius with two digits, at most about a tenth above the radius."""
    if radius == 0:
        return "0"
    text = f"{float(radius * Fraction(21, 20)):.1e}"
    assert Fraction(Decimal(text)) >= radius
    return text
