"""The form of the files: the schema, older formats, and the shapes of the arrays of a problem."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np

from ..decoding import FileError, content_of, from_json
from ..problems.layers import has_tokens, inputs_shape, weight_shapes
from ..problems.masked import fault_of_mask, is_masked
from ..problems.problem import CLASSIFIERS, Array, Checkpoint, Problem, classes, label_shape, root_columns
from ..problems.version_1 import upgraded
from ..quantities.shared_weights.pairs import shapes_of_groups

FOLDER = Path(__file__).parent.parent / "vectors"
SCHEMA = "schema.json"
MANIFEST = "manifest.json"

FORMAT = 2
"""The present format of a file of vectors. In a file of format 1, the problems have version 1 of their own format."""

NamedShape = tuple[str, Array, tuple[int, ...]]
"""The path of an array, the array, and the right shape of the array."""


@cache
def _schema() -> Any:
    return jsonschema.Draft202012Validator(json.loads((FOLDER / SCHEMA).read_text(encoding="utf-8")))


@cache
def _shipped() -> set[str]:
    """The hashes of the files that ship with the kit, from their manifest."""
    manifest = json.loads((FOLDER / MANIFEST).read_text(encoding="utf-8"))
    return {entry["sha256"] for entry in manifest["files"].values()}


def sha256(content: bytes) -> str:
    """The hash of a file, in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def decoded(file: Path, place: object, *, shipped_is_right: bool = False) -> dict[str, Any]:
    """The content of a file of vectors in the present format, checked by the schema.

    place:            the name of the file in error messages
    shipped_is_right: True to read a file without the check if its hash is that of a file that ships with the kit. The
                      check takes nearly all of the time of reading

    Raises `FileError` for malformed content.
    """
    content = content_of(file)
    written: dict[str, Any] = from_json(content, place)
    if shipped_is_right and sha256(content) in _shipped():
        return written
    try:
        written = _in_present_format(written, place)
        fault = next(_schema().iter_errors(written), None)
    except RecursionError as error:
        raise FileError(f"{place}: expected vectors, got JSON with brackets that are nested too deep") from error
    if fault is not None:
        raise FileError(f"{place}: {fault.json_path}: {fault.message[:200]}")
    return written


def _in_present_format(written: Any, place: object) -> Any:
    """Convert the content of a file to the present format.

    Raises `FileError` for a problem of format 1 whose layers cannot be read. Other malformed content is left unchanged,
    because the check by the schema then reports the fault.
    """
    if not isinstance(written, dict) or written.get("format") != 1 or not isinstance(written.get("vectors"), list):
        return written
    vectors = []
    for i, vector in enumerate(written["vectors"]):
        if isinstance(vector, dict) and isinstance(vector.get("problem"), dict):
            try:
                vectors.append(vector | {"problem": dict(upgraded(vector["problem"]))})
            except ValueError as error:
                raise FileError(f"{place}: vectors[{i}].problem.{error}") from error
        else:
            vectors.append(vector)
    return written | {"format": FORMAT, "vectors": vectors}


def fault_of_arrays(problem: Problem) -> str:
    """The first fault: a wrong shape, a wrong mask, or tokens or classes out of range. "" means no fault."""
    for path, array, shape in _shapes(problem):
        if array.shape != shape:
            return f"{path}: expected shape {shape}, got {array.shape}"
    if is_masked(problem) and (fault := fault_of_mask(problem)):
        return fault
    if has_tokens(problem.layers) and not (problem.X.min() >= 0 and problem.X.max() < problem.widths[0]):
        return f"X: expected tokens from 0 to {problem.widths[0] - 1}, got values out of range"
    if problem.objective in CLASSIFIERS:
        C = classes(problem.objective, problem.widths[-1])
        for name, array in _classes(problem):
            if array.size and not (array.min() >= 0 and array.max() < C):
                return f"{name}: expected classes from 0 to {C - 1}, got values out of range"
    return ""


def _classes(problem: Problem) -> Iterator[tuple[str, Array]]:
    """Yield the path of every array of classes, and the array, for an objective with classes."""
    yield from (("Y", problem.Y), ("labels", problem.labels))
    for i, here in enumerate(_checkpoints(problem)):
        yield f"trajectory.checkpoints[{i}].Y", here.Y


def _checkpoints(problem: Problem) -> tuple[Checkpoint, ...]:
    """The checkpoints of the trajectory, or none."""
    return problem.trajectory.checkpoints if problem.trajectory else ()


