"""All that a run needs before its first step, and its description."""

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
from .errors import UsageError, library
from .methods import Optimiser, make_optimiser, settings
from .options import FREE, Options, checked_instance
from .tasks import Task, open_task


class Setup(NamedTuple):
    """The options with every value that is used, and what they name."""

    options: Options
    task: Task
    backend: Backend
    optimiser: Optimiser

    def hash(self) -> str:
        """Of all that a step depends on, so that a checkpoint knows its run."""
        return _digest(dataclasses.asdict(self.options), dataclasses.asdict(self.optimiser))

    def configuration(self) -> dict[str, Any]:
        """For `configuration.json`."""
        optimiser = dataclasses.asdict(self.optimiser)
        return {
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
        """Of what computes."""
        return {
            "kfgn": __version__,
            "numpy": version("numpy"),
            self.backend.name: self.backend.version,
            "python": platform.python_version(),
        }


def digest_of(configuration: Mapping[str, Any]) -> str:
    """The hash that the setup of a configuration has."""
    optimiser = {name: value for name, value in configuration["optimiser"].items() if name != "class"}
    return _digest(configuration["options"], {**optimiser, "network": configuration["network"]})


def _digest(options: Mapping[str, Any], optimiser: Mapping[str, Any]) -> str:
    fixed = {name: value for name, value in options.items() if name not in FREE}
    return hashlib.sha256(json.dumps([fixed, optimiser], sort_keys=True).encode()).hexdigest()


def set_up(options: Options, task: Task | None = None) -> Setup:
    """Open what the options name; `task` if it is open already.

    Raises `UsageError`, `DataUnavailableError` and `BackendUnavailableError`.
    """
    checked_instance("options", options, Options)
    if task is not None:
        checked_instance("task", task, Task)
    for name in ("safetensors", "matplotlib", "msgspec"):  # an error now, and not after the first updates
        library(name)
    try:
        backend = open_backend(options.backend, options.device)
    except ValueError as error:
        raise UsageError(str(error)) from error
    if task is None:
        task = open_task(options.data, options.data_folder)
    optimiser = make_optimiser(task.network, options)
    batch = task.batch if options.batch is None else options.batch
    if batch > len(task.X):
        raise UsageError(f"batch: expected at most {len(task.X)}, the size of {task.name}, got {batch}")
    used = settings(optimiser, options.method)
    return Setup(dataclasses.replace(options, device=backend.device, batch=batch, **used), task, backend, optimiser)
