"""Checkpoints: the complete state of a run in a safetensors file, written atomically.

A run keeps the last two checkpoints.
"""

import contextlib
import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..backends import Backend
from .decoding import content_of
from .errors import FileError, RunFailedError, UsageError, library
from .files import write_atomically
from .named_arrays import map_leaves, named_leaves
from .schema import FORMAT

KEPT = 2

Arrays = dict[str, NDArray[Any]]


class Checkpoint(NamedTuple):
    """The state of a run after t steps.

    seconds: the training time of the t steps
    metrics: the SHA-256 of the lines of `metrics.jsonl` up to update t
    arrays:  the arrays of the state by name, such as `weights.0`, and the best weights if early stopping keeps them
    """

    t: int
    seconds: float
    metrics: str
    arrays: Arrays


def checkpoints(folder: Path) -> list[Path]:
    """Return the paths of the checkpoints of a run, the newest first.

    A file whose name has no number, such as a copy that a user has made, is no checkpoint.
    """
    named = (path for path in folder.glob("checkpoint-*.safetensors") if re.fullmatch("[0-9]+", _number_of(path)))
    return sorted(named, reverse=True)


def _number_of(path: Path) -> str:
    """Return the part of a file name that is the number of the update if the file is a checkpoint."""
    return path.stem.partition("-")[2]


def update_of(path: Path) -> int:
    """Return the number of the update in the name of a checkpoint."""
    return int(_number_of(path))


BEST = "best"
"""The first part of the names of the arrays that early stopping keeps, such as `best.weights.0`."""


class Best(NamedTuple):
    """The weights and their running average after the update with the lowest validation loss."""

    weights: Any
    average: Any


def write_checkpoint(
    folder: Path, state: Any, best: Best | None, *, seconds: float, configuration: str, metrics: str, backend: Backend
) -> Path:
    """Write a checkpoint of a state, keep the previous checkpoint, and delete all older checkpoints.

    best:          the weights that early stopping keeps; None if early stopping keeps no weights
    seconds:       the training time of the steps so far
    configuration: the hash of the run's configuration
    metrics:       the SHA-256 of the lines of `metrics.jsonl` so far

    Raises an `OSError` that names the file.
    """
    leaves = [*named_leaves(state), *(() if best is None else named_leaves(best, BEST))]
    arrays = {name: backend.to_numpy(leaf) for name, leaf in leaves if name != "t"}
    # The rounding of a matrix product depends on the memory layout of the matrices, so the layout is stored too.
    transposed = [name for name, x in arrays.items() if x.flags.f_contiguous and not x.flags.c_contiguous]
    stored = {name: np.asarray(x.T if name in transposed else x, order="C") for name, x in arrays.items()}
    metadata = {
        "format": str(FORMAT),
        "t": str(state.t),
        "seconds": repr(seconds),
        "configuration": configuration,
        "metrics": metrics,
        "transposed": json.dumps(transposed),
    }
    metadata["sha256"] = _digest(metadata, stored)
    path = folder / f"checkpoint-{state.t:09d}.safetensors"
    write_atomically(path, library("safetensors.numpy").save(stored, metadata))
    older = [other for other in checkpoints(folder) if other.name < path.name]
    for old in older[KEPT - 1 :]:
        with contextlib.suppress(OSError):  # an old checkpoint that remains does no harm
            old.unlink()
    return path


def read_checkpoint(path: Path, configuration: str) -> Checkpoint:
    """Read a checkpoint of the run whose configuration has the hash `configuration`.

    Raises `FileError` if the file cannot be read, is damaged, has a wrong name or format, or belongs to another run.
    """
    library("safetensors.numpy")
    try:
        return _read(path, configuration)
    except FileError:
        raise
    except Exception as error:  # the reader raises errors of several classes for a damaged file
        raise FileError(f"{path} is damaged: {' '.join(str(error).split()) or type(error).__name__}") from error


