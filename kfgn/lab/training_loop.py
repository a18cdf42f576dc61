"""The training loop: steps, the metrics of each step, and checkpoints from which a run can be resumed."""

import hashlib
import math
import os
import time
from pathlib import Path
from typing import Any

from .._types import Array
from .batches import Batches
from .checkpoint import BEST, Best, checkpoints, newest_checkpoint, restored, write_checkpoint
from .early_stopping import EarlyStopping
from .errors import InterruptedRunError, RejectedStepsError, UsageError
from .evaluation import Evaluation, datapoints
from .initialisation import initial_weights
from .interrupts import StopRequest
from .methods import DAMPING_OPTIONS, METHODS
from .metrics import METRICS, Record, decode, encode
from .run_folder import cut_metrics
from .setup import Setup
from .task import Data
from .watch import Watch

READ_UPDATES, READ_SECONDS = 10, 0.25
"""The number of steps, and the time in seconds, after which the diagnostics of the steps are read from the device.

The limit that is reached first counts. Each read waits for the device.
"""

UNSAVED_SECONDS = 30.0
"""The training time in seconds after which a checkpoint is written, so that a killed process loses little work."""


class Trainer:
    """The state of a run, and a clock that does not count evaluations and the writing of files."""

    def __init__(self, setup: Setup, folder: Path, watch: Watch) -> None:
        self.options, self.task, self.sets, self.backend, self.optimiser = setup
        self.folder, self.watch, self.hash = folder, watch, setup.hash()
        self.X, self.Y = self._on_device(self.sets.train)
        assert self.options.batch is not None
        assert self.options.evaluate_every is not None
        self.batches = Batches(len(self.sets.train.X), self.options.batch, self.options.seed)
        self.evaluations = {"train": Evaluation(self.task.network, self.X, self.Y, self.backend)}
        if self.sets.validation is not None:
            self.evaluations["validation"] = self._evaluation(self.sets.validation)
        self.every = self.options.evaluate_every
        self.early = EarlyStopping(self.options.early_stopping, self.every)
        self.best: Best | None = None
        weights = tuple(self._array(W) for W in initial_weights(self.task.network, self.options.seed))
        self.state: Any = self.optimiser.init(weights)._replace(t=0)  # also on JAX the host counts the steps
        self.seconds, self.written, self.saved = 0.0, -1, 0.0
        self.found = found = newest_checkpoint(folder, self.hash, watch.on_warning)
        if found is not None:
            self.state = restored(self.state, found, self.backend)
            self.seconds, self.written, self.saved = found.seconds, found.t, found.seconds
        if self.options.updates is not None and self.state.t > self.options.updates:
            expected = f"at least {self.state.t}, the number of completed updates"
            raise UsageError(f"updates: expected {expected}, got {self.options.updates}")
        self.failures = int(self.backend.to_numpy(self.state.counts.failures))

    def run(self, stop: StopRequest) -> None:
        """Take steps until the limit of updates or of training time is reached, or early stopping ends the run.

        The test set is evaluated only after the last step.
        """
        kept = cut_metrics(self.folder, self.found)
        self.metrics = hashlib.sha256(b"".join(kept))
        self.early.observe(decode(kept, self.folder / METRICS))
        if self.found is not None and self.early.limit is not None and self.early.best is not None:
            self.best = restored(Best(self.state.weights, self.state.average), self.found, self.backend, BEST)
        self.watch.on_start(self.options, self.state.t, self.seconds, self.folder)
        try:
            with (self.folder / METRICS).open("ab", buffering=0) as self.file:
                self._train(stop, new=not kept)
        finally:
            self.watch.on_end()

    def _train(self, stop: StopRequest, *, new: bool) -> None:
        if new:
            start: Record = {"update": 0, "seconds": 0.0, **self._evaluated()}
            self._observe(start)
            self._write([start])
        while True:
            # a request to stop is obeyed after the last step too, since `compare` would otherwise start the next run
            if stop.requested:
                self._checkpoint()
                raise InterruptedRunError(f"stopped after update {self.state.t}, with a checkpoint in {self.folder}")
            if self._done():
                self._warn_of_rejected()
                return
            records = self._steps(stop)
            if self._done() or self.state.t % self.every == 0:
                records[-1].update(self._evaluated())
                self._observe(records[-1])
            if self._done() and self.sets.test is not None:
                records[-1].update(self._figures("test", self._evaluation(self.sets.test), self._kept(records[-1])))
            self._write(records)
            self._check_rejected(records)
            unsaved = self.seconds - self.saved > UNSAVED_SECONDS
            if self._done() or unsaved or self.state.t % self.options.checkpoint_every == 0:
                self._checkpoint()

    def _observe(self, record: Record) -> None:
        """Count an evaluation for early stopping, and keep the weights if their validation loss is the lowest."""
        self.early.observe([record])
        if self.early.limit is not None and self.early.best == record["update"]:
            self.best = Best(self.state.weights, self.state.average)

    def _kept(self, last: Record) -> Any:
        """Return the state or, with early stopping, the best weights. `last` is the last record of the run."""
        return self.state if self.best is None or self.early.is_best(last) else self.best

    def _done(self) -> bool:
        updates, seconds = self.options.updates, self.options.seconds
        if (updates is not None and self.state.t >= updates) or (seconds is not None and self.seconds >= seconds):
            return True
        return self.early.stops

    def _steps(self, stop: StopRequest) -> list[Record]:
        """Take some steps, wait for the device, and return the records of the steps.

        The time is divided equally among the steps.
        """
        infos, start, options = [], time.perf_counter(), self.options
        while True:
            self.state, info = self.optimiser.step(self.state, *self._batch(self.state.t + 1))
            infos.append(info)
            t = self.state.t
            due = t == options.updates or t % self.every == 0 or t % options.checkpoint_every == 0
            late = len(infos) == READ_UPDATES or time.perf_counter() - start > READ_SECONDS
            if due or late or stop.requested:
                break
        diagnostics = [{name: self._read(value) for name, value in info._asdict().items()} for info in infos]
        # a damping that the method does not use stays at its initial value, and is recorded as None
        without = dict.fromkeys(set(DAMPING_OPTIONS).difference(METHODS[options.method].options))
        passed = time.perf_counter() - start
        first = self.state.t - len(infos) + 1
        records = []
        for i, values in enumerate(diagnostics):
            del values["valid"]  # the targets were checked when the run was set up
            seconds = self.seconds + passed * (i + 1) / len(infos)
            records.append({"update": first + i, "seconds": seconds, **values, **without, "ok": bool(values["ok"])})
        self.seconds += passed
        return records

    def _batch(self, t: int) -> tuple[Array, Array, Array | None]:
        """Return the inputs X, the targets Y and the draws of step t."""
        indices = self.backend.asarray(self.batches(t))
        draws = self.optimiser.draw(self.options.seed, t, self.batches.N)
        X, Y = datapoints(self.backend, self.X, self.Y, indices)
        return X, Y, None if draws is None else self._array(draws)

    def _array(self, x: Any) -> Array:
        return self.backend.asarray(x.astype(self.options.dtype) if x.dtype.kind == "f" else x)

    def _read(self, value: Array | None) -> float | None:
        return None if value is None else _finite(float(self.backend.to_numpy(value)))

    def _on_device(self, data: Data) -> tuple[Array, Array]:
        X = self._array(data.X)
        return X, X if data.Y is data.X else self._array(data.Y)

    def _evaluation(self, data: Data) -> Evaluation:
        return Evaluation(self.task.network, *self._on_device(data), self.backend)

    def _evaluated(self) -> Record:
        """Return the losses on the training set and, if there is one, on the validation set.

        For a network with classes, the result also has the accuracies.
        """
        return {
            k: v
            for name, evaluation in self.evaluations.items()
            for k, v in self._figures(name, evaluation, self.state).items()
        }

    def _figures(self, name: str, evaluation: Evaluation, at: Any) -> Record:
        """Return the loss on a set, and the accuracy for a network with classes, at the weights and at their average.

        at: the state of the optimiser or the `Best` that contains the weights and their average
        """
        both = {"": evaluation(at.weights), "_averaged": evaluation(at.average)}
        record: Record = {f"{name}_loss{suffix}": _finite(figures.loss) for suffix, figures in both.items()}
        if self.task.network.classes is not None:
            record |= {f"{name}_accuracy{suffix}": figures.accuracy for suffix, figures in both.items()}
        return record

    def _write(self, records: list[Record]) -> None:
        try:
            lines = encode(records)
            self.metrics.update(lines)
            while lines:  # an almost full disk may accept only a part of the lines
                lines = lines[self.file.write(lines) :]
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self.folder / METRICS)) from error
        self.watch.on_updates(records)

    def _checkpoint(self) -> None:
        if self.written != self.state.t:
            os.fsync(self.file.fileno())  # the metrics reach the disk before the checkpoint
            write_checkpoint(
                self.folder,
                self.state,
                self.best,
                seconds=self.seconds,
                configuration=self.hash,
                metrics=self.metrics.hexdigest(),
                backend=self.backend,
            )
            self.written, self.saved = self.state.t, self.seconds

    def _check_rejected(self, records: list[Record]) -> None:
        for record in records:
            self.failures = 0 if record["ok"] else self.failures + 1
            if self.failures >= self.options.max_rejected:
                raise RejectedStepsError(
                    f"the last {self.failures} steps up to update {record['update']} of the run in {self.folder} were "
                    f"rejected, because {self._reason()}; {last_checkpoint(self.folder)}"
                )

    def _warn_of_rejected(self) -> None:
        """Warn at the end of a run that has only rejected steps, but fewer than `max_rejected`."""
        if self.failures == self.state.t > 0:
            rejected = f"all {self.failures} steps of the run in {self.folder} were rejected"
            self.watch.on_warning(f"{rejected}, because {self._reason()}")

    def _reason(self) -> str:
        """Return the reason for which the optimiser rejects steps, and remedies."""
        reason, remedy = "a value was not finite or a matrix was not positive definite", "a larger tau"
        if METHODS[self.options.method].first_order:
            reason, remedy = "a value was not finite", "a lower learning rate"
        return f"{reason}; scale the columns of X, for example to mean 0 and variance 1, or try {remedy}"


def last_checkpoint(folder: Path) -> str:
    """Return the part of an error message that names the newest checkpoint in the folder."""
    written = checkpoints(folder)
    return f"the last checkpoint is {written[0]}" if written else "no checkpoint was written yet"


def _finite(value: float) -> float | None:
    """Return the value, or None for NaN and infinity, which JSON lacks."""
    return value if math.isfinite(value) else None
