"""Roles of names, networks, records and paths."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

import kfgn

from ..libraries import Library
from ..values import COMPLEX, FLAGS, HUGE, OBJECTS, Bad, each

OBJECTS_EXCEPT_NONE = {kind: value for kind, value in OBJECTS.items() if value is not None}


def flag(_library: Library, _good: Any) -> Iterator[Bad]:
    """The role of True or False."""
    yield from each(OBJECTS | COMPLEX, TypeError)
    yield from each({"0": 0, "1": 1, "NumPy 1": np.int64(1), "1.0": 1.0, "NaN": math.nan, "yes": "yes"}, TypeError)
    yield from each({"array": np.array([True]), "0-d array": np.array(True), "list": [True]}, TypeError)


def name(_library: Library, good: Any) -> Iterator[Bad]:
    """The role of one of several names. Every other value is unknown."""
    yield from each(OBJECTS | COMPLEX | FLAGS, ValueError)
    odd = {"empty": "", "upper case": good.upper(), "space": f"{good} ", "zero": f"{good}\0", "line": f"{good}\n"}
    yield from each(odd | {"surrogate": "\udc80", "markup": f"[{good}]", "accent": f"{good}\u0301"}, ValueError)
    yield from each({"bytes of it": good.encode(), "list of it": [good], "tuple of it": (good,)}, ValueError)
    yield from each({"array of it": np.array(good), "number": 3, "NaN": math.nan}, ValueError)
    yield Bad("1-d array of it", np.array([good]), ValueError)


def network(_library: Library, _good: Any) -> Iterator[Bad]:
    """The role of a network."""
    others = {kind: value for kind, value in OBJECTS.items() if kind != "network"}
    fields = {"fields": ((2, 4, 3), ("tanh",), "bernoulli"), "the class": kfgn.Network, "Damping": kfgn.Damping(1.0, 5)}
    yield from each(others | COMPLEX | FLAGS | fields | {"number": 1.0, "array": np.ones(3)}, TypeError)


def record(_library: Library, _good: Any) -> Iterator[Bad]:
    """The role of a record of kfgn: an optimiser's curvature or damping, or a state."""
    others = {"number": 1.0, "name": "kfra", "array": np.ones(3), "fields": (1.0, 5)}
    yield from each(OBJECTS | COMPLEX | FLAGS | others, TypeError)


def widths(_library: Library, _good: Any) -> Iterator[Bad]:
    """The role of the widths of a network."""
    wrong = {k: v for k, v in OBJECTS.items() if k not in ("string", "long string", "range", "generator")}
    yield from each(wrong | COMPLEX | FLAGS, TypeError)
    yield from each({"number": 3, "float": (2, 3.0, 3), "True": (2, True, 3), "nested": ((2, 4, 3),)}, TypeError)
    yield from each({"names": ("2", "4", "3"), "mapping": {2: 4, 3: 3}, "bytes of them": b"\2\4\3"}, TypeError)
    yield from each({"2-d": np.ones((3, 3), int), "0-d": np.asarray(3), "None in it": (2, None, 3)}, TypeError)
    yield from each({"string": "243", "zero": (2, 0, 3), "negative": (2, -4, 3), "huge": (2, HUGE, 3)}, ValueError)
    yield from each({"empty": (), "one": (2,), "one more": (2, 4, 4, 3), "empty string": ""}, ValueError)


def transfers(_library: Library, _good: Any) -> Iterator[Bad]:
    """The role of the transfer functions of a network."""
    wrong = {k: v for k, v in OBJECTS.items() if k not in ("string", "long string", "range", "generator")}
    yield from each(wrong | COMPLEX | FLAGS, TypeError)
    yield from each({"number": 3, "set of them": {"tanh"}, "mapping": {"tanh": 0}}, TypeError)
    yield from each({"string": "tanh", "unknown": ("Tanh",), "None in it": (None,), "function": (np.tanh,)}, ValueError)
    yield from each({"none": (), "two": ("tanh", "tanh"), "nested": (("tanh",),), "number in it": (3,)}, ValueError)
    yield from each({"array in it": (np.array("tanh"),), "bytes in it": (b"tanh",)}, ValueError)


def transfer(_library: Library, _good: Any) -> Iterator[Bad]:
    """The role of the transfer function of a layer: a name, or a pair of a name and a parameter."""
    yield from each(OBJECTS | COMPLEX | FLAGS, ValueError)
    yield from each({"upper case": "Tanh", "array of it": np.array("tanh"), "number": 3, "NaN": math.nan}, ValueError)
    yield from each({"no parameter": ("leaky_relu",), "three": ("leaky_relu", 0.1, 0.2), "empty": ()}, ValueError)
    yield from each({"not parametric": ("tanh", 0.1), "not finite": ("leaky_relu", math.inf)}, ValueError)
    yield from each({"name as parameter": ("leaky_relu", "0.1"), "True": ("leaky_relu", True)}, TypeError)


def layers(_library: Library, good: Any) -> Iterator[Bad]:
    """The role of the layers of a network."""
    wrong = {k: v for k, v in OBJECTS.items() if k not in ("string", "long string", "generator")}
    yield from each(wrong | COMPLEX | FLAGS, TypeError)
    yield from each({"number": 3, "one layer": good[0], "names": ("tanh",), "None in it": (*good, None)}, TypeError)
    yield from each({"array": np.ones(2), "mapping": dict(enumerate(good)), "the class": (type(good[0]),)}, TypeError)
    yield from each({"none": (), "string": "tanh", "a last transfer function": good[:1]}, ValueError)


def nothing(library: Library, _good: Any) -> Iterator[Bad]:
    """The role of draws of a method that samples nothing."""
    yield from each(OBJECTS_EXCEPT_NONE | {"array": library(np.ones((7, 3))), "number": 1.0, "True": True}, ValueError)


def excluded(library: Library, _good: Any) -> Iterator[Bad]:
    """The role of an argument that must be None, since the call has the alternative argument."""
    yield from each(OBJECTS_EXCEPT_NONE | {"array": library(np.ones((7, 6))), "number": 1.0, "True": True}, TypeError)


def path(_library: Library, _good: Any) -> Iterator[Bad]:
    """The role of the path of a file or a folder."""
    wrong = {kind: value for kind, value in OBJECTS.items() if not isinstance(value, str)}
    yield from each(wrong | COMPLEX | FLAGS | {"number": 3, "list": ["a"], "array": np.ones(3)}, TypeError)
    yield from each({"empty": "", "zero in it": "a\0b"}, ValueError)


def text(_library: Library, good: Any) -> Iterator[Bad]:
    """The role of a name that is looked up later."""
    wrong = {kind: value for kind, value in OBJECTS.items() if not isinstance(value, str)}
    yield from each(wrong | COMPLEX | FLAGS | {"number": 3, "list": [good], "array": np.array([good])}, TypeError)


def folder(_library: Library, _good: Any) -> Iterator[Bad]:
    """The role of a folder that is read only if the data set has files."""
    for bad in path(_library, _good):
        if bad.error is TypeError:
            yield bad
