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
from .errors import UsageError, library
from .methods import Optimiser, make_optimiser, method_options
from .options import CHANGEABLE, Options
from .schema import FORMAT
from .tasks import Task, check_task, open_task


class Setup(NamedTuple):
    """The options with all defaults filled in, and the objects that the options name."""

    options: Options
    task: Task
    backend: Backend
    optimiser: Optimiser

    def hash(self) -> str:
        """Return the hash of everything on which a step depends, which identifies the run of a checkpoint."""
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
            "data": {"about": self.task.about, "n": len(self.task.X), "shape": self.task.shape},
            "versions": self.versions(),
            "flags": self.backend.flags(),
            "machine": {
                "platform": platform.platform(),
                "processor": platform.processor() or platform.machine(),
                "cores": os.cpu_count(),
                "threads": {name: os.environ.get(name) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")},
            },
        }

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


def set_up(options: Options, task: Task | None = None) -> Setup:
    """Open the objects that the options name. A given `task` is checked, and replaces the task that the options name.

    Raises `UsageError` for invalid options, `DataUnavailableError` for missing data, and `BackendUnavailableError` for
    an unusable backend.
    """
    check_instance("options", options, Options)
    for name in ("safetensors", "matplotlib", "msgspec"):  # report a missing library now, not after the first updates
        library(name)
    try:
        backend = open_backend(options.backend)
    except ValueError as error:
        raise UsageError(str(error)) from error
    task = open_task(options.data, options.data_folder) if task is None else _checked_task(task)
    optimiser = make_optimiser(task.network, options)
    batch = task.batch if options.batch is None else options.batch
    if batch > len(task.X):
        raise UsageError(f"batch: expected at most {len(task.X)}, the number of datapoints of {task.name}, got {batch}")
    used = method_options(optimiser, options.method)
    return Setup(dataclasses.replace(options, batch=batch, **used), task, backend, optimiser)


def _checked_task(task: Task) -> Task:
    check_instance("task", task, Task)
    try:
        check_task(task)
    except (TypeError, ValueError) as error:
        raise UsageError(f"task.{error}") from error
    return task
