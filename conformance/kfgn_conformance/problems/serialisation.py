"""A problem as an object of JSON, for programs and golden vectors. `docs/vectors.md` describes the format.

Arrays are nested lists, row by row. Float32 holds the numbers of a problem exactly, and a program that reads the
written numbers gets the same values.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints

import numpy as np

from .arrays import Array, is_array, parts
from .layer_json import is_integer, layer_as_json, layers_from_json, shown
from .layers import Layer
from .masked import MaskedProblem
from .problem import CLASSIFIERS, Problem
from .version_1 import upgraded

VERSION = 2

LABELS = ("Y", "labels")
"""The fields whose arrays are class indices for a categorical or mixture objective."""

NOT_WRITTEN = ("dtypes",)
"""The fields of a problem that are not written to JSON, since only a run of the kit uses these fields."""

OMITTED: dict[str, Any] = {"trajectory": None, "divisor": 1, "bases": ()}
"""The fields of a problem that are not written if they have these values, which are their defaults."""

OMITTED_FROM_CHECKPOINTS = ("U_Q", "U_G", "S")
"""The fields of a checkpoint that are not written if they have no arrays. Only the method "ekfac" has these arrays."""

Put = Callable[[str, Array], Any]
"""A function f(path, array) that returns the JSON value of the array at a path of the problem."""


def as_json(problem: Problem, put: Put = lambda _path, array: array.tolist()) -> dict[str, Any]:
    """Convert a problem to an object of JSON.

    put: a function f(path, array) that returns the JSON value of the array, by default a nested list. An array
         without axes is always written as a number.
    """
    values = {field.name: getattr(problem, field.name) for field in fields(problem) if field.name not in NOT_WRITTEN}
    values = {name: value for name, value in values.items() if name not in OMITTED or value != OMITTED[name]}
    return {"version": VERSION} | {name: _written(value, name, put) for name, value in values.items()}


def _written(value: Any, path: str, put: Put) -> Any:
    if is_array(value):
        return put(path, value) if value.ndim else value.item()
    if isinstance(value, Layer):
        return layer_as_json(value)
    if not isinstance(value, tuple):
        return value
    written = [_written(part, name, put) for name, part in parts(value, path)]
    if not hasattr(value, "_fields"):
        return written
    fields = dict(zip(value._fields, written, strict=True))
    return {name: part for name, part in fields.items() if name not in OMITTED_FROM_CHECKPOINTS or part}


def with_tensors(problem: Problem, file: Path) -> dict[str, Any]:
    """Write the arrays of a problem to a safetensors file, and return JSON with the names of the arrays in the file."""
    from safetensors.numpy import save_file  # an optional dependency, for large problems only

    tensors: dict[str, Array] = {}

    def named(path: str, array: Array) -> str:
        tensors[path] = array
        return path

    written = as_json(problem, named)
    save_file(tensors, file)
    return written


def from_json(written: Mapping[str, Any]) -> Problem:
    """Read a problem whose arrays are nested lists. The format is version 2, which `as_json` writes, or version 1.

    Raises `ValueError` with one line that names the wrong field.
    """
    written = upgraded(written)
    version = written.get("version")
    if version != VERSION:
        raise ValueError(f"version: expected {VERSION}, or no version for the format of version 1, got {version!r}")
    integers = (*(LABELS if written.get("objective") in CLASSIFIERS else ()), *(("X",) if _has_tokens(written) else ()))
    form = Form(integers, _axes(written.get("inputs")))
    kind = MaskedProblem if "mask" in written else Problem
    problem: Problem = _record(kind, {k: v for k, v in written.items() if k != "version"}, "", form)
    return problem


class Form(NamedTuple):
    """The properties of a problem on which the types of its fields depend.

    integers: the fields whose arrays are integers: labels that are class indices, and inputs that are tokens
    axes:     the number of axes of the positions, which is 0 for a network of the paper
    """

    integers: tuple[str, ...]
    axes: int


def _has_tokens(written: Mapping[str, Any]) -> bool:
    """True if the first layer is an embedding."""
    match written.get("layers"):
        case [{"kind": "embedding"}, *_]:
            return True
    return False


def _axes(inputs: Any) -> int:
    """The number of axes of the positions of `inputs`: D_0, [C_0, T_0] or [C_0, H, W]."""
    if not isinstance(inputs, list):
        return 0
    if len(inputs) not in (2, 3):
        raise ValueError(f"inputs: expected an integer, [C, T] or [C, H, W], got {shown(inputs)}")
    return len(inputs) - 1


def _record(kind: Any, written: Any, path: str, form: Form) -> Any:
    """Read a dataclass or named tuple from an object of JSON."""
    if not isinstance(written, Mapping):
        raise ValueError(f"{path}: expected an object, got {type(written).__name__}")
    hints = {name: hint for name, hint in get_type_hints(kind).items() if name not in NOT_WRITTEN}
    if unknown := sorted(set(written) - set(hints)):
        raise ValueError(f"{path or 'problem'}: expected no field {unknown[0]!r}, got one")
    values = {}
    for name, hint in hints.items():
        if name in written:
            values[name] = _read(hint, written[name], f"{path}.{name}".lstrip("."), form)
    try:
        return kind(**values)
    except TypeError:
        missing = next(name for name in hints if name not in written and not _has_default(kind, name))
        raise ValueError(f"{path or 'problem'}: expected a field {missing!r}, got none") from None


def _has_default(kind: Any, name: str) -> bool:
    return hasattr(kind, name) if is_dataclass(kind) else name in kind._field_defaults


def _read(hint: Any, written: Any, path: str, form: Form) -> Any:
    """Read a value of JSON as the type in the annotation `hint`."""
    if hint == Array and path == "mask":
        return _mask(written, form.axes)
    if hint == Array:
        return _array(written, path, np.int64 if path.rpartition(".")[2] in form.integers else np.float64)
    if hint == tuple[Layer, ...]:
        return layers_from_json(written, form.axes)
    if hint == int | tuple[int, ...]:
        return _read(tuple[int, ...] if form.axes else int, written, path, form)
    if get_origin(hint) is UnionType:
        (inner,) = (one for one in get_args(hint) if one is not NoneType)
        return None if written is None else _read(inner, written, path, form)
    if get_origin(hint) is tuple:
        return _tuple(get_args(hint), written, path, form)
    return _record(hint, written, path, form) if hasattr(hint, "_fields") else _scalar(hint, written, path)


def _tuple(hints: tuple[Any, ...], written: Any, path: str, form: Form) -> tuple[Any, ...]:
    if not isinstance(written, list):
        raise ValueError(f"{path}: expected a list, got {type(written).__name__}")
    if hints[1:] == (...,):
        hints = hints[:1] * len(written)
    if len(hints) != len(written):
        raise ValueError(f"{path}: expected {len(hints)} elements, got {len(written)}")
    pairs = zip(hints, written, strict=True)
    return tuple(_read(hint, part, f"{path}[{i}]", form) for i, (hint, part) in enumerate(pairs))


def _scalar(kind: Any, written: Any, path: str) -> Any:
    """Read a text, an integer or a number of JSON as a value of the type `kind`."""
    kinds = {str: ("text", isinstance(written, str)), int: ("an integer", is_integer(written))}
    expected, fits = kinds.get(kind, ("a number", type(written) in (int, float)))
    if not fits:
        raise ValueError(f"{path}: expected {expected}, got {shown(written)}")
    return kind(written)


def _array(written: Any, path: str, dtype: Any) -> Array:
    try:
        return np.array(written, dtype)
    except (OverflowError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: expected an array of numbers: {error}") from error


def _mask(written: Any, axes: int) -> Array:
    """Read the mask of a problem, nested lists of true and false with an axis of datapoints before the positions."""
    if axes == 0:
        raise ValueError("mask: expected no mask for a network without positions, got a mask")
    try:
        mask = np.array(written)
    except ValueError as error:
        raise ValueError(f"mask: expected true and false in nested lists of equal lengths: {error}") from error
    if mask.dtype != np.bool_ or mask.ndim != 1 + axes:
        raise ValueError(
            f"mask: expected true and false in lists that are nested {1 + axes} deep, got {shown(written)}"
        )
    return mask
