"""The kinds of bad value, by the role of an argument, each with the error that it must raise.

A role is a function of the library and of a good value. It yields a `Bad` for each kind. The error is TypeError for a
value of the wrong type, and ValueError for a wrong value of the right type, as in the docstring of kfgn. `calls` has
the error of a function whose docstring names another one.
"""

import decimal
import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

import kfgn

from .libraries import Library

HUGE = 10**400


class Bad(NamedTuple):
    """A bad value: its kind, the value, the error, and whether only `check=True` must notice."""

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
"""Values that are no number, no array and no container of arrays."""

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


def _each(values: dict[str, Any], error: type[Exception], by_value: bool = False) -> Iterator[Bad]:
    for kind, value in values.items():
        yield Bad(kind, value, error, by_value)


def array(library: Library, good: Any) -> Iterator[Bad]:
    """The role of an array of real numbers."""
    x = library.backend.to_numpy(good)
    yield from _array(library, x, library.dtypes(x) | {"int64": library(x.astype("int64"))})
    yield Bad("float32", library(x.astype("float32")), TypeError)
    for kind in ("NaN", "infinity", "minus infinity"):
        yield Bad(kind, library(_with(x, NOT_FINITE[kind])), ValueError, by_value=True)


def indices(library: Library, good: Any) -> Iterator[Bad]:
    """The role of an array of indices of 3 classes."""
    x = library.backend.to_numpy(good)
    yield from _array(library, x, library.dtypes(x) | {"float64": library(x.astype("float64"))})
    for kind, value in {"negative": -1, "a class too many": 3, "huge": 2**40, "least": -(2**63)}.items():
        yield Bad(kind, library(_with(x, value)), ValueError, by_value=True)


def batch(library: Library, good: Any) -> Iterator[Bad]:
    """The role of X, with whose number of rows the others are compared."""
    for bad in array(library, good):
        if bad.kind != "a row less":
            yield bad


def unread(role: Callable[[Library, Any], Iterator[Bad]]) -> Callable[[Library, Any], Iterator[Bad]]:
    """The role of an array whose values are not checked."""
    return lambda library, good: (bad for bad in role(library, good) if not bad.by_value)


def samples(role: Callable[[Library, Any], Iterator[Bad]]) -> Callable[[Library, Any], Iterator[Bad]]:
    """The role of an array (N, S, ...), where S may be any number."""

    def with_any_number(library: Library, good: Any) -> Iterator[Bad]:
        return (bad for bad in role(library, good) if good.ndim > 2 or not bad.kind.startswith("a column"))

    return with_any_number


def square(library: Library, good: Any) -> Iterator[Bad]:
    """The role of a square matrix."""
    for bad in array(library, good):
        if bad.kind not in ("transposed", "a row and a column less"):
            yield bad


def _array(library: Library, x: np.ndarray, dtypes: dict[str, Any]) -> Iterator[Bad]:
    scalars = COMPLEX | FLAGS
    if library.name == "numpy":  # to NumPy its scalars are arrays, of a wrong dtype and a wrong shape
        scalars = {kind: value for kind, value in scalars.items() if not isinstance(value, np.generic)}
    yield from _each(OBJECTS | scalars, TypeError)
    yield from _each({"number": 1.0, "nested list": x.tolist(), "ragged list": [[1.0], [1.0, 2.0]]}, TypeError)
    yield from _each({"memoryview": memoryview(np.ascontiguousarray(x)), "tuple of an array": (x,)}, TypeError)
    yield from _each(library.odd(x), TypeError)
    yield from _each({f"dtype {name}": value for name, value in dtypes.items()}, TypeError)
    if (moved := library.elsewhere(x)) is not None:
        yield Bad("another device", moved, ValueError)
    if library.name == "numpy":
        yield Bad("NumPy scalar", x.ravel()[0], ValueError)
    shapes = {
        "0-d": x.ravel()[0],
        "raveled": x.ravel() if x.ndim > 1 else None,
        "an axis more": x[None],
        "an axis more, last": x[..., None],
        "a row less": x[1:],
        "a row twice": np.concatenate([x, x[:1]]) if x.ndim > 2 else None,
        "a column less": x[..., 1:] if x.ndim > 1 else None,
        "a column more": np.concatenate([x, x[..., :1]], axis=-1) if x.ndim > 1 else None,
        "transposed": x.T if x.ndim > 1 else None,
        "empty": x[:0],
        "no columns": x[..., :0] if x.ndim > 1 else None,
        "one row": x[0] if x.ndim > 1 else None,
        "32 axes": x.reshape(x.shape + (1,) * (32 - x.ndim)),
    }
    for kind, value in shapes.items():
        if value is not None and value.shape != x.shape:
            yield Bad(kind, library(value), ValueError)


