"""Elementary functions, rounded correctly to fewer bits than float64 has.

NumPy's functions have errors of a few units in the last place of float64, and these errors differ between processors.
Rounding to fewer bits hides the errors, unless a value is near a tie of this rounding. A value near a tie is computed
in decimal arithmetic.
"""

from collections.abc import Callable
from decimal import Context, Decimal, localcontext
from fractions import Fraction

import numpy as np

from .rounding import Floats, near_tie, nearest, rounded

ULPS = 64
"""An upper bound of the errors of NumPy's functions, in units in the last place. No error above 5 is known."""

DIGITS = 80
"""The number of digits in decimal arithmetic, which decides every rounding to 40 bits except at an exact tie."""


def _expm1(x: Decimal) -> Decimal:
    return x.exp() - 1


def _log1p(x: Decimal) -> Decimal:
    return (1 + x).ln()


def _tanh(x: Decimal) -> Decimal:
    e = (-2 * abs(x)).exp()
    return ((1 - e) / (1 + e)).copy_sign(x)


def _cosh(x: Decimal) -> Decimal:
    return (x.exp() + (-x).exp()) / 2


EXACT: dict[np.ufunc, Callable[[Decimal], Decimal]] = {
    np.exp: Decimal.exp,
    np.expm1: _expm1,
    np.log: Decimal.ln,
    np.log1p: _log1p,
    np.tanh: _tanh,
    np.cosh: _cosh,
}
"""The supported functions in decimal arithmetic, each accurate to `DIGITS` digits."""


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
