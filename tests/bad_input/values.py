"""The kinds of bad value, each with the error that it must raise.

The error is TypeError for a value of the wrong type, and ValueError for a wrong value of the right type, as in the
docstring of kfgn. `calls` has the error of a function whose docstring names another one. `roles` has the bad values of
each role of an argument.
"""

import decimal
import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

import kfgn

HUGE = 10**400


class Bad(NamedTuple):
    """A bad value with its kind and its error. by_value is True if only a call with `check=True` has to raise."""

    kind: str
    value: Any
    error: type[Exception]
    by_value: bool = False


class Odd:
    """An object of no known type, whose repr is long and of several lines."""

    def __repr__(self) -> str:
        return "odd\n" * 500


def _generator() -> Iterator[int]:
    yield 1


OBJECTS: dict[str, Any] = {
    "None": None,
    "string": "X",
    "long string": "x" * 100_000,
    "bytes": b"X",
    "object": Odd(),
    "class": float,
    "function": math.sqrt,
    "dict": {},
    "set": {1},
    "range": range(3),
    "generator": _generator(),
    "network": kfgn.Network.dense((2, 3), (), "bernoulli"),
    "module": math,
    "Ellipsis": ...,
    "NotImplemented": NotImplemented,
    "slice": slice(3),
}
"""Values that are neither a number nor an array nor a container of arrays."""

COMPLEX = {"complex": 1 + 0j, "NumPy complex": np.complex128(1)}

FLAGS = {"True": True, "NumPy's False": np.False_}

NO_NUMBERS = {
    **OBJECTS,
    **COMPLEX,
    **FLAGS,
    "list of a number": [1.0],
    "tuple of a number": (1.0,),
    "number in a string": "1.5",
    "Decimal": decimal.Decimal(1),
    "duration": np.timedelta64(1, "s"),
    "moment": np.datetime64("2017-01-01"),
    "NumPy string": np.str_("1"),
    "weights": (np.ones((2, 3)),),
}

NOT_FINITE = {
    "NaN": math.nan,
    "infinity": math.inf,
    "minus infinity": -math.inf,
    "huge": HUGE,
    "huge beyond print": 10**5000,
    "huge and negative": -HUGE,
    "huge fraction": Fraction(HUGE, 3),
    "NumPy NaN": np.float32(np.nan),
    "longdouble": np.longdouble("1e400"),
}


def each(values: dict[str, Any], error: type[Exception], by_value: bool = False) -> Iterator[Bad]:
    for kind, value in values.items():
        yield Bad(kind, value, error, by_value)
