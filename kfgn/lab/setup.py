"""The setup of a run before the first step, and the description of the setup in `configuration.json`."""

import dataclasses
import hashlib
import json
import os
import platform
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any, NamedTuple

from .. import __version__
from ..backends import Backend, open_backend
from .arguments import check_instance
from .data.images import Report, silent
from .errors import UsageError, library
from .methods import Optimiser, make_optimiser, method_options
from .options import CHANGEABLE, Options
from .own_data import task_of
from .schema import FORMAT
from .splitting import Sets, fractions_of, split
from .task import Task, check_task

DEFAULT_BATCH = 256
"""The default number of datapoints in a step, for a task whose field `batch` is None."""

EVALUATE_EVERY, EVALUATIONS = 50, 20
"""The two numbers that determine the default number of steps between evaluations.

The default is `updates` // `EVALUATIONS`, but at least 1 and at most `EVALUATE_EVERY`. Without `updates`, the default
is `EVALUATE_EVERY`.
"""


class Setup(NamedTuple):
    """The options of a run with all defaults filled in, and the task, data, backend and optimiser of the run."""

    options: Options
    task: Task
    sets: Sets
    backend: Backend
    optimiser: Optimiser

    def hash(self) -> str:
        """Return the hash of the network, the optimiser, and the options that cannot change when the run is resumed.

        Each checkpoint contains the hash of its run, and `read_checkpoint` refuses a checkpoint with a different hash.
        """
        return _digest(dataclasses.asdict(self.options), dataclasses.asdict(self.optimiser))

    def configuration(self) -> dict[str, Any]:
        """Return the content of `configuration.json`."""
        optimiser = dataclasses.asdict(self.optimiser)
        return {
            "format": FORMAT,
            "hash": self.hash(),
            "options": dataclasses.asdict(self.options),
            "network": optimiser.pop("network"),
            "optimiser": {"class": type(self.optimiser).__name__, **optimiser},
            "data": self.data(),
            "versions": self.versions(),
            "flags": self.backend.flags(),
            "machine": {
                "platform": platform.platform(),
                "processor": platform.processor() or platform.machine(),
                "cores": os.cpu_count(),
                "threads": {name: os.environ.get(name) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")},
            },
        }

    def data(self) -> dict[str, Any]:
        """Return the description of the data set and of its split."""
        task, sets = self.task, self.sets
        return {"about": task.about, "sizes": sets.sizes(), "shape": task.shape, "sha256": sets.digest()}

    def versions(self) -> dict[str, str]:
        """Return the versions of kfgn, Python and the array libraries."""
        return {
            "kfgn": __version__,
            "numpy": version("numpy"),
            self.backend.library: self.backend.version,
            "python": platform.python_version(),
        }


def digest_of(configuration: Mapping[str, Any]) -> str:
    """Return the hash of the setup that a configuration describes."""
    optimiser = {name: value for name, value in configuration["optimiser"].items() if name != "class"}
    return _digest(configuration["options"], {**optimiser, "network": configuration["network"]})


def _digest(options: Mapping[str, Any], optimiser: Mapping[str, Any]) -> str:
    fixed = {name: value for name, value in options.items() if name not in CHANGEABLE}
    return hashlib.sha256(json.dumps([fixed, optimiser], sort_keys=True).encode()).hexdigest()


def set_up(options: Options, task: Task | None = None, report: Report = silent) -> Setup:
    """Load the data, open the backend and make the optimiser of a run.

    A given `task` is checked, and replaces the task that the options name.

    `report` receives lines about the progress of the generation of data.

    Raises `UsageError` for invalid options, an invalid task and a missing library, `DataUnavailableError` for missing
    data, and `BackendUnavailableError` for an unusable backend.
    """
    check_instance("options", options, Options)
    for name in ("safetensors", "matplotlib", "msgspec"):  # report a missing library now, not after the first updates
        library(name)
    try:
        backend = open_backend(options.backend)
    except ValueError as error:
        raise UsageError(str(error)) from error
    task = task_of(options, report) if task is None else _checked_task(task)
    optimiser = make_optimiser(task.network, options)
    options = dataclasses.replace(options, **fractions_of(task, options))  # type: ignore[arg-type]
    sets = split(task, options)
    if options.early_stopping is not None and sets.validation is None:
        raise UsageError("early_stopping: expected a validation set, got none")
    batch = _batch(options, task, len(sets.train.X))
    used = method_options(optimiser, options.method)
    every = _evaluate_every(options)
    return Setup(
        dataclasses.replace(options, batch=batch, evaluate_every=every, **used), task, sets, backend, optimiser
    )


def _evaluate_every(options: Options) -> int:
    """Return the number of steps between evaluations.

    The default is a twentieth of `updates`, but at least 1 and at most 50. Without `updates`, the default is 50.
    """
    if options.evaluate_every is not None:
        return options.evaluate_every
    return EVALUATE_EVERY if options.updates is None else max(1, min(EVALUATE_EVERY, options.updates // EVALUATIONS))


def _batch(options: Options, task: Task, n: int) -> int:
    """Return the number of datapoints in a step, for a training set of n datapoints.

    Raises `UsageError` if the option `batch` exceeds n. A default that exceeds n is reduced to n.
    """
    if options.batch is None:
        return min(DEFAULT_BATCH, n) if task.batch is None else min(task.batch, n)
    if options.batch > n:
        raise UsageError(
            f"batch: expected at most {n}, the number of training datapoints of {task.name}, got {options.batch}"
        )
    return options.batch


def _checked_task(task: Task) -> Task:
    check_instance("task", task, Task)
    try:
        check_task(task)
    except (TypeError, ValueError) as error:
        raise UsageError(f"task.{error}") from error
    return task