def _shapes(problem: Problem) -> Iterator[NamedShape]:
    """Yield the path, the array and the right shape for every array of a problem."""
    D, objective, arguments = problem.widths, problem.objective, problem.arguments
    positions = problem.shapes[-1][1:]
    N = len(problem.X) if problem.X.ndim else 0
    S = problem.labels.shape[1] if problem.labels.ndim > 1 else 1
    of_weights = weight_shapes(problem.inputs, problem.layers)
    yield from _per_layer("weights", problem.weights, of_weights)
    yield "X", problem.X, (N, *inputs_shape(problem.inputs, problem.layers))
    if is_masked(problem):
        yield "mask", problem.mask, (N, *problem.shapes[0][1:])
    yield "Y", problem.Y, label_shape(objective, (N, *positions), D[-1])
    yield "labels", problem.labels, label_shape(objective, (N, S, *positions), D[-1])
    yield "draws", problem.draws, label_shape(objective, (N, S, *positions), D[-1])
    yield from _per_layer("arguments.direction", arguments.direction, of_weights)
    yield "arguments.cotangents", arguments.cotangents, (N, *positions, D[-1])
    yield (
        "arguments.projections",
        arguments.projections,
        (N, S, *positions, root_columns(objective, problem.psd, D[-1])),
    )
    for name in ("tau", "gamma", "eta"):
        yield f"arguments.{name}", getattr(arguments, name), ()
    yield from _bases(problem)
    for i, here in enumerate(_checkpoints(problem)):
        yield from _shapes_of_checkpoint(problem, here, f"trajectory.checkpoints[{i}]")


def _shapes_of_checkpoint(problem: Problem, here: Checkpoint, path: str) -> Iterator[NamedShape]:
    """Yield the path, the array and the right shape for every array of a checkpoint."""
    D, of_weights = problem.widths, weight_shapes(problem.inputs, problem.layers)
    for name in ("weights", "average", "update"):
        yield from _per_layer(f"{path}.{name}", getattr(here, name), of_weights)
    yield from _per_layer(f"{path}.Q", here.Q, [(columns, columns) for _, columns in of_weights])
    yield from _per_layer(f"{path}.G", here.G, [(rows, rows) for rows, _ in of_weights])
    for name in ("tau", "gamma"):
        yield f"{path}.{name}", getattr(here, name), ()
    n = len(here.X) if here.X.ndim else 0
    yield f"{path}.X", here.X, (n, D[0])
    yield f"{path}.Y", here.Y, label_shape(problem.objective, (n,), D[-1])
    method = problem.trajectory.method if problem.trajectory else ""
    drawn = () if here.draws is None else (here.draws,)
    S = here.draws.shape[1] if here.draws is not None and here.draws.ndim > 1 else 1
    shapes: dict[str, list[tuple[int, ...]]] = {
        "kfac": [label_shape(problem.objective, (n, S), D[-1])],
        "rp": [(n, S, root_columns(problem.objective, problem.psd, D[-1]))],
    }
    yield from _per_layer(f"{path}.draws", drawn, shapes.get(method, []))
    of_ekfac = of_weights if method == "ekfac" else []
    yield from _per_layer(f"{path}.U_Q", here.U_Q, [(columns, columns) for _, columns in of_ekfac])
    yield from _per_layer(f"{path}.U_G", here.U_G, [(rows, rows) for rows, _ in of_ekfac])
    yield from _per_layer(f"{path}.S", here.S, of_ekfac)


def _bases(problem: Problem) -> Iterator[NamedShape]:
    """Yield the path, the array and the right shape for the two orthogonal matrices of every group.

    Only problems with shared weights have these matrices. The first item checks the number of pairs. This item is a
    placeholder with one element for each pair, and the right shape of the placeholder is the right number of pairs.
    """
    pairs = list(shapes_of_groups(problem)) if problem.is_shared else []
    yield "bases: arrays", np.empty(len(problem.bases)), (len(pairs),)
    for i, (bases, (O, I)) in enumerate(zip(problem.bases, pairs, strict=False)):
        yield f"bases[{i}][0]", bases[0], (I, I)
        yield f"bases[{i}][1]", bases[1], (O, O)


def _per_layer(path: str, arrays: tuple[Array, ...], shapes: Sequence[tuple[int, ...]]) -> Iterator[NamedShape]:
    """Yield every array with its path and its right shape.

    The first item checks the number of arrays. This item is a placeholder with one element for each array, and the
    right shape of the placeholder is the right number of arrays.
    """
    yield f"{path}: arrays", np.empty(len(arrays)), (len(shapes),)
    for i, (array, shape) in enumerate(zip(arrays, shapes, strict=False)):
        yield f"{path}[{i}]", array, shape