def _with(x: np.ndarray, value: Any) -> np.ndarray:
    """With the value as the last element, where a look at the first would miss it."""
    x = x.copy()
    x[(-1,) * x.ndim] = value
    return x


def arrays(library: Library, good: Any) -> Iterator[Bad]:
    """The role of a tuple with an array for each layer."""
    yield from _each(OBJECTS | COMPLEX | FLAGS, TypeError)
    yield from _each({"one array": good[0], "number": 1.0, "object array": np.array([None] * 2)}, TypeError)
    yield from _each({"by layer": dict(enumerate(good)), "iterator": iter(good)}, TypeError)
    for kind, value in {"none": (), "one less": good[:1], "one more": (*good, good[0]), "twice": good * 2}.items():
        yield Bad(kind, value, ValueError)
    for l, one in enumerate(good):
        for bad in array(library, one):
            yield bad._replace(kind=f"{bad.kind} in place {l + 1}", value=(*good[:l], bad.value, *good[l + 1 :]))


def squares(library: Library, good: Any) -> Iterator[Bad]:
    """The role of a tuple with a square matrix for each layer."""
    for bad in arrays(library, good):
        if "transposed" not in bad.kind:
            yield bad


def number(_library: Library, _good: Any) -> Iterator[Bad]:
    """The role of a hyperparameter from 0."""
    yield from _each(NO_NUMBERS, TypeError)
    yield from _each({"0-d array": np.asarray(1.0), "0-d integer": np.asarray(1), "array": np.ones(2)}, TypeError)
    yield from _each(NOT_FINITE | {"negative": -1, "negative and small": -1e-300}, ValueError)


def positive(library: Library, good: Any) -> Iterator[Bad]:
    """The role of a number above 0."""
    yield from number(library, good)
    yield from _each({"zero": 0, "minus zero": -0.0, "fraction that is 0": Fraction(1, HUGE)}, ValueError)


def part(library: Library, good: Any) -> Iterator[Bad]:
    """The role of a number from 0 to 1."""
    yield from number(library, good)
    yield from _each({"two": 2, "above 1": 1 + 1e-9}, ValueError)


def below_one(library: Library, good: Any) -> Iterator[Bad]:
    """The role of a number from 0 to below 1."""
    yield from part(library, good)
    yield Bad("one", 1.0, ValueError)


def optional(role: Callable[[Library, Any], Iterator[Bad]]) -> Callable[[Library, Any], Iterator[Bad]]:
    """The role of an argument that may be None."""
    return lambda library, good: (bad for bad in role(library, good) if bad.value is not None)


def scalar(library: Library, _good: Any) -> Iterator[Bad]:
    """The role of a number from 0, or a 0-d array of the library."""
    yield from _each(NO_NUMBERS, TypeError)
    yield from _each(NOT_FINITE | {"negative": -1, "negative and small": -1e-300}, ValueError)
    yield from _each({"0-d float32": library(np.float32(1)), "0-d int64": library(1)}, TypeError)
    yield from _each({"0-d complex": library(1j), "0-d of another": library.foreign(np.asarray(1.0))}, TypeError)
    for kind, value in {"0-d NaN": math.nan, "0-d infinity": math.inf, "0-d negative": -1.0}.items():
        yield Bad(kind, library(value), ValueError, by_value=True)
    for kind, value in {"1-d": np.ones(1), "2-d": np.ones((2, 2)), "empty": np.ones(0)}.items():
        yield Bad(kind, library(value), ValueError)


