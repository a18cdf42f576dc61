"""The form of the files: their schema, and arrays that fit their problem."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np

from ..decoding import FileError, content_of, from_json
from ..problems.problem import CLASSIFIERS, Array, Problem, classes, draw_shape, root_columns, weight_shapes

FOLDER = Path(__file__).parent.parent / "vectors"
SCHEMA = "schema.json"


@cache
def _schema() -> Any:
    return jsonschema.Draft202012Validator(json.loads((FOLDER / SCHEMA).read_text(encoding="utf-8")))


def decoded(file: Path, place: object) -> dict[str, Any]:
    """The content of a file of vectors, checked by the schema. Raises `FileError`. place: the file's name in errors."""
    written: dict[str, Any] = from_json(content_of(file), place)
    try:
        fault = next(_schema().iter_errors(written), None)
    except RecursionError as error:
        raise FileError(f"{place}: expected vectors, got brackets that are nested too deep") from error
    if fault is not None:
        raise FileError(f"{place}: {fault.json_path}: {fault.message[:200]}")
    return written


def fault_of_arrays(problem: Problem) -> str:
    """The first array of a problem with a shape that fits neither widths nor batch, or with classes out of range."""
    if len(problem.transfers) != len(problem.widths) - 2:
        return f"transfers: expected {len(problem.widths) - 2}, got {len(problem.transfers)}"
    for name, array, shape in _shapes(problem):
        if array.shape != shape:
            return f"{name}: expected shape {shape}, got {array.shape}"
    if problem.objective in CLASSIFIERS:
        C = classes(problem.objective, problem.widths[-1])
        for name, array in (("Y", problem.Y), ("labels", problem.labels)):
            if array.size and not (array.min() >= 0 and array.max() < C):
                return f"{name}: expected classes from 0 to {C - 1}, got others"
    return ""


def _shapes(problem: Problem) -> Iterator[tuple[str, Array, tuple[int, ...]]]:
    """Yield the name of each array, the array, and the shape that it should have."""
    D, objective, arguments = problem.widths, problem.objective, problem.arguments
    N = len(problem.X) if problem.X.ndim else 0
    S = problem.labels.shape[1] if problem.labels.ndim > 1 else 1
    of_weights = weight_shapes(D)
    yield from _listed("weights", problem.weights, of_weights)
    yield "X", problem.X, (N, D[0])
    yield "Y", problem.Y, draw_shape(objective, (N,), D[-1])
    yield "labels", problem.labels, draw_shape(objective, (N, S), D[-1])
    yield "draws", problem.draws, draw_shape(objective, (N, S), D[-1])
    yield from _listed("arguments.direction", arguments.direction, of_weights)
    yield "arguments.cotangents", arguments.cotangents, (N, D[-1])
    yield "arguments.projections", arguments.projections, (N, S, root_columns(objective, problem.psd, D[-1]))
    for i, here in enumerate(problem.trajectory.checkpoints if problem.trajectory else ()):
        at = f"trajectory.checkpoints[{i}]"
        for name in ("weights", "average", "update"):
            yield from _listed(f"{at}.{name}", getattr(here, name), of_weights)
        yield from _listed(f"{at}.Q", here.Q, [(P, P) for _, P in of_weights])
        yield from _listed(f"{at}.G", here.G, [(D_l, D_l) for D_l, _ in of_weights])
        n = len(here.X) if here.X.ndim else 0
        yield f"{at}.X", here.X, (n, D[0])
        yield f"{at}.Y", here.Y, draw_shape(objective, (n,), D[-1])


def _listed(
    name: str, arrays: tuple[Array, ...], shapes: list[tuple[int, int]]
) -> Iterator[tuple[str, Array, tuple[int, ...]]]:
    """One array for each layer."""
    yield f"{name}: arrays", np.empty(len(arrays)), (len(shapes),)
    for i, (array, shape) in enumerate(zip(arrays, shapes, strict=False)):
        yield f"{name}[{i}]", array, shape
