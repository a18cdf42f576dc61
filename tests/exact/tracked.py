"""A rational number that knows whether float64 computes it without rounding."""

import math
from fractions import Fraction

import numpy as np


def exponent(value):
    """The exponent e of a value k 2^-e in lowest terms, or None if the value is not dyadic."""
    power = value.denominator
    return power.bit_length() - 1 if power & (power - 1) == 0 else None


def elementwise(operation):
    """An operation of two `Tracked` numbers, one of which may be an integer. NumPy applies it to arrays."""

    def operate(self, other):
        return NotImplemented if isinstance(other, np.ndarray) else operation(self, Tracked.of(other))

    return operate


class Tracked:
    """A rational number with a proof that float64 computes it without rounding, for any order of additions.

    value: the number
    size:  the sum of |term| over the terms of the sum that gave the number
    grid:  every one of these terms is a multiple of 2^-grid
    bits:  the largest number of bits of this number and of all its intermediate results, infinite if one is not dyadic

    For any order of additions in BLAS, with or without fused multiply-add, each intermediate result is a sum of some
    of the terms. It is a multiple of 2^-grid and at most `size`, so it has at most as many bits as the integer
    size 2^grid. Factors of products and quotients are stored numbers, never parts of a sum, so the count starts again
    there. This is a proof, and 53 bits need no margin.
    """

    __slots__ = ("bits", "grid", "size", "value")

    def __init__(self, value, size, grid, bits):
        self.value, self.size, self.grid, self.bits = value, size, grid, bits

    @classmethod
    def stored(cls, value, bits=0):
        """The result of one operation on numbers of at most `bits` bits, or a number of the problem."""
        grid = exponent(value)
        if grid is None:
            return cls(value, abs(value), 0, math.inf)
        return cls(value, abs(value), grid, max(bits, value.numerator.bit_length()))

    @classmethod
    def made(cls, numerator, denominator):
        return cls.stored(Fraction(numerator, denominator))

    @classmethod
    def of(cls, other):
        return other if isinstance(other, cls) else cls.stored(Fraction(int(other)))

    @elementwise
    def __add__(self, other):
        size, grid = self.size + other.size, max(self.grid, other.grid)
        bits = max(self.bits, other.bits, int(size * 2**grid).bit_length())
        return Tracked(self.value + other.value, size, grid, bits)

    @elementwise
    def __mul__(self, other):
        return self.stored(self.value * other.value, max(self.bits, other.bits))

    @elementwise
    def __truediv__(self, other):
        """IEEE division rounds the exact quotient, without an error if the quotient is dyadic and has few bits."""
        return self.stored(self.value / other.value, max(self.bits, other.bits))

    def __neg__(self):
        return Tracked(-self.value, self.size, self.grid, self.bits)

    @elementwise
    def __sub__(self, other):
        return self + -other

    @elementwise
    def __rsub__(self, other):
        return other + -self

    @elementwise
    def __rtruediv__(self, other):
        return other / self

    def __pow__(self, power):
        assert power == 2  # the only power of a rational in the reference
        return self * self

    __radd__ = __add__
    __rmul__ = __mul__

    @elementwise
    def __gt__(self, other):
        return self.value > other.value

    @elementwise
    def __lt__(self, other):
        return self.value < other.value
