"""The complementary error function and the number pi, in the arithmetic of an array. NumPy has no erfc.

`math.erfc` computes the erfc of a float. For a ball, which is a number with an error bound, the method `erfc` of the
ball computes a ball that contains the result.

>>> import numpy as np
>>> from kfgn_reference._special import erfc
>>> erfc(np.array([0.0, 1.0, 10.0])).tolist()
[1.0, 0.15729920705028513, 2.088487583762545e-45]
"""

import math
from typing import Any

import numpy as np

from ._types import Array


def _erfc(x: Any) -> Any:
    return math.erfc(x) if isinstance(x, float) else x.erfc()


ERFC = np.frompyfunc(_erfc, 1, 1)
"""erfc as a ufunc, whose results have the dtype object.

A class of arrays with `__array_ufunc__` can recognise this ufunc, and compute erfc in its own arithmetic.
"""


def erfc(x: Array) -> Array:
    """2 / sqrt(pi) times the integral of e^(-t^2) from x to infinity, elementwise."""
    return np.asanyarray(ERFC(x), dtype=x.dtype)


def pi(like: Array) -> Any:
    """The number pi in the arithmetic of `like`: the nearest float64, or a ball for an array of balls."""
    return like.flat[0].pi() if like.dtype == object else math.pi
