"""The folder of a run: what it was asked, what happened at each update, and the weights it arrived at."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from .._network.dense import Dense
from .._network.network import Network
from .._validation.scalars import checked_flag
from .checkpoint import Checkpoint, newest_checkpoint
from .decoding import checked, content_of, decoded
from .errors import FileError, RunFailedError, UsageError
from .files import TEMPORARY, write_atomically
from .lock import LOCK
from .metrics import METRICS, Row, as_rows, digest, whole_lines
from .options import Options, checked_path, usage
from .records import Configuration
from .setup import digest_of

CONFIGURATION = "configuration.json"


@dataclass(frozen=True)
class Run:
    """A run as its folder has it.

    configuration: the options with the values they had, network, optimiser, data set, versions and machine
    metrics:       a row for each update, and one before the first, update 0:
                   update                    t
                   seconds                   of training so far, without evaluations and the writing of files
                   loss, f                   of the batch at the weights before the update, and with L2
                   step_size                 alpha, or minus the learning rate
                   tau, gamma, rho           of the update, null for methods that have none and where rho was not made
                   ok                        whether the update moved the weights
                   train_loss,               where evaluated: of the whole training set at the weights after the
                   train_loss_averaged       update, and at their average
                   What is not a finite number is null.
    """

    folder: Path
    configuration: dict[str, Any]
    metrics: list[Row]

    @property
    def options(self) -> dict[str, Any]:
        """Those of `Options`, by name."""
        options: dict[str, Any] = self.configuration["options"]
        return options

    @property
    def updates(self) -> int:
        """How many are done."""
        return int(self.metrics[-1]["update"]) if self.metrics else 0

    @property
    def seconds(self) -> float:
        """How long they took."""
        return float(self.metrics[-1]["seconds"]) if self.metrics else 0.0

    @property
    def rejected(self) -> int:
        """How many updates did not move the weights."""
        return sum(row.get("ok") is False for row in self.metrics)

    @property
    def evaluations(self) -> list[Row]:
        """The rows that have losses over the whole training set."""
        return [row for row in self.metrics if "train_loss" in row]

    def final(self, *, averaged: bool = False) -> float:
        """The last loss over the whole training set, at the weights or at their average; NaN if there is none."""
        averaged = usage(checked_flag, "averaged", averaged)
        rows = self.evaluations
        value = rows[-1]["train_loss_averaged" if averaged else "train_loss"] if rows else None
        return math.nan if value is None else float(value)

    def network(self) -> Network:
        """What was trained."""
        saved = self.configuration["network"]
        return Network(**{**saved, "layers": [Dense(**layer) for layer in saved["layers"]]})

    def weights(self, *, averaged: bool = False) -> tuple[NDArray[Any], ...]:
        """Those of the newest checkpoint, or their average, W_l (D_l, D_{l-1} + 1) in NumPy."""
        averaged = usage(checked_flag, "averaged", averaged)
        found = newest_checkpoint(self.folder, self.configuration["hash"], _ignore)
        if found is None:
            raise UsageError(f"{self.folder}: has no checkpoint yet")
        name = "average" if averaged else "weights"
        return tuple(found.arrays[f"{name}.{l}"] for l in range(self.network().depth))


def _ignore(_warning: str) -> None:
    """For readers: a damaged checkpoint is the trainer's to report."""


def is_run(folder: Path) -> bool:
    """Whether a run was begun there."""
    return (folder / CONFIGURATION).exists()


def check_new(folder: Path) -> None:
    """`UsageError` unless a run can begin there: in no folder yet, or in an empty one."""
    try:
        if folder.is_dir() and any(entry.suffix != TEMPORARY and entry.name != LOCK for entry in folder.iterdir()):
            resumes = "add --resume to go on with its run, or " if is_run(folder) else ""
            raise UsageError(f"out: {folder} is not empty; {resumes}name another folder")
        if folder.exists() and not folder.is_dir():
            raise UsageError(f"out: expected a folder, got the file {folder}")
    except OSError as error:
        raise UsageError(f"out: {folder} cannot be used: {error.strerror}") from error


def read_run(folder: str | Path) -> Run:
    """The run in a folder. `UsageError` if there is none, or if one of its files is not what it should be."""
    folder = Path(usage(checked_path, "folder", folder))
    configuration = read_configuration(folder)
    lines = whole_lines(folder / METRICS)
    rows = as_rows(lines, folder / METRICS)
    _check_metrics(folder, configuration["hash"], lines)
    return Run(folder, configuration, rows)


def runs_in(folder: Path) -> list[Run]:
    """Read the run in a folder or, if it is none, the runs in its folders and in the comparisons among them.

    Raises as `read_run` does, and `OSError`.
    """
    if is_run(folder) or not folder.is_dir():
        return [read_run(folder)]
    inside = sorted(path for path in folder.iterdir() if path.is_dir())
    below = {path: [path] if is_run(path) else sorted(filter(is_run, path.iterdir())) for path in inside}
    return [read_run(place) for places in below.values() for place in places] or [read_run(folder)]


def _check_metrics(folder: Path, configuration: str, lines: list[bytes]) -> None:
    """`FileError` unless the metrics are those with which the newest intact checkpoint was written."""
    try:
        found = newest_checkpoint(folder, configuration, _ignore)
    except RunFailedError:  # there is no checkpoint to compare with
        return
    if found is not None and found.metrics != digest(lines[: found.t + 1]):
        raise FileError(f"{folder / METRICS} is damaged: expected the rows of the updates 0 to {found.t}, got others")


def read_configuration(folder: Path) -> dict[str, Any]:
    """The configuration of a folder. `UsageError` if there is none, and `FileError` if it is not what was written."""
    path = folder / CONFIGURATION
    try:
        there = path.exists()
    except (OSError, ValueError) as error:
        raise UsageError(f"{folder}: there is no run here: {error}") from error
    if not there:
        raise UsageError(f"{folder}: there is no run here ({CONFIGURATION} is missing)")
    configuration = decoded(content_of(path), Configuration, path)
    checked(configuration["options"], Options, f"{path}: options")
    if configuration["hash"] != digest_of(configuration):
        raise FileError(f"{path}: hash: expected that of its options, network and optimiser, got another")
    for name in ("kfgn", "python"):
        if name not in configuration["versions"]:
            raise FileError(f"{path}: versions: expected that of {name}, got none")
    return dict(configuration)


def write_configuration(folder: Path, configuration: dict[str, Any]) -> None:
    """Raises `OSError` that names the file."""
    write_atomically(folder / CONFIGURATION, (json.dumps(configuration, indent=2) + "\n").encode())


def cut_metrics(folder: Path, checkpoint: Checkpoint | None) -> list[bytes]:
    """Drop the lines after a checkpoint, or all lines, since they will be computed again. Return those that are left.

    Raises `RunFailedError` if they are not the lines with which the checkpoint was written.
    """
    kept: list[bytes] = []
    if checkpoint is not None:
        t, path = checkpoint.t, folder / METRICS
        kept = whole_lines(path)[: t + 1]
        if len(kept) != t + 1:
            raise RunFailedError(f"{path} is damaged: expected a row for each of the updates 0 to {t}")
        if digest(kept) != checkpoint.metrics:
            raise RunFailedError(f"{path} is damaged: expected the rows of the updates 0 to {t}, got others")
    write_atomically(folder / METRICS, b"".join(kept))
    return kept
