"""Rounding of float64 numbers to fewer bits of significand, to nearest with ties to even."""

import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SIGNIFICAND = 53
"""The number of bits of a float64 significand, including the leading 1."""

SMALLEST_EXPONENT = -1021
"""The exponent that `math.frexp` returns for the smallest normal number. All smaller numbers are evenly spaced."""


ONE = np.array(1)

CUTS = {bits: (np.array(SIGNIFICAND - bits), np.array((1 << (SIGNIFICAND - bits - 1)) - 1)) for bits in (24, 40)}
"""For each supported number of bits, 24 and 40: the two integers with which `round_pattern` rounds.

The first integer is the number of dropped bits. The second integer is half the value of the last kept bit, minus 1.
"""

KEPT = {bits: np.array(-(1 << (SIGNIFICAND - bits))) for bits in CUTS}
"""For each supported number of bits: a mask of the bits of a float64 number that rounding keeps."""


def rounded(x: Floats, bits: int) -> Floats:
    """Round every element of x to 24 or 40 bits.

    The exponent and the significand of an element are read as one integer, which grows with the absolute value. A carry
    out of the significand therefore increases the exponent by 1, as correct rounding requires. Infinity and `np.nan`
    are unchanged.
    """
    return rounded_in_place(np.array(x, np.float64), bits)


def rounded_in_place(x: Floats, bits: int) -> Floats:
    """Round every element of x to 24 or 40 bits, in place."""
    pattern = x.view(np.int64)
    round_pattern(pattern, np.empty_like(pattern), bits)
    return x


def round_pattern(pattern: NDArray[np.int64], work: NDArray[np.int64], bits: int) -> None:
    """Round float64 numbers, given by their bit patterns, in place. `work` is an array for intermediate results."""
    dropped, below_half = CUTS[bits]
    np.right_shift(pattern, dropped, work)
    np.bitwise_and(work, ONE, work)  # the last kept bit, with which a tie rounds to even
    np.add(work, below_half, work)
    np.add(pattern, work, pattern)
    np.bitwise_and(pattern, KEPT[bits], pattern)


def near_tie(x: Floats, bits: int, ulps: int) -> NDArray[np.bool_]:
    """True for each element whose distance from a tie is at most `ulps` units in the last place.

    An error of this size may change the rounding of the element to `bits` bits.
    """
    dropped = SIGNIFICAND - bits
    remainder = np.asarray(x, np.float64).view(np.int64) & ((1 << dropped) - 1)
    remainder -= 1 << (dropped - 1)
    return np.asarray(np.isfinite(x) & (np.abs(remainder) <= ulps))


def nearest(x: Fraction, bits: int) -> float:
    """Round a fraction within the finite range of float64 to the nearest number with `bits` bits."""
    exponent = max(math.frexp(float(x))[1], SMALLEST_EXPONENT)
    return math.ldexp(round(x * Fraction(2) ** (bits - exponent)), exponent - bits)