def damping(library: Library, good: Any) -> Iterator[Bad]:
    """The role of a number above 0, or a 0-d array of the library."""
    yield from scalar(library, good)
    yield Bad("zero", 0, ValueError)
    yield Bad("0-d zero", library(0.0), ValueError, by_value=True)


def count(_library: Library, _good: Any) -> Iterator[Bad]:
    """The role of a positive integer."""
    yield from seed(_library, _good)
    yield Bad("zero", 0, ValueError)


def seed(_library: Library, _good: Any) -> Iterator[Bad]:
    """The role of an integer from 0."""
    yield from _each(NO_NUMBERS, TypeError)
    fractional = {"half": 1.5, "float": 2.0, "NaN": math.nan, "infinity": math.inf, "NumPy float": np.float64(2)}
    yield from _each(fractional | {"fraction": Fraction(2), "number in text": "3"}, TypeError)
    yield from _each({"0-d array": np.asarray(3), "array": np.arange(3)}, TypeError)
    huge = {"huge": HUGE, "huge beyond print": 10**5000, "huge and negative": -HUGE, "2^63": 2**63}
    yield from _each(huge | {"2^64": 2**64, "negative": -1, "NumPy negative": np.int8(-1)}, ValueError)


def flag(_library: Library, _good: Any) -> Iterator[Bad]:
    """The role of True or False."""
    yield from _each(OBJECTS | COMPLEX, TypeError)
    yield from _each({"0": 0, "1": 1, "NumPy 1": np.int64(1), "1.0": 1.0, "NaN": math.nan, "yes": "yes"}, TypeError)
    yield from _each({"array": np.array([True]), "0-d array": np.array(True), "list": [True]}, TypeError)


def name(_library: Library, good: Any) -> Iterator[Bad]:
    """The role of a known name: every other value is unknown."""
    yield from _each(OBJECTS | COMPLEX | FLAGS, ValueError)
    odd = {"empty": "", "upper case": good.upper(), "space": f"{good} ", "zero": f"{good}\0", "line": f"{good}\n"}
    yield from _each(odd | {"surrogate": "\udc80", "markup": f"[{good}]", "accent": f"{good}\u0301"}, ValueError)
    yield from _each({"bytes of it": good.encode(), "list of it": [good], "tuple of it": (good,)}, ValueError)
    yield from _each({"array of it": np.array(good), "number": 3, "NaN": math.nan}, ValueError)
    yield Bad("1-d array of it", np.array([good]), ValueError)


def network(_library: Library, _good: Any) -> Iterator[Bad]:
    """The role of a network."""
    others = {kind: value for kind, value in OBJECTS.items() if kind != "network"}
    fields = {"fields": ((2, 4, 3), ("tanh",), "bernoulli"), "the class": kfgn.Network, "Damping": kfgn.Damping(1.0, 5)}
    yield from _each(others | COMPLEX | FLAGS | fields | {"number": 1.0, "array": np.ones(3)}, TypeError)


def record(_library: Library, _good: Any) -> Iterator[Bad]:
    """The role of a record of kfgn: an optimiser's curvature or damping, or a state."""
    others = {"number": 1.0, "name": "kfra", "array": np.ones(3), "fields": (1.0, 5)}
    yield from _each(OBJECTS | COMPLEX | FLAGS | others, TypeError)


