"""The folder of a run: what it was asked, what happened at each update, and the weights it arrived at."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from ..network import Network
from ..options import checked_flag
from .checkpoint import newest_checkpoint
from .errors import RunFailedError, UsageError
from .files import TEMPORARY, write_atomically
from .lock import LOCK
from .options import checked_path, usage

CONFIGURATION, METRICS = "configuration.json", "metrics.jsonl"

Row = dict[str, Any]
"""A line of `metrics.jsonl`: see `Run.metrics`."""


@dataclass(frozen=True)
class Run:
    """A run as its folder has it.

    configuration: the options with the values they had, network, optimiser, data set, versions and machine
    metrics:       a row for each update, and one before the first, update 0:
                   update                    t
                   seconds                   of training so far, without evaluations and the writing of files
                   loss, f                   of the batch at the weights before the update, and with L2
                   step_size                 -alpha, or the learning rate
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
        return Network(**self.configuration["network"])

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
    return (folder / CONFIGURATION).is_file()


def check_new(folder: Path) -> None:
    """`UsageError` unless a run can begin there: in no folder yet, or in an empty one."""
    if folder.is_dir() and any(entry.suffix != TEMPORARY and entry.name != LOCK for entry in folder.iterdir()):
        hint = "add --resume to go on with its run, or name another folder" if is_run(folder) else "name another folder"
        raise UsageError(f"out: {folder} is not empty; {hint}")
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"out: expected a folder, got the file {folder}")


def read_run(folder: str | Path) -> Run:
    """The run in a folder. `UsageError` if there is none."""
    folder = Path(usage(checked_path, "folder", folder))
    return Run(folder, read_configuration(folder), _metrics(folder / METRICS))


def read_configuration(folder: Path) -> dict[str, Any]:
    """`UsageError` if there is none."""
    if not is_run(folder):
        raise UsageError(f"{folder}: there is no run here ({CONFIGURATION} is missing)")
    try:
        configuration: dict[str, Any] = json.loads((folder / CONFIGURATION).read_text(encoding="utf-8"))
    except ValueError as error:
        raise UsageError(f"{folder / CONFIGURATION} is damaged: {error}") from error
    return configuration


def write_configuration(folder: Path, configuration: dict[str, Any]) -> None:
    """Raises `OSError` that names the file."""
    write_atomically(folder / CONFIGURATION, (json.dumps(configuration, indent=2) + "\n").encode())


def cut_metrics(folder: Path, t: int) -> None:
    """Drop the rows after update t, which will be made again. `RunFailedError` if one before is missing."""
    rows = [row for row in _metrics(folder / METRICS) if row["update"] <= t]
    if t and [row["update"] for row in rows] != list(range(t + 1)):
        raise RunFailedError(f"{folder / METRICS} is damaged: expected a row for each of the updates 0 to {t}")
    write_atomically(folder / METRICS, as_lines(rows if t else []))


def as_lines(rows: list[Row]) -> bytes:
    """Rows as JSON lines."""
    return "".join(json.dumps(row, allow_nan=False) + "\n" for row in rows).encode()


def _metrics(path: Path) -> list[Row]:
    """The rows up to the first that a crash has torn."""
    rows: list[Row] = []
    if path.is_file():
        for line in path.read_bytes().split(b"\n")[:-1]:  # what follows the last line end is torn or nothing
            try:
                rows.append(json.loads(line))
            except ValueError:
                break
    return rows
