"""Training: steps, what is written about them, and checkpoints to go on from."""

import hashlib
import math
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .._curvature.loss_and_gradient import loss
from .._types import Array
from .._words import shown
from .batches import Batches
from .checkpoint import checkpoints, newest_checkpoint, restored, write_checkpoint
from .errors import RunFailedError, UsageError
from .evaluation import Evaluation, taken
from .initial import initial_weights
from .interrupts import Asked, interrupts
from .lock import locked
from .metrics import METRICS, Row, as_lines
from .options import FREE, Options, checked_changes, checked_path, usage
from .pictures import draw_run
from .run_folder import Run, check_new, cut_metrics, read_configuration, read_run, write_configuration
from .setup import Setup, set_up
from .tasks import Task
from .watch import Watch, checked_watch

READ_UPDATES, READ_SECONDS = 10, 0.25
"""Infos are read after so many updates, or so much time: the device is not waited for at every one."""

UNSAVED_SECONDS = 30.0
"""A checkpoint comes when so much training is not saved, however slow the steps: a kill costs little more."""


class InterruptedRunError(RunFailedError):
    """A run was asked to stop, and has written a checkpoint."""


def train(options: Options, out: str | Path, *, watch: Watch | None = None, task: Task | None = None) -> Run:
    """Train as the options say, in a new or empty folder `out`; returns what that then holds.

    task: that of the options, if it is open already.
    Raises `UsageError`, `DataUnavailableError` and `BackendUnavailableError` for what cannot be begun, and
    `RunFailedError` for what cannot go on.
    """
    folder, watch = Path(usage(checked_path, "out", out)), checked_watch(watch)
    check_new(folder)
    setup = set_up(options, task)
    return _trained(setup, setup.configuration(), folder, watch)


def resume(
    out: str | Path, changes: Mapping[str, Any] | None = None, *, watch: Watch | None = None, task: Task | None = None
) -> Run:
    """Go on with the run in a folder from its newest whole checkpoint, exactly as if it had not stopped.

    changes: options that were given again. Those of `kfgn.lab.options.FREE` may be others than before, such as a
             larger `updates`; one of the rest that differs from the run's is a `UsageError`.
    Raises as `train` does.
    """
    folder, watch = Path(usage(checked_path, "out", out)), checked_watch(watch)
    changes = checked_changes(changes)
    saved = read_configuration(folder)
    if {"updates", "seconds"} & changes.keys():
        changes = {"updates": None, "seconds": None, **changes}
    options = Options(**{**saved["options"], **changes})
    changes = {name: getattr(options, name) for name in changes}
    for name, value in changes.items():
        if name not in FREE and value != saved["options"].get(name):
            raise UsageError(f"{name}: expected {saved['options'].get(name)!r}, as in {folder}, got {shown(value)}")
    setup = set_up(options, task)
    if setup.hash() != saved["hash"]:
        raise UsageError(f"{folder}: the run was begun with other defaults, by kfgn {saved['versions']['kfgn']}")
    for name, now in setup.versions().items():
        if now != (then := saved["versions"].get(name)):
            watch.warns(f"{folder}: the run was begun with {name} {then} and goes on with {now}: its digits may differ")
    return _trained(setup, {**saved, "options": {**saved["options"], **changes}}, folder, watch)


def _trained(setup: Setup, configuration: dict[str, Any], folder: Path, watch: Watch) -> Run:
    """From the newest checkpoint, or the start, to the end and its pictures."""
    # what overflows is told by `Info.ok`, so that NumPy need not tell too
    with setup.backend.scope(setup.options.dtype), np.errstate(all="ignore"):
        try:
            with locked(folder):
                trainer = _Trainer(setup, folder, watch)
                write_configuration(folder, configuration)
                with interrupts() as asked:
                    trainer.go(asked)
                run = read_run(folder)
                draw_run(run, setup.task)
        except OSError as error:
            raise RunFailedError(_could_not_write(error, folder)) from error
    return run


def _could_not_write(error: OSError, folder: Path) -> str:
    return f"{error.filename or folder} could not be written: {error.strerror}; {_last_good(folder)}"


def _last_good(folder: Path) -> str:
    written = checkpoints(folder)
    return f"the last good checkpoint is {written[0]}" if written else "no checkpoint was written yet"