def widths(_library: Library, _good: Any) -> Iterator[Bad]:
    """The role of the widths of a network."""
    wrong = {k: v for k, v in OBJECTS.items() if k not in ("string", "long string", "range", "generator")}
    yield from _each(wrong | COMPLEX | FLAGS, TypeError)
    yield from _each({"number": 3, "float": (2, 3.0, 3), "True": (2, True, 3), "nested": ((2, 4, 3),)}, TypeError)
    yield from _each({"names": ("2", "4", "3"), "mapping": {2: 4, 3: 3}, "bytes of them": b"\2\4\3"}, TypeError)
    yield from _each({"2-d": np.ones((3, 3), int), "0-d": np.asarray(3), "None in it": (2, None, 3)}, TypeError)
    yield from _each({"string": "243", "zero": (2, 0, 3), "negative": (2, -4, 3), "huge": (2, HUGE, 3)}, ValueError)
    yield from _each({"empty": (), "one": (2,), "one more": (2, 4, 4, 3), "empty string": ""}, ValueError)


def transfers(_library: Library, _good: Any) -> Iterator[Bad]:
    """The role of the transfer functions of a network."""
    wrong = {k: v for k, v in OBJECTS.items() if k not in ("string", "long string", "range", "generator")}
    yield from _each(wrong | COMPLEX | FLAGS, TypeError)
    yield from _each({"number": 3, "set of them": {"tanh"}, "mapping": {"tanh": 0}}, TypeError)
    yield from _each(
        {"string": "tanh", "unknown": ("Tanh",), "None in it": (None,), "function": (np.tanh,)}, ValueError
    )
    yield from _each({"none": (), "two": ("tanh", "tanh"), "nested": (("tanh",),), "number in it": (3,)}, ValueError)
    yield from _each({"array in it": (np.array("tanh"),), "bytes in it": (b"tanh",)}, ValueError)


def pair(_library: Library, _good: Any) -> Iterator[Bad]:
    """The role of two numbers, the first no larger than the second."""
    yield from _each(OBJECTS | COMPLEX | FLAGS | {"number": 0.75}, TypeError)
    yield from _each({"names": ("a", "b"), "None in it": (None, 0.5), "True": (True, True)}, TypeError)
    yield from _each({"array": np.ones(2), "arrays": (np.ones(1), np.ones(1)), "nested": ((0.5, 0.5), 0.5)}, TypeError)
    yield from _each({"one": (0.5,), "three": (0.5, 0.5, 0.5), "empty": (), "turned": (0.8, 0.2)}, ValueError)
    yield from _each({"NaN": (math.nan, 0.5), "infinity": (0.5, math.inf), "negative": (-1, 0.5)}, ValueError)


def nothing(library: Library, _good: Any) -> Iterator[Bad]:
    """The role of draws where nothing is sampled."""
    given = {kind: value for kind, value in OBJECTS.items() if value is not None}
    yield from _each(given | {"array": library(np.ones((7, 3))), "number": 1.0, "True": True}, ValueError)


def path(_library: Library, _good: Any) -> Iterator[Bad]:
    """The role of the path of a file or a folder."""
    wrong = {kind: value for kind, value in OBJECTS.items() if not isinstance(value, str)}
    yield from _each(wrong | COMPLEX | FLAGS | {"number": 3, "list": ["a"], "array": np.ones(3)}, TypeError)
    yield from _each({"empty": "", "zero in it": "a\0b"}, ValueError)


def text(_library: Library, good: Any) -> Iterator[Bad]:
    """The role of a name that is looked up later."""
    wrong = {kind: value for kind, value in OBJECTS.items() if not isinstance(value, str)}
    yield from _each(wrong | COMPLEX | FLAGS | {"number": 3, "list": [good], "array": np.array([good])}, TypeError)


def folder(_library: Library, _good: Any) -> Iterator[Bad]:
    """The role of a folder that is read only if the data set has files."""
    for bad in path(_library, _good):
        if bad.error is TypeError:
            yield bad


def finite(_library: Library, _good: Any) -> Iterator[Bad]:
    """The role of a number whose range is checked later."""
    for bad in number(_library, _good):
        if not bad.kind.startswith("negative"):
            yield bad


def rate(library: Library, good: Any) -> Iterator[Bad]:
    """The role of a number above 0 and at most 1."""
    yield from part(library, good)
    yield Bad("zero", 0, ValueError)
