"""What a run is asked to do."""

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import partial
from typing import Any

from .._validation.scalars import (
    checked_count,
    checked_name,
    checked_number,
    checked_period,
    checked_seed,
    set_fields,
)
from .._words import shown
from .errors import UsageError

DTYPES = ("float32", "float64")

OF_THE_METHOD = (
    "samples",
    "average",
    "inversion",
    "refresh",
    "tau",
    "gamma",
    "eta",
    "learning_rate",
    "halving",
)
"""The options that are a method's own; None is what the method has as its default."""

FREE = ("updates", "seconds", "data_folder")
"""The options that may change when a run is resumed: none of them changes a step."""


@dataclass(frozen=True)
class Options:
    """A run. It ends after `updates` steps or `seconds` of training, whichever is first; one of them is needed.

    data:             one of `kfgn.lab.TASKS`
    method:           one of `kfgn.lab.METHODS`
    backend, device:  an array library, and where it computes; None is its first device
    dtype:            float32 or float64
    updates:          the number of steps
    seconds:          the time, without evaluations and the writing of files
    batch:            datapoints in a step; None is the data set's own number
    seed:             of the initial weights, the batches and the draws

    samples:          the number of labels or projections for each datapoint: kfac, rp
    average:          the most weight that the factors of earlier batches keep: kflr, kfra, kfac, rp
    inversion:        the way in which the damped blocks are inverted: the same methods
    refresh:          the number of steps between computations of the curvature: the same methods
    tau, gamma:       the initial dampings: the same methods, hessian_free and hessian_free_blocks
    eta:              the weight of L2
    learning_rate:    the step size of sgd, momentum, nesterov and adam
    halving:          the number of steps after which the rate is halved, again and again

    evaluate_every:   steps between evaluations on the whole training set; the first and the last are evaluated too
    checkpoint_every: steps between checkpoints; the last is one too, and one comes when 30 seconds are not saved
    patience:         the number of rejected steps in a row that end the run
    data_folder:      where the data set's files are; see `kfgn.lab.data.load`

    Numbers are converted to Python's own. Raises `UsageError` for values that are no number or no name, and for numbers
    out of range. Names, and the ranges of a single method, are checked when the run is set up.
    """

    data: str
    method: str = "kfra"
    backend: str = "numpy"
    device: str | None = None
    dtype: str = "float32"
    updates: int | None = None
    seconds: float | None = None
    batch: int | None = None
    seed: int = 0
    samples: int | None = None
    average: float | None = None
    inversion: str | None = None
    refresh: int | None = None
    tau: float | None = None
    gamma: float | None = None
    eta: float | None = None
    learning_rate: float | None = None
    halving: int | None = None
    evaluate_every: int = 50
    checkpoint_every: int = 50
    patience: int = 20
    data_folder: str | None = None

    def __post_init__(self) -> None:
        for name, check in _CHECKS.items():
            set_fields(self, **{name: usage(check, name, getattr(self, name))})
        if self.updates is None and self.seconds is None:
            raise UsageError("updates, seconds: expected one of them, got neither")


def usage(check: Callable[..., Any], name: str, value: Any) -> Any:
    """The value as a check of `kfgn.options` returns it. Errors of the check become `UsageError`."""
    try:
        return check(name, value)
    except (TypeError, ValueError) as error:
        raise UsageError(str(error)) from None


def checked_path(name: str, value: Any) -> str:
    """The path of a file or folder as text: `TypeError` for other types, and `ValueError` for an empty path."""
    path = os.fspath(value) if isinstance(value, str | os.PathLike) else None
    if not isinstance(path, str):
        raise TypeError(f"{name}: expected a path, got {shown(value)}")
    if not path or "\0" in path:
        raise ValueError(f"{name}: expected a path, got {shown(value)}")
    return path


def checked_instance(name: str, value: Any, kind: type) -> None:
    """`UsageError` if the value is no instance of this class of the lab."""
    if not isinstance(value, kind):
        raise UsageError(f"{name}: expected a kfgn.lab.{kind.__name__}, got {shown(value)}")


def checked_changes(changes: Any) -> dict[str, Any]:
    """The options that change when a run is resumed, by name, or none: `UsageError` for anything else."""
    names = [field.name for field in fields(Options)]
    if changes is None:
        return {}
    if not isinstance(changes, Mapping):
        raise UsageError(f"changes: expected a mapping from names of options, got {shown(changes)}")
    for name in changes:
        if name not in names:
            raise UsageError(f"changes: expected names of {', '.join(names)}, got {shown(name)}")
    return dict(changes)


def _checked_text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name}: expected a name, got {shown(value)}")
    return str(value)


def _optional(check: Callable[..., Any]) -> Callable[..., Any]:
    return lambda name, value: None if value is None else check(name, value)


_finite = partial(checked_number, lower=-math.inf)

_CHECKS: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(("data", "method", "backend"), _checked_text),
    **dict.fromkeys(("device", "inversion"), _optional(_checked_text)),
    "dtype": partial(checked_name, known=DTYPES),
    **dict.fromkeys(("evaluate_every", "checkpoint_every", "patience"), checked_count),
    **dict.fromkeys(("updates", "batch", "samples", "refresh"), _optional(checked_count)),
    "halving": checked_period,
    "seconds": _optional(partial(checked_number, above=True)),
    "seed": checked_seed,
    **dict.fromkeys(("average", "tau", "gamma", "eta", "learning_rate"), _optional(_finite)),
    "data_folder": _optional(checked_path),
}
"""The check and conversion of each option."""