class _Trainer:
    """The state of a run, and the clock, which stands while it evaluates and writes."""

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
        self.found = found = newest_checkpoint(folder, self.hash, watch.warns)
        if found is not None:
            self.state = restored(self.state, found, self.backend)
            self.seconds, self.written, self.saved = found.seconds, found.t, found.seconds
        if self.options.updates is not None and self.state.t > self.options.updates:
            raise UsageError(f"updates: expected at least {self.state.t}, which are done, got {self.options.updates}")
        self.failures = int(self.backend.to_numpy(self.state.counts.failures))

    def go(self, asked: Asked) -> None:
        """Steps until the budget is spent."""
        kept = cut_metrics(self.folder, self.found)
        self.metrics = hashlib.sha256(b"".join(kept))
        self.watch.begins(self.options, self.state.t, self.seconds)
        with (self.folder / METRICS).open("ab", buffering=0) as self.file:
            if not kept:
                self._write([{"update": 0, "seconds": 0.0, **self._evaluated()}])
            while True:
                if asked.to_stop:  # even with the last step, or whoever runs several would begin the next
                    self._checkpoint()
                    raise InterruptedRunError(
                        f"stopped after update {self.state.t}, with a checkpoint in {self.folder}"
                    )
                if self._done():
                    return
                rows = self._steps(asked)
                if self._done() or self.state.t % self.options.evaluate_every == 0:
                    rows[-1].update(self._evaluated())
                self._write(rows)
                self._check_patience(rows)
                unsaved = self.seconds - self.saved > UNSAVED_SECONDS
                if self._done() or unsaved or self.state.t % self.options.checkpoint_every == 0:
                    self._checkpoint()

    def _done(self) -> bool:
        updates, seconds = self.options.updates, self.options.seconds
        return (updates is not None and self.state.t >= updates) or (seconds is not None and self.seconds >= seconds)

    def _steps(self, asked: Asked) -> list[Row]:
        """Some steps, and their rows once the device has done them. Their time is shared out evenly."""
        infos, start, options = [], time.perf_counter(), self.options
        while True:
            self.state, info = self.optimiser.step(self.state, *self._batch(self.state.t + 1))
            infos.append(info)
            t = self.state.t
            due = t == options.updates or t % options.evaluate_every == 0 or t % options.checkpoint_every == 0
            late = len(infos) == READ_UPDATES or time.perf_counter() - start > READ_SECONDS
            if due or late or asked.to_stop:
                break
        read = [{name: self._read(value) for name, value in info._asdict().items()} for info in infos]
        passed = time.perf_counter() - start
        first = self.state.t - len(infos) + 1
        for t, row in enumerate(read, start=first):
            if not row.pop("valid"):
                raise UsageError(self._wrong_targets(t))
        rows = [
            {"update": first + i, "seconds": self.seconds + passed * (i + 1) / len(infos), **row, "ok": bool(row["ok"])}
            for i, row in enumerate(read)
        ]
        self.seconds += passed
        return rows

    def _batch(self, t: int) -> tuple[Array, Array, Array | None]:
        """X, Y and the draws of step t."""
        rows = self.backend.asarray(self.batches(t))
        draws = self.optimiser.draw(self.options.seed, t, self.batches.N)
        return *taken(self.backend, self.X, self.Y, rows), None if draws is None else self._array(draws)

    def _wrong_targets(self, t: int) -> str:
        """The fault of the targets of update t, in the words of the eager functions."""
        X, Y, _ = self._batch(t)
        try:
            loss(self.task.network, self.state.weights, X, Y)
        except ValueError as error:
            return f"data: {self.task.name}: the batch of update {t} cannot be trained on: {error}"
        return f"data: {self.task.name}: the batch of update {t} cannot be trained on"

    def _array(self, x: Any) -> Array:
        return self.backend.asarray(x.astype(self.options.dtype) if x.dtype.kind == "f" else x)

    def _read(self, value: Array | None) -> float | None:
        return None if value is None else _finite(float(self.backend.to_numpy(value)))

    def _evaluated(self) -> Row:
        return {
            "train_loss": _finite(self.evaluation(self.state.weights)),
            "train_loss_averaged": _finite(self.evaluation(self.state.average)),
        }

    def _write(self, rows: list[Row]) -> None:
        try:
            lines = as_lines(rows)
            self.metrics.update(lines)
            while lines:  # a disk that is almost full takes a part
                lines = lines[self.file.write(lines) :]
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self.folder / METRICS)) from error
        self.watch.goes_on(rows)

    def _checkpoint(self) -> None:
        if self.written != self.state.t:
            os.fsync(self.file.fileno())  # a checkpoint never knows more than the metrics
            write_checkpoint(
                self.folder,
                self.state,
                seconds=self.seconds,
                configuration=self.hash,
                metrics=self.metrics.hexdigest(),
                backend=self.backend,
            )
            self.written, self.saved = self.state.t, self.seconds

    def _check_patience(self, rows: list[Row]) -> None:
        for row in rows:
            self.failures = 0 if row["ok"] else self.failures + 1
            if self.failures >= self.options.patience:
                raise RunFailedError(
                    f"the last {self.failures} steps up to update {row['update']} were rejected, as something in them "
                    f"was not finite or not positive definite; {_last_good(self.folder)}"
                )


def _finite(value: float) -> float | None:
    """JSON has neither NaN nor infinity."""
    return value if math.isfinite(value) else None
