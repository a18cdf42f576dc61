"""Elementary functions, rounded correctly to fewer bits than float64 has.

NumPy's functions have errors of a few units in the last place of float64, and these errors differ between processors.
Rounding to fewer bits hides the errors, unless a value is near a tie. A tie is a number halfway between two
neighbouring rounded numbers. A value near a tie is computed in decimal arithmetic.
"""

from collections.abc import Callable
from decimal import Context, Decimal, localcontext
from fractions import Fraction

import numpy as np
from kfgn_reference._special import ERFC

from .rounding import Floats, near_tie, nearest, rounded

ULPS = 64
"""An upper bound of the errors of NumPy's functions, in units in the last place. No error above 5 units is known."""

DIGITS = 80
"""The number of digits in decimal arithmetic.

This precision decides every rounding to 40 bits, except at an exact tie.
"""


def _expm1(x: Decimal) -> Decimal:
    return x.exp() - 1


def _log1p(x: Decimal) -> Decimal:
    return (1 + x).ln()


def _tanh(x: Decimal) -> Decimal:
    e = (-2 * abs(x)).exp()
    return ((1 - e) / (1 + e)).copy_sign(x)


def _cosh(x: Decimal) -> Decimal:
    return (x.exp() + (-x).exp()) / 2


def _pi() -> Decimal:
    """The number pi to the precision of the context, by the iteration of Gauss and Legendre."""
    a, b, t, p = Decimal(1), 1 / Decimal(2).sqrt(), Decimal(1) / 4, 1
    for _ in range(12):
        a, b, t, p = (a + b) / 2, (a * b).sqrt(), t - p * ((a - b) / 2) ** 2, 2 * p
    return (a + b) ** 2 / (4 * t)


def _erfc(x: Decimal) -> Decimal:
    """Return 1 - erf(x), where erf(x) is computed by a series of positive terms.

    erf(x) = 2 x / sqrt(pi) e^(-x^2) (1 + 2 x^2 / 3 + (2 x^2)^2 / (3 5) + ...)

    The subtraction 1 - erf(x) loses digits, so the series is computed with more digits than the result needs.
    """
    with localcontext(prec=2 * DIGITS + int(x * x / 2)):
        total, term, n = Decimal(1), Decimal(1), 1
        while term > total.scaleb(-2 * DIGITS - int(x * x / 2)):
            term *= 2 * x * x / (2 * n + 1)
            total, n = total + term, n + 1
        return 1 - 2 * x * (-x * x).exp() * total / _pi().sqrt()


EXACT: dict[np.ufunc, Callable[[Decimal], Decimal]] = {
    np.exp: Decimal.exp,
    np.expm1: _expm1,
    np.log: Decimal.ln,
    np.log1p: _log1p,
    np.tanh: _tanh,
    np.cosh: _cosh,
    ERFC: _erfc,
}
"""The supported functions in decimal arithmetic, in which every operation has at least `DIGITS` digits."""


def elementary(function: np.ufunc, x: Floats, bits: int) -> Floats:
    """Compute function(x) for every element of x, and round the result to `bits` bits.

    Every element of x has at most `bits` bits of significand.
    """
    values = np.asarray(function(x), np.float64)
    close = near_tie(values, bits, ULPS)
    if np.any(close):
        values = values.copy()
        for i in np.flatnonzero(close):
            values.flat[i] = exactly(function, float(x.flat[i]), bits)
    return rounded(values, bits)


def exactly(function: np.ufunc, x: float, bits: int) -> float:
    """Compute function(x) for one number x in decimal arithmetic, and round the result to `bits` bits."""
    with localcontext(Context(prec=DIGITS)):
        return nearest(Fraction(EXACT[function](Decimal(x))), bits)
