"""Checkpoints: the whole state of a run in a safetensors file, written atomically. The last two are kept."""

import contextlib
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..backends import Backend
from .errors import RunFailedError, UsageError, library
from .files import write_atomically
from .trees import leaves, rebuilt

FORMAT = "1"
KEPT = 2

Arrays = dict[str, NDArray[Any]]


class Checkpoint(NamedTuple):
    """After t steps, which took so many seconds; the arrays have the names of `kfgn.lab.trees`."""

    t: int
    seconds: float
    arrays: Arrays


def checkpoints(folder: Path) -> list[Path]:
    """The checkpoints of a run, the newest first."""
    return sorted(folder.glob("checkpoint-*.safetensors"), reverse=True)


def write_checkpoint(folder: Path, state: Any, seconds: float, configuration: str, backend: Backend) -> Path:
    """Write the state, and delete what is older than the one before. Raises `OSError` that names the file.

    configuration: the hash of what the run is
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
        "turned": json.dumps(turned),
        "sha256": _digest(stored),
    }
    path = folder / f"checkpoint-{state.t:09d}.safetensors"
    write_atomically(path, library("safetensors.numpy").save(stored, metadata))
    for old in checkpoints(folder)[KEPT:]:
        with contextlib.suppress(OSError):  # one too many does no harm
            old.unlink()
    return path


def read_checkpoint(path: Path, configuration: str) -> Checkpoint:
    """A checkpoint of a run. `RunFailedError` if it is damaged, `UsageError` if it is of another run or format."""
    error_of_library = library("safetensors").SafetensorError
    try:
        content = path.read_bytes()
        stored = library("safetensors.numpy").load(content)
        metadata = _metadata(content)
        if _digest(stored) != metadata["sha256"]:
            raise ValueError("its content has changed")
    except (OSError, ValueError, KeyError, error_of_library) as error:
        raise RunFailedError(f"{path} is damaged: {' '.join(str(error).split())}") from error
    if metadata["format"] != FORMAT:
        raise UsageError(f"{path}: expected checkpoint format {FORMAT}, got {metadata['format']}")
    if metadata["configuration"] != configuration:
        raise UsageError(f"{path}: the checkpoint belongs to another configuration than the run folder's")
    turned = json.loads(metadata["turned"])
    arrays = {name: x.T if name in turned else x for name, x in stored.items()}
    return Checkpoint(int(metadata["t"]), float(metadata["seconds"]), arrays)


def newest_checkpoint(folder: Path, configuration: str, warn: Callable[[str], None]) -> Checkpoint | None:
    """The newest that is whole, with a warning for each that is not; None if there is none at all.

    Raises `RunFailedError` if there are some and none of them is whole.
    """
    paths = checkpoints(folder)
    for path in paths:
        try:
            return read_checkpoint(path, configuration)
        except RunFailedError as error:
            warn(f"{error}; going back to the checkpoint before")
    if paths:
        raise RunFailedError(f"{folder}: none of its checkpoints is whole")
    return None


def restored(state: Any, checkpoint: Checkpoint, backend: Backend) -> Any:
    """The state of a checkpoint, of the kind of `state`. `UsageError` if its arrays are others."""

    def leaf(path: str, like: Any) -> Any:
        if path == "t":
            return checkpoint.t
        if path not in checkpoint.arrays:
            raise UsageError(f"the checkpoint of update {checkpoint.t} lacks {path}")
        x = checkpoint.arrays[path]
        if x.shape != tuple(like.shape):
            raise UsageError(f"{path}: expected shape {tuple(like.shape)}, got {x.shape} in the checkpoint")
        return backend.asarray(x)

    return rebuilt(state, leaf)


def _metadata(content: bytes) -> dict[str, str]:
    """safetensors begins with the length of its JSON header, 8 bytes."""
    length = int.from_bytes(content[:8], "little")
    metadata: dict[str, str] = json.loads(content[8 : 8 + length])["__metadata__"]
    return metadata


def _digest(arrays: Arrays) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(name.encode())
        digest.update(arrays[name].tobytes())
    return digest.hexdigest()