def _read(path: Path, configuration: str) -> Checkpoint:
    content = content_of(path)
    stored = library("safetensors.numpy").load(content)
    metadata = _metadata(content)
    if metadata["format"] != str(FORMAT):
        got = f"{metadata['format']!r}; another version of kfgn wrote this file"
        raise FileError(f"{path}: format: expected '{FORMAT}', got {got}")
    if metadata["sha256"] != _digest(metadata, stored):
        raise FileError(f"{path} is damaged: its content has changed")
    if metadata["configuration"] != configuration:
        raise FileError(f"{path}: expected a checkpoint of the run in this folder, got a checkpoint of another run")
    t, seconds = int(metadata["t"]), float(metadata["seconds"])
    if path.stem != f"checkpoint-{t:09d}":
        raise FileError(f"{path}: expected a checkpoint of the update in the file name, got one of update {t}")
    if not (t >= 0 and math.isfinite(seconds)):
        raise ValueError(f"t, seconds: expected finite numbers of at least 0, got {t}, {seconds}")
    transposed = json.loads(metadata["transposed"])
    arrays = {name: x.T if name in transposed else x for name, x in stored.items()}
    return Checkpoint(t, seconds, metadata["metrics"], arrays)


def newest_checkpoint(folder: Path, configuration: str, warn: Callable[[str], None]) -> Checkpoint | None:
    """Return the newest usable checkpoint, or None if the folder contains no checkpoint.

    An unusable checkpoint causes a warning, and the previous checkpoint is read instead. Raises `RunFailedError` if
    checkpoints exist and none of them is usable.
    """
    paths = checkpoints(folder)
    for i, path in enumerate(paths, start=1):
        try:
            return read_checkpoint(path, configuration)
        except FileError as error:
            if i == len(paths):
                raise RunFailedError(f"{folder}: expected a usable checkpoint, got none: {error}") from error
            warn(f"{error}; using the previous checkpoint instead")
    return None


def restored(state: Any, checkpoint: Checkpoint, backend: Backend, path: str = "") -> Any:
    """Return the state that a checkpoint contains, as nested tuples of the same classes as `state`.

    path: the first part of the names of the arrays: empty for the state of a run, and `BEST` for the best weights

    Raises `UsageError` if an array of `state` is missing in the checkpoint, or has a different shape or dtype there.
    """

    def leaf(name: str, like: Any) -> Any:
        if name == "t":
            return checkpoint.t
        if name not in checkpoint.arrays:
            raise UsageError(f"{name}: expected this array in the checkpoint of update {checkpoint.t}, got none")
        x = checkpoint.arrays[name]
        expected = backend.to_numpy(like)
        if (x.dtype, x.shape) != (expected.dtype, expected.shape):
            raise UsageError(
                f"{name}: expected {expected.dtype} {expected.shape}, got {x.dtype} {x.shape} in the checkpoint"
            )
        return backend.asarray(x)

    return map_leaves(state, leaf, path)


def _metadata(content: bytes) -> dict[str, str]:
    """Read the metadata of a safetensors file, whose first 8 bytes are the length of the JSON header."""
    length = int.from_bytes(content[:8], "little")
    metadata: dict[str, str] = json.loads(content[8 : 8 + length])["__metadata__"]
    return metadata


def _digest(metadata: Mapping[str, str], arrays: Arrays) -> str:
    """Return the SHA-256 of the metadata and of the name, dtype, shape and bytes of each array.

    The entry `sha256` of the metadata, which stores this hash, is left out.
    """
    described = {name: text for name, text in metadata.items() if name != "sha256"}
    arrays_described = [(name, x.dtype.str, x.shape) for name, x in sorted(arrays.items())]
    digest = hashlib.sha256(json.dumps([described, arrays_described], sort_keys=True).encode())
    for _, x in sorted(arrays.items()):
        digest.update(x.tobytes())
    return digest.hexdigest()
