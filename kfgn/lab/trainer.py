"""Training: steps, the metrics of each step, and checkpoints from which a run can be resumed."""

import hashlib
import math
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .._types import Array
from .._words import shown
from .arguments import checked_path, with_usage_error
from .batches import Batches
from .checkpoint import checkpoints, newest_checkpoint, restored, write_checkpoint
from .errors import InterruptedRunError, RunFailedError, UsageError
from .evaluation import Evaluation, datapoints
from .initialisation import initial_weights
from .interrupts import StopRequest, stop_on_interrupt
from .lock import locked
from .metrics import METRICS, Record, encode
from .options import CHANGEABLE, Options, checked_changes
from .pictures import draw_run
from .run_folder import Run, check_new, cut_metrics, read_configuration, read_run, write_configuration
from .setup import Setup, set_up
from .tasks import Task
from .watch import Watch, checked_watch

READ_UPDATES, READ_SECONDS = 10, 0.25
"""The diagnostics are read after this number of updates or this time, so that few reads wait for the device."""

UNSAVED_SECONDS = 30.0
"""The training time after which a checkpoint is written, so that slow steps lose little when the process is killed."""


def train(options: Options, out: str | Path, *, watch: Watch | None = None, task: Task | None = None) -> Run:
    """Train a network in a new or empty folder.

    Parameters
    ----------
    options : Options
        The options of the run.
    out : path
        The folder of the run. It gets `configuration.json`, `metrics.jsonl`, checkpoints and pictures.
    watch : Watch, optional
        Callbacks that observe the run.
    task : kfgn.lab.tasks.Task, optional
        The network and the data to train on. For None they are those that `options.data` names.

    Returns
    -------
    Run
        The content of the folder after the last update.

    Raises
    ------
    UsageError
        An argument is not valid, or the folder is not empty. Nothing has been written.
    DataUnavailableError, BackendUnavailableError
        The data or the backend cannot be opened. Nothing has been written.
    RunFailedError
        The run could not continue: too many steps were rejected, a file could not be written, or the run was
        interrupted. The message names the checkpoint from which `resume` can continue.

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
    setup = set_up(options, task)
    return _trained(setup, setup.configuration(), folder, watch)


def resume(
    out: str | Path, changes: Mapping[str, Any] | None = None, *, watch: Watch | None = None, task: Task | None = None
) -> Run:
    """Continue the run in a folder from its newest usable checkpoint, exactly as if it had not stopped.

    Parameters
    ----------
    out : path
        The folder of the run.
    changes : mapping, optional
        Options by name. `updates`, `seconds` and `data_folder` may have new values. For every other option the value
        must be that of the run.
    watch : Watch, optional
        Callbacks that observe the run.
    task : kfgn.lab.tasks.Task, optional
        The network and the data of the run, if they are not those that its option `data` names.

    Returns
    -------
    Run
        The content of the folder after the last update.

    Raises
    ------
    UsageError
        An argument is not valid, the folder contains no run, or the run was started with other values.
    DataUnavailableError, BackendUnavailableError
        The data or the backend cannot be opened.
    RunFailedError
        The run could not continue.

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
    changes = checked_changes(changes)
    saved = read_configuration(folder)
    if {"updates", "seconds"} & changes.keys():
        changes = {"updates": None, "seconds": None, **changes}
    options = Options(**{**saved["options"], **changes})
    changes = {name: getattr(options, name) for name in changes}
    for name, value in changes.items():
        if name not in CHANGEABLE and value != saved["options"].get(name):
            raise UsageError(f"{name}: expected {saved['options'].get(name)!r}, as in {folder}, got {shown(value)}")
    setup = set_up(options, task)
    if setup.hash() != saved["hash"]:
        raise UsageError(f"{folder}: the run was started with other defaults, by kfgn {saved['versions']['kfgn']}")
    for name, now in setup.versions().items():
        if now != (then := saved["versions"].get(name)):
            watch.on_warning(f"{folder}: the run was started with {name} {then}, not {now}: its digits may change")
    return _trained(setup, {**saved, "options": {**saved["options"], **changes}}, folder, watch)


def _trained(setup: Setup, configuration: dict[str, Any], folder: Path, watch: Watch) -> Run:
    """Train from the newest checkpoint or from the start to the end, and draw the pictures."""
    # the trainer reads overflows from `Info.ok`, so NumPy's warnings about them are not needed
    with setup.backend.scope(setup.options.dtype), np.errstate(all="ignore"):
        try:
            with locked(folder):
                trainer = _Trainer(setup, folder, watch)
                write_configuration(folder, configuration)
                with stop_on_interrupt() as stop:
                    trainer.run(stop)
                run = read_run(folder)
                draw_run(run, setup.task)
        except OSError as error:
            raise RunFailedError(_could_not_write(error, folder)) from error
    return run


def _could_not_write(error: OSError, folder: Path) -> str:
    return f"{error.filename or folder} could not be written: {error.strerror}; {_last_checkpoint(folder)}"


def _last_checkpoint(folder: Path) -> str:
    written = checkpoints(folder)
    return f"the last checkpoint is {written[0]}" if written else "no checkpoint was written yet"


