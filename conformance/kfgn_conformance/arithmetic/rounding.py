"""Rounding float64 numbers to fewer bits of significand, to nearest with ties to even."""

import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SIGNIFICAND = 53
"""The bits of a float64 significand, with the leading one."""

SMALLEST_EXPONENT = -1021
"""The exponent that `math.frexp` gives for the smallest normal number. The spacing of float64 is constant below it."""


ONE = np.array(1)

CUTS = {bits: (np.array(SIGNIFICAND - bits), np.array((1 << (SIGNIFICAND - bits - 1)) - 1)) for bits in (24, 40)}
"""For each precision the number of bits that are dropped, and one less than half of the last bit that is kept."""

KEPT = {bits: np.array(-(1 << (SIGNIFICAND - bits))) for bits in CUTS}
"""For each precision a mask of the bits that are kept."""


def rounded(x: Floats, bits: int) -> Floats:
    """Round every element to so many bits, 24 or 40.

    The bits of a float64 are read as an integer, which grows with the number. So a carry out of the significand raises
    the exponent, as it should. Infinity and NaN stay what they are.
    """
    return rounded_in_place(np.array(x, np.float64), bits)


def rounded_in_place(x: Floats, bits: int) -> Floats:
    """Round every element of an array that nothing else uses."""
    pattern = x.view(np.int64)
    round_pattern(pattern, np.empty_like(pattern), bits)
    return x


def round_pattern(pattern: NDArray[np.int64], carried: NDArray[np.int64], bits: int) -> None:
    """Round the numbers of these bit patterns in place. `carried` is an array to compute in."""
    dropped, below_half = CUTS[bits]
    np.right_shift(pattern, dropped, carried)
    np.bitwise_and(carried, ONE, carried)  # makes the last bit even at a tie
    np.add(carried, below_half, carried)
    np.add(pattern, carried, pattern)
    np.bitwise_and(pattern, KEPT[bits], pattern)


def near_tie(x: Floats, bits: int, ulps: int) -> NDArray[np.bool_]:
    """True where x is so near to a tie that an error of this many last places may change its rounding."""
    dropped = SIGNIFICAND - bits
    remainder = np.asarray(x, np.float64).view(np.int64) & ((1 << dropped) - 1)
    remainder -= 1 << (dropped - 1)
    return np.asarray(np.isfinite(x) & (np.abs(remainder) <= ulps))


def nearest(x: Fraction, bits: int) -> float:
    """The number of this many bits that is nearest to an exact one, within the range of float64's finite numbers."""
    exponent = max(math.frexp(float(x))[1], SMALLEST_EXPONENT)
    return math.ldexp(round(x * Fraction(2) ** (bits - exponent)), exponent - bits)
