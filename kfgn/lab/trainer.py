"""Starting and resuming a run."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .._words import shown
from .arguments import checked_path, with_usage_error
from .errors import RunFailedError, UsageError
from .interrupts import stop_on_interrupt
from .lock import locked
from .options import CHANGEABLE, Options, checked_changes
from .pictures import draw_run
from .run import Run
from .run_folder import check_new, read_configuration, read_run, write_configuration
from .setup import Setup, set_up
from .task import Task
from .training_loop import Trainer, last_checkpoint
from .watch import Callbacks, Watch, checked_watch


def train(options: Options, out: str | Path, *, watch: Callbacks = None, task: Task | None = None) -> Run:
    """Train a network, and write the run into a new or empty folder.

    Parameters
    ----------
    options : Options
        The options of the run.
    out : path
        The folder of the run, in which `configuration.json`, `metrics.jsonl`, checkpoints and pictures are written.
    watch : Watch, function, or list of them, optional
        Callbacks that observe the run. A function is called with the record of each update.
    task : Task, optional
        The network and the data. With task=None, `options.data` names the task.

    Returns
    -------
    Run
        The record of the run after the last update.

    Raises
    ------
    UsageError
        An argument is not valid, the folder is not empty, or another process trains in the folder. `train` raises the
        error before any file is written.
    DataUnavailableError, BackendUnavailableError
        The data or the backend cannot be opened. `train` raises the error before any file is written.
    RunFailedError
        The run could not continue: too many steps were rejected, a file could not be written, or the run was
        interrupted. `resume` continues the run from its newest checkpoint.

    Examples
    --------
    >>> import tempfile
    >>> from kfgn.lab import Options, train
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = train(Options("digits", method="kfra", updates=2), f"{folder}/run")
    >>> run.updates
    2
    >>> run.metrics[0]["train_loss"] > run.final()
    True
    """
    folder, watch = Path(with_usage_error(checked_path, "out", out)), checked_watch(watch)
    check_new(folder)
    setup = set_up(options, task, watch.on_preparation)
    return _trained(setup, setup.configuration(), folder, watch)


def resume(
    out: str | Path, changes: Mapping[str, Any] | None = None, *, watch: Callbacks = None, task: Task | None = None
) -> Run:
    """Continue the run in a folder from the newest usable checkpoint.

    A run that has not written a checkpoint yet starts again at update 0. On NumPy, with the same versions and on the
    same machine, the losses and the weights are the same, bit for bit, as without the interruption.

    Parameters
    ----------
    out : path
        The folder of the run.
    changes : mapping, optional
        Values of options by name. The options `updates`, `seconds`, `early_stopping`, `data_folder` and `npz` may have
        new values. If only one of `updates` and `seconds` is given, the other limit is removed. The change of
        `early_stopping` from or to None is an error. Every other option in `changes` must have the value with which the
        run was started.
    watch : Watch, function, or list of them, optional
        Callbacks that observe the run. A function is called with the record of each update.
    task : Task, optional
        The task that was given to `train`. With task=None, the option `data` of the run names the task.

    Returns
    -------
    Run
        The record of the run after the last update.

    Raises
    ------
    UsageError
        An argument is not valid, the folder contains no run, or another process trains in the folder. A `UsageError` is
        also raised if the run was started with other data, with a different network, or with different values of
        options that cannot change.
    DataUnavailableError, BackendUnavailableError
        The data or the backend cannot be opened.
    RunFailedError
        The run could not continue or was interrupted, or a file could not be written.

    Examples
    --------
    >>> import tempfile
    >>> from kfgn.lab import Options, resume, train
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     first = train(Options("digits", updates=1), folder)
    ...     run = resume(folder, {"updates": 2})
    >>> first.updates, run.updates
    (1, 2)
    """
    folder, watch = Path(with_usage_error(checked_path, "out", out)), checked_watch(watch)
    setup, saved = set_up_to_resume(folder, changes, task, watch)
    for name, now in setup.versions().items():
        if now != (then := saved["versions"].get(name)):
            watch.on_warning(f"{folder}: the run was started with {name} {then}, not {now}, so numbers may change")
    return _trained(setup, saved, folder, watch)


def set_up_to_resume(folder: Path, changes: Any, task: Task | None, watch: Watch) -> tuple[Setup, dict[str, Any]]:
    """Set up the run in the folder again, and return the setup and the configuration with the changed options.

    Raises the errors of `resume` that an argument, the data or the backend causes. No file is written.
    """
    saved, options, changes = options_to_resume(folder, changes)
    if task is None:
        _check_file(options, folder)
    setup = set_up(options, task, watch.on_preparation)
    if setup.hash() != saved["hash"]:
        expected = f"expected the network and the defaults with which kfgn {saved['versions']['kfgn']} started the run"
        raise UsageError(f"{folder}: {expected}, got different ones")
    _check_data(folder, saved["data"], setup.data())
    return setup, {**saved, "options": {**saved["options"], **changes}}


def options_to_resume(folder: Path, changes: Any) -> tuple[dict[str, Any], Options, dict[str, Any]]:
    """Return the configuration of a run, its options with the changes, and the changes in Python's own types.

    If `changes` has only one of `updates` and `seconds`, the other limit becomes None. Raises `UsageError` if a change
    is not allowed.
    """
    changes = checked_changes(changes)
    saved = read_configuration(folder)
    if {"updates", "seconds"} & changes.keys():
        changes = {"updates": None, "seconds": None, **changes}
    options = Options(**{**saved["options"], **changes})
    changes = {name: getattr(options, name) for name in changes}
    _check_same_weights_are_kept(changes, saved["options"], folder)
    for name, value in changes.items():
        was = saved["options"].get(name)
        was = tuple(was) if isinstance(was, list) else was
        if name not in CHANGEABLE and value != was:
            raise UsageError(f"{name}: expected {was!r}, as in {folder}, got {shown(value)}")
    return saved, options, changes


def _check_same_weights_are_kept(changes: Mapping[str, Any], saved: Mapping[str, Any], folder: Path) -> None:
    """Raise `UsageError` if early stopping is switched on or off, since it determines the weights that a run keeps."""
    was, now = saved["early_stopping"], changes.get("early_stopping", saved["early_stopping"])
    if (was is None) != (now is None):
        expected, kept = ("no value", "last") if was is None else ("a positive integer", "best")
        raise UsageError(
            f"early_stopping: expected {expected}, since the run in {folder} keeps its {kept} weights, got {now}"
        )


def _check_file(options: Options, folder: Path) -> None:
    """Raise `UsageError` if the .npz file of a run no longer exists at its path."""
    if options.npz is not None and not Path(options.npz).exists():
        expected = f"expected the .npz file of the run in {folder}"
        missing = f"got {options.npz}, which does not exist"
        raise UsageError(f"npz: {expected}, {missing}; give the new path of the file with the option npz")


def _check_data(folder: Path, saved: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    """Raise `UsageError` if the data differ from those with which the run in the folder was started."""

    def described(data: Mapping[str, Any]) -> str:
        return f"{' + '.join(map(str, data['sizes'].values()))} datapoints with the SHA-256 {data['sha256'][:8]}..."

    if saved["sha256"] != found["sha256"]:
        raise UsageError(f"data: expected the data of the run in {folder}, {described(saved)}, got {described(found)}")


def _trained(setup: Setup, configuration: dict[str, Any], folder: Path, watch: Watch) -> Run:
    """Train to the end, from the newest checkpoint or from the start, and draw the pictures."""
    # the trainer reads overflows from `Info.ok`, so NumPy's warnings about them are not needed
    with setup.backend.scope(setup.options.dtype), np.errstate(all="ignore"):
        try:
            with locked(folder):
                trainer = Trainer(setup, folder, watch)
                write_configuration(folder, configuration)
                with stop_on_interrupt() as stop:
                    trainer.run(stop)
                run = read_run(folder)
                draw_run(run, setup.task)
        except OSError as error:
            raise RunFailedError(_could_not_write(error, folder)) from error
    return run


def _could_not_write(error: OSError, folder: Path) -> str:
    return f"{error.filename or folder} could not be written: {error.strerror}; {last_checkpoint(folder)}"
