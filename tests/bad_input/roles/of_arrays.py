"""Roles of arrays and of tuples of arrays."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..libraries import Library
from ..values import COMPLEX, FLAGS, NOT_FINITE, OBJECTS, Bad, each


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
    """The role of X, whose number of rows is right by definition."""
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
    if library.name == "numpy":  # NumPy's scalars are arrays of a wrong dtype and a wrong shape
        scalars = {kind: value for kind, value in scalars.items() if not isinstance(value, np.generic)}
    yield from each(OBJECTS | scalars, TypeError)
    yield from each({"number": 1.0, "nested list": x.tolist(), "ragged list": [[1.0], [1.0, 2.0]]}, TypeError)
    yield from each({"memoryview": memoryview(np.ascontiguousarray(x)), "tuple of an array": (x,)}, TypeError)
    yield from each(library.odd(x), TypeError)
    yield from each({f"dtype {name}": value for name, value in dtypes.items()}, TypeError)
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
    """The array with the value as its last element, which a check of the first element would miss."""
    x = x.copy()
    x[(-1,) * x.ndim] = value
    return x


def arrays(library: Library, good: Any) -> Iterator[Bad]:
    """The role of a tuple with an array for each layer."""
    yield from each(OBJECTS | COMPLEX | FLAGS, TypeError)
    yield from each({"one array": good[0], "number": 1.0, "object array": np.array([None] * 2)}, TypeError)
    yield from each({"by layer": dict(enumerate(good)), "iterator": iter(good)}, TypeError)
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
