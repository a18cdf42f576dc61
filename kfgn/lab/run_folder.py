"""Reading and writing the files of a run folder: the configuration and the metrics."""

import json
from pathlib import Path
from typing import Any

from .._words import shown
from .arguments import checked_path, with_usage_error
from .checkpoint import Checkpoint, newest_checkpoint
from .decoding import checked, content_of, decoded
from .errors import FileError, RunFailedError, UsageError
from .files import TEMPORARY, write_atomically
from .lock import LOCK
from .metrics import METRICS, decode, digest, whole_lines
from .options import Options
from .run import Run, ignore
from .schema import FORMAT, Configuration
from .setup import digest_of

CONFIGURATION = "configuration.json"
COMPARISON = "comparison.json"


def is_run(folder: Path) -> bool:
    """Return True if a run was started in the folder."""
    return (folder / CONFIGURATION).exists()


def check_new(folder: Path) -> None:
    """Raise `UsageError` for a path where no run can start, such as a file, or a folder that is not empty.

    A folder counts as empty if it contains only the lock file and temporary files.
    """
    try:
        if folder.is_dir() and any(entry.suffix != TEMPORARY and entry.name != LOCK for entry in folder.iterdir()):
            resumes = "add --resume to continue its run, or " if is_run(folder) else ""
            raise UsageError(f"out: {folder} is not empty; {resumes}choose another folder")
        if folder.exists() and not folder.is_dir():
            raise UsageError(f"out: expected a folder, got the file {folder}")
    except OSError as error:
        raise UsageError(f"out: {folder} cannot be used: {error.strerror}") from error


def read_run(folder: str | Path) -> Run:
    """Read the run in a folder.

    Parameters
    ----------
    folder : path
        The folder of the run, the argument `out` of `train`.

    Returns
    -------
    Run

    Raises
    ------
    UsageError
        `folder` is not a path, or the folder contains no run. The configuration or the metrics are damaged. Another
        version of kfgn wrote the run in a different format.

    Examples
    --------
    >>> import tempfile
    >>> from kfgn.lab import Options, read_run, train
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     trained = train(Options("digits", updates=1), folder)
    ...     run = read_run(folder)
    >>> run == trained
    True
    """
    folder = Path(with_usage_error(checked_path, "folder", folder))
    configuration = read_configuration(folder)
    lines = whole_lines(folder / METRICS)
    records = decode(lines, folder / METRICS)
    _check_metrics(folder, configuration["hash"], lines)
    return Run(folder, configuration, records)


def _check_metrics(folder: Path, configuration: str, lines: list[bytes]) -> None:
    """Raise `FileError` if the metrics differ from the metrics with which the newest usable checkpoint was written."""
    try:
        found = newest_checkpoint(folder, configuration, ignore)
    except RunFailedError:  # without a usable checkpoint, the metrics cannot be checked
        return
    if found is not None and found.metrics != digest(lines[: found.t + 1]):
        expected = f"the records of updates 0 to {found.t}"
        raise FileError(f"{folder / METRICS} is damaged: expected {expected}, got different records")


def read_configuration(folder: Path) -> dict[str, Any]:
    """Read the configuration of a run.

    Raises `UsageError` for a folder without a run, and `FileError` for an invalid file.
    """
    path = folder / CONFIGURATION
    try:
        found = None if path.exists() else _other_than_a_run(folder)
    except (OSError, ValueError) as error:
        raise UsageError(f"{folder}: expected a run, got none: {error}") from error
    if found is not None:
        raise UsageError(f"{folder}: expected the folder of a run, got {found}")
    content = content_of(path)
    check_format(decoded(content, dict, path), path)
    configuration = decoded(content, Configuration, path)
    checked(configuration["options"], Options, f"{path}: options")
    if configuration["hash"] != digest_of(configuration):
        raise FileError(f"{path}: hash: expected the hash of the options, network and optimiser, got another hash")
    for name in ("kfgn", "python"):
        if name not in configuration["versions"]:
            raise FileError(f"{path}: versions: expected the version of {name}, got none")
    return dict(configuration)


def _other_than_a_run(folder: Path) -> str:
    """Describe a path that is not the folder of a run."""
    if not folder.exists():
        return "no folder"
    if not folder.is_dir():
        return "a file"
    if (folder / COMPARISON).exists():
        return "the folder of a comparison, whose subfolders are the runs"
    return f"a folder without the file {CONFIGURATION}"


def check_format(content: dict[str, Any], path: Path) -> None:
    """Raise `FileError` for a file that another version of kfgn has written in a different format."""
    found = content.get("format")
    if type(found) is not int or found != FORMAT:
        got = shown(found) if "format" in content else "none, as in formats before 3"
        raise FileError(f"{path}: format: expected {FORMAT}, got {got}; another version of kfgn wrote this file")


def write_configuration(folder: Path, configuration: dict[str, Any]) -> None:
    """Write `configuration.json`. Raises an `OSError` that names the file."""
    write_atomically(folder / CONFIGURATION, (json.dumps(configuration, indent=2) + "\n").encode())


def cut_metrics(folder: Path, checkpoint: Checkpoint | None) -> list[bytes]:
    """Delete the metrics that a resumed run will compute again, and return the remaining lines.

    With checkpoint=None, all metrics are deleted. Raises `RunFailedError` if the remaining lines differ from the lines
    with which the checkpoint was written.
    """
    kept: list[bytes] = []
    if checkpoint is not None:
        t, path = checkpoint.t, folder / METRICS
        kept = whole_lines(path)[: t + 1]
        if len(kept) != t + 1:
            raise RunFailedError(f"{path} is damaged: expected a record for each of the updates 0 to {t}")
        if digest(kept) != checkpoint.metrics:
            raise RunFailedError(f"{path} is damaged: expected the records of updates 0 to {t}, got different records")
    write_atomically(folder / METRICS, b"".join(kept))
    return kept
