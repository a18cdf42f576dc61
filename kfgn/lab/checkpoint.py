"""Checkpoints: the whole state of a run in a safetensors file, written atomically. The last two are kept."""

import contextlib
import hashlib
import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..backends import Backend
from .decoding import content_of
from .errors import FileError, RunFailedError, UsageError, library
from .files import write_atomically
from .trees import leaves, rebuilt

FORMAT = "2"
KEPT = 2

Arrays = dict[str, NDArray[Any]]


class Checkpoint(NamedTuple):
    """The state after t steps, with the seconds that they took. The arrays have the names of `kfgn.lab.trees`.

    metrics: SHA-256 of the lines of the metrics up to update t
    """

    t: int
    seconds: float
    metrics: str
    arrays: Arrays


def checkpoints(folder: Path) -> list[Path]:
    """The checkpoints of a run, the newest first."""
    return sorted(folder.glob("checkpoint-*.safetensors"), reverse=True)


def write_checkpoint(
    folder: Path, state: Any, *, seconds: float, configuration: str, metrics: str, backend: Backend
) -> Path:
    """Write the state, and delete all older ones except the last. Raises `OSError` that names the file.

    configuration: the hash of the run's configuration
    metrics:       that of `Checkpoint`
    """
    arrays = {path: backend.to_numpy(leaf) for path, leaf in leaves(state) if path != "t"}
    # Products are the same bit for bit only of arrays that lie the same way in memory.
    turned = [path for path, x in arrays.items() if x.flags.f_contiguous and not x.flags.c_contiguous]
    stored = {path: np.asarray(x.T if path in turned else x, order="C") for path, x in arrays.items()}
    metadata = {
        "format": FORMAT,
        "t": str(state.t),
        "seconds": repr(seconds),
        "configuration": configuration,
        "metrics": metrics,
        "turned": json.dumps(turned),
    }
    metadata["sha256"] = _digest(metadata, stored)
    path = folder / f"checkpoint-{state.t:09d}.safetensors"
    write_atomically(path, library("safetensors.numpy").save(stored, metadata))
    older = [other for other in checkpoints(folder) if other.name < path.name]
    for old in older[KEPT - 1 :]:
        with contextlib.suppress(OSError):  # one too many does no harm
            old.unlink()
    return path


def read_checkpoint(path: Path, configuration: str) -> Checkpoint:
    """A checkpoint of a run. `FileError` if it is damaged, in another place, or of another run or format."""
    library("safetensors.numpy")
    try:
        return _read(path, configuration)
    except FileError:
        raise
    except Exception as error:  # the reader raises errors of several kinds for a damaged file
        raise FileError(f"{path} is damaged: {' '.join(str(error).split()) or type(error).__name__}") from error


def _read(path: Path, configuration: str) -> Checkpoint:
    content = content_of(path)
    stored = library("safetensors.numpy").load(content)
    metadata = _metadata(content)
    if metadata["format"] != FORMAT:
        raise FileError(f"{path}: format: expected {FORMAT}, got {metadata['format']!r}")
    if metadata["sha256"] != _digest(metadata, stored):
        raise FileError(f"{path} is damaged: its content has changed")
    if metadata["configuration"] != configuration:
        raise FileError(f"{path}: expected a checkpoint of the run of this folder, got one of another configuration")
    t, seconds = int(metadata["t"]), float(metadata["seconds"])
    if path.stem != f"checkpoint-{t:09d}":
        raise FileError(f"{path}: expected the checkpoint of the update in its name, got that of update {t}")
    if not (t >= 0 and math.isfinite(seconds)):
        raise ValueError(f"t, seconds: expected numbers of at least 0, got {t}, {seconds}")
    turned = json.loads(metadata["turned"])
    arrays = {name: x.T if name in turned else x for name, x in stored.items()}
    return Checkpoint(t, seconds, metadata["metrics"], arrays)


def newest_checkpoint(folder: Path, configuration: str, warn: Callable[[str], None]) -> Checkpoint | None:
    """The newest checkpoint that can be used, with a warning for each that cannot; None if there is no checkpoint.

    Raises `RunFailedError` if there are checkpoints and none of them can be used.
    """
    paths = checkpoints(folder)
    for i, path in enumerate(paths, start=1):
        try:
            return read_checkpoint(path, configuration)
        except FileError as error:
            if i == len(paths):
                raise RunFailedError(f"{folder}: none of its checkpoints is whole: {error}") from error
            warn(f"{error}; going back to the checkpoint before")
    return None


def restored(state: Any, checkpoint: Checkpoint, backend: Backend) -> Any:
    """The state of a checkpoint, of the kind of `state`. `UsageError` if its arrays are others."""

    def leaf(path: str, like: Any) -> Any:
        if path == "t":
            return checkpoint.t
        if path not in checkpoint.arrays:
            raise UsageError(f"the checkpoint of update {checkpoint.t} lacks {path}")
        x = checkpoint.arrays[path]
        expected = backend.to_numpy(like)
        if (x.dtype, x.shape) != (expected.dtype, expected.shape):
            raise UsageError(
                f"{path}: expected {expected.dtype} {expected.shape}, got {x.dtype} {x.shape} in the checkpoint"
            )
        return backend.asarray(x)

    return rebuilt(state, leaf)


def _metadata(content: bytes) -> dict[str, str]:
    """safetensors begins with the length of its JSON header, 8 bytes."""
    length = int.from_bytes(content[:8], "little")
    metadata: dict[str, str] = json.loads(content[8 : 8 + length])["__metadata__"]
    return metadata


def _digest(metadata: Mapping[str, str], arrays: Arrays) -> str:
    """Hash the whole file except the hash itself: its metadata, and the name, dtype, shape and bytes of each array."""
    said = {name: text for name, text in metadata.items() if name != "sha256"}
    arrays_said = [(name, x.dtype.str, x.shape) for name, x in sorted(arrays.items())]
    digest = hashlib.sha256(json.dumps([said, arrays_said], sort_keys=True).encode())
    for _, x in sorted(arrays.items()):
        digest.update(x.tobytes())
    return digest.hexdigest()