class _Trainer:
    """The state of a run, and its clock, which does not count evaluations and writing."""

    def __init__(self, setup: Setup, folder: Path, watch: Watch) -> None:
        self.options, self.task, self.backend, self.optimiser = setup
        self.folder, self.watch, self.hash = folder, watch, setup.hash()
        self.X = self._array(self.task.X)
        self.Y = self.X if self.task.reconstructs else self._array(self.task.Y)
        assert self.options.batch is not None
        self.batches = Batches(len(self.task.X), self.options.batch, self.options.seed)
        self.evaluation = Evaluation(self.task.network, self.X, self.Y, self.backend)
        weights = tuple(self._array(W) for W in initial_weights(self.task.network, self.options.seed))
        self.state: Any = self.optimiser.init(weights)
        self.seconds, self.written, self.saved = 0.0, -1, 0.0
        self.found = found = newest_checkpoint(folder, self.hash, watch.on_warning)
        if found is not None:
            self.state = restored(self.state, found, self.backend)
            self.seconds, self.written, self.saved = found.seconds, found.t, found.seconds
        if self.options.updates is not None and self.state.t > self.options.updates:
            done = self.state.t
            raise UsageError(f"updates: expected at least {done}, which are done already, got {self.options.updates}")
        self.failures = int(self.backend.to_numpy(self.state.counts.failures))

    def run(self, stop: StopRequest) -> None:
        """Take steps until all updates are done or the time is over."""
        kept = cut_metrics(self.folder, self.found)
        self.metrics = hashlib.sha256(b"".join(kept))
        self.watch.on_start(self.options, self.state.t, self.seconds)
        with (self.folder / METRICS).open("ab", buffering=0) as self.file:
            if not kept:
                self._write([{"update": 0, "seconds": 0.0, **self._evaluated()}])
            while True:
                if stop.requested:  # also after the last step, or `compare` would start the next run
                    self._checkpoint()
                    raise InterruptedRunError(
                        f"stopped after update {self.state.t}, with a checkpoint in {self.folder}"
                    )
                if self._done():
                    return
                records = self._steps(stop)
                if self._done() or self.state.t % self.options.evaluate_every == 0:
                    records[-1].update(self._evaluated())
                self._write(records)
                self._check_patience(records)
                unsaved = self.seconds - self.saved > UNSAVED_SECONDS
                if self._done() or unsaved or self.state.t % self.options.checkpoint_every == 0:
                    self._checkpoint()

    def _done(self) -> bool:
        updates, seconds = self.options.updates, self.options.seconds
        return (updates is not None and self.state.t >= updates) or (seconds is not None and self.seconds >= seconds)

    def _steps(self, stop: StopRequest) -> list[Record]:
        """Take some steps, wait for the device, and return their records, with equal parts of the time."""
        infos, start, options = [], time.perf_counter(), self.options
        while True:
            self.state, info = self.optimiser.step(self.state, *self._batch(self.state.t + 1))
            infos.append(info)
            t = self.state.t
            due = t == options.updates or t % options.evaluate_every == 0 or t % options.checkpoint_every == 0
            late = len(infos) == READ_UPDATES or time.perf_counter() - start > READ_SECONDS
            if due or late or stop.requested:
                break
        diagnostics = [{name: self._read(value) for name, value in info._asdict().items()} for info in infos]
        passed = time.perf_counter() - start
        first = self.state.t - len(infos) + 1
        records = []
        for i, values in enumerate(diagnostics):
            del values["valid"]  # the targets were checked when the run was set up
            seconds = self.seconds + passed * (i + 1) / len(infos)
            records.append({"update": first + i, "seconds": seconds, **values, "ok": bool(values["ok"])})
        self.seconds += passed
        return records

    def _batch(self, t: int) -> tuple[Array, Array, Array | None]:
        """Return X, Y and the draws of step t."""
        indices = self.backend.asarray(self.batches(t))
        draws = self.optimiser.draw(self.options.seed, t, self.batches.N)
        X, Y = datapoints(self.backend, self.X, self.Y, indices)
        return X, Y, None if draws is None else self._array(draws)

    def _array(self, x: Any) -> Array:
        return self.backend.asarray(x.astype(self.options.dtype) if x.dtype.kind == "f" else x)

    def _read(self, value: Array | None) -> float | None:
        return None if value is None else _finite(float(self.backend.to_numpy(value)))

    def _evaluated(self) -> Record:
        return {
            "train_loss": _finite(self.evaluation(self.state.weights)),
            "train_loss_averaged": _finite(self.evaluation(self.state.average)),
        }

    def _write(self, records: list[Record]) -> None:
        try:
            lines = encode(records)
            self.metrics.update(lines)
            while lines:  # an almost full disk may accept only a part
                lines = lines[self.file.write(lines) :]
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self.folder / METRICS)) from error
        self.watch.on_updates(records)

    def _checkpoint(self) -> None:
        if self.written != self.state.t:
            os.fsync(self.file.fileno())  # the metrics on disk are never behind the checkpoint
            write_checkpoint(
                self.folder,
                self.state,
                seconds=self.seconds,
                configuration=self.hash,
                metrics=self.metrics.hexdigest(),
                backend=self.backend,
            )
            self.written, self.saved = self.state.t, self.seconds

    def _check_patience(self, records: list[Record]) -> None:
        for record in records:
            self.failures = 0 if record["ok"] else self.failures + 1
            if self.failures >= self.options.patience:
                raise RunFailedError(
                    f"the last {self.failures} steps up to update {record['update']} were rejected, because a value "
                    f"was not finite or a matrix not positive definite; {_last_checkpoint(self.folder)}"
                )


def _finite(value: float) -> float | None:
    """Return None for NaN and infinity, which JSON lacks."""
    return value if math.isfinite(value) else None
