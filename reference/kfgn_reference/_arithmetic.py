"""Constants in the arithmetic of the arrays with which they are combined, so that exact arrays stay exact.

>>> from fractions import Fraction
>>> import numpy as np
>>> from kfgn_reference._arithmetic import one, rational
>>> one(np.array([Fraction(1, 3)])), rational(3, 4, 2.0)
(array([Fraction(1, 1)], dtype=object), 0.75)
"""

from typing import Any

import numpy as np

from ._types import Array


def one(h: Array) -> Array:
    """Ones in the arithmetic of a finite `h`.

    For rationals, `np.ones_like` would give the int 1 of Python, and the quotient 1 / 10 of two ints is a float.
    """
    return h * 0 + 1


def zero(h: Array) -> Array:
    """Zeros in the arithmetic of a finite `h`."""
    return h * 0


def diagonal(v: Array) -> Array:
    """diag(v) in the arithmetic of a finite `v`.

    For rationals, `np.diag` would give the int 0 of Python off the diagonal, and the quotient 0 / 3 is a float.
    """
    return np.eye(len(v), dtype=bool) * v


def off_diagonal(v: Array) -> Array:
    """The boolean matrix (D, D), True off its diagonal. Its product with an array has the arithmetic of the array."""
    return ~np.eye(len(v), dtype=bool)


def rational(numerator: int, denominator: int, like: Any) -> Any:
    """numerator / denominator in the arithmetic of the scalar `like`."""
    return (like * 0 + numerator) / denominator


def times_fraction(h: Array, numerator: int, denominator: int) -> Array:
    """h * numerator / denominator. If the numerator is 1, h is only divided: h times 1/10 is h / 10."""
    return (h if numerator == 1 else h * numerator) / denominator


def unit_roundoff(like: Any) -> Any:
    """The unit roundoff u = |3 (4/3 - 1) - 1| / 2 as computed: 2^-53 in float64, 2^-24 in float32, 0 for rationals."""
    return abs(3 * (rational(4, 3, like) - 1) - 1) / 2
