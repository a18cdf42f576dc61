"""Roles of numbers, counts and 0-d arrays."""

import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from ..libraries import Library
from ..values import COMPLEX, FLAGS, HUGE, NO_NUMBERS, NOT_FINITE, OBJECTS, Bad, each


def number(_library: Library, _good: Any) -> Iterator[Bad]:
    """The role of a hyperparameter from 0."""
    yield from each(NO_NUMBERS, TypeError)
    yield from each({"0-d array": np.asarray(1.0), "0-d integer": np.asarray(1), "array": np.ones(2)}, TypeError)
    yield from each(NOT_FINITE | {"negative": -1, "negative and small": -1e-300}, ValueError)


def positive(library: Library, good: Any) -> Iterator[Bad]:
    """The role of a number above 0."""
    yield from number(library, good)
    yield from each({"zero": 0, "minus zero": -0.0, "fraction that is 0": Fraction(1, HUGE)}, ValueError)


def part(library: Library, good: Any) -> Iterator[Bad]:
    """The role of a number from 0 to 1."""
    yield from number(library, good)
    yield from each({"two": 2, "above 1": 1 + 1e-9}, ValueError)


def below_one(library: Library, good: Any) -> Iterator[Bad]:
    """The role of a number from 0 to below 1."""
    yield from part(library, good)
    yield Bad("one", 1.0, ValueError)


def rate(library: Library, good: Any) -> Iterator[Bad]:
    """The role of a number above 0 and at most 1."""
    yield from part(library, good)
    yield Bad("zero", 0, ValueError)


def finite(_library: Library, _good: Any) -> Iterator[Bad]:
    """The role of a number whose range is checked later."""
    for bad in number(_library, _good):
        if not bad.kind.startswith("negative"):
            yield bad


def optional(role: Callable[[Library, Any], Iterator[Bad]]) -> Callable[[Library, Any], Iterator[Bad]]:
    """The role of an argument that may be None."""
    return lambda library, good: (bad for bad in role(library, good) if bad.value is not None)


def scalar(library: Library, _good: Any) -> Iterator[Bad]:
    """The role of a number from 0, or a 0-d array of the library."""
    yield from each(NO_NUMBERS, TypeError)
    yield from each(NOT_FINITE | {"negative": -1, "negative and small": -1e-300}, ValueError)
    yield from each({"0-d float32": library(np.float32(1)), "0-d int64": library(1)}, TypeError)
    yield from each({"0-d complex": library(1j), "0-d of another": library.foreign(np.asarray(1.0))}, TypeError)
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
    yield from each(NO_NUMBERS, TypeError)
    fractional = {"half": 1.5, "float": 2.0, "NaN": math.nan, "infinity": math.inf, "NumPy float": np.float64(2)}
    yield from each(fractional | {"fraction": Fraction(2), "number in text": "3"}, TypeError)
    yield from each({"0-d array": np.asarray(3), "array": np.arange(3)}, TypeError)
    huge = {"huge": HUGE, "huge beyond print": 10**5000, "huge and negative": -HUGE, "2^63": 2**63}
    yield from each(huge | {"2^64": 2**64, "negative": -1, "NumPy negative": np.int8(-1)}, ValueError)


def per_axis(library: Library, good: Any) -> Iterator[Bad]:
    """The role of a positive integer or a pair of them. A tuple or list of another length has a wrong value."""
    for bad in count(library, good):
        yield bad._replace(error=ValueError) if isinstance(bad.value, (tuple, list)) else bad


def counts(library: Library, good: Any) -> Iterator[Bad]:
    """The role of a pair of positive integers, one per axis."""
    for bad in count(library, good):
        yield bad._replace(kind=f"{bad.kind} in it", value=(good[0], bad.value))
    yield from each({"one": (2,), "three": (2, 2, 2), "empty": (), "empty list": []}, ValueError)


def padding_of_plane(library: Library, good: Any) -> Iterator[Bad]:
    """The role of a pair of pairs of integers from 0."""
    for bad in padding(library, good[1]):
        yield bad._replace(kind=f"{bad.kind}, second", value=(good[0], bad.value))
    yield from each({"numbers": (0, 1), "number": 1, "NumPy zeros": np.zeros(2, int), "zeros": (0.0, 0.0)}, TypeError)
    yield from each({"one": (good[0],), "three": (*good, good[0])}, ValueError)


def padding(library: Library, _good: Any) -> Iterator[Bad]:
    """The role of a pair of integers from 0."""
    for bad in seed(library, 0):
        yield bad._replace(kind=f"{bad.kind} in it", value=(0, bad.value))
    yield from each(OBJECTS | COMPLEX | FLAGS | {"number": 1, "array": np.ones(2, int)}, TypeError)
    yield Bad("pair in it", ((0, 1), 0), TypeError)
    yield from each({"one": (2,), "three": (2, 2, 2), "empty": ()}, ValueError)


def inputs(library: Library, good: Any) -> Iterator[Bad]:
    """The role of the number of inputs, or of their channels and positions."""
    yield from per_axis(library, good)
    for bad in counts(library, (2, 2)):
        if bad.kind not in ("three", "empty list"):
            yield bad
    yield from each({"four": (2, 2, 2, 2)}, ValueError)


def pair(_library: Library, _good: Any) -> Iterator[Bad]:
    """The role of two numbers, the first no larger than the second."""
    yield from each(OBJECTS | COMPLEX | FLAGS | {"number": 0.75}, TypeError)
    yield from each({"names": ("a", "b"), "None in it": (None, 0.5), "True": (True, True)}, TypeError)
    yield from each({"array": np.ones(2), "arrays": (np.ones(1), np.ones(1)), "nested": ((0.5, 0.5), 0.5)}, TypeError)
    yield from each({"one": (0.5,), "three": (0.5, 0.5, 0.5), "empty": (), "turned": (0.8, 0.2)}, ValueError)
    yield from each({"NaN": (math.nan, 0.5), "infinity": (0.5, math.inf), "negative": (-1, 0.5)}, ValueError)
