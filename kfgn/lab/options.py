"""The options of a run."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

from .._documentation import Documented
from .._validation.scalars import (
    checked_count,
    checked_name,
    checked_number,
    checked_period,
    checked_seed,
    set_fields,
)
from .._words import shown
from .arguments import checked_path, with_usage_error
from .errors import UsageError

DTYPES = ("float32", "float64")

METHOD_OPTIONS = (
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
"""The options of optimisers. For an option that is None, a method uses its own default, if it has one."""

CHANGEABLE = ("updates", "seconds", "early_stopping", "data_folder", "npz")
"""The options that may change when a run is resumed, since a step does not depend on them."""


@dataclass(frozen=True)
class Options(metaclass=Documented):
    """The options of a run, which ends after `updates` steps or `seconds` of training, whichever comes first.

    Numbers are converted to Python's own types. Unless the description of an option states otherwise, the value None
    means the default of the data set or of the method.

    Parameters
    ----------
    data : str
        The data set and network, one of `kfgn.lab.TASKS`, or "npz" for your own data. If a task is given to `train`,
        the name may be any text.
    method : str
        The optimiser, one of `kfgn.lab.METHODS`.
    backend : str
        The array library and device, one of `kfgn.backends.BACKENDS`.
    dtype : str
        The dtype of weights and data, "float32" or "float64".
    updates : int, optional
        The number of steps; None for no limit. At least one of `updates` and `seconds` is required.
    seconds : float, optional
        The training time in seconds, which excludes evaluations and the writing of files; None for no limit.
    batch : int, optional
        The number N of datapoints in the batch of a step.
    seed : int
        The seed of the initial weights, the batches and the draws.
    validation_fraction : float, optional
        The fraction of the datapoints that is split off for validation, by default 0.1. For a data set with its own
        validation set, such as mnist, the option must be None.
    test_fraction : float, optional
        The fraction of the datapoints that is split off for the test, by default 0.2. For a data set with its own test
        set, such as mnist, the option must be None.
    split_seed : int
        The seed of the split into training, validation and test datapoints. The split does not depend on `seed`, so
        that runs with different values of `seed` are tested on the same datapoints.
    samples : int, optional
        The number S of sampled labels (kfac, ekfac, tkfac, tnt, kfoc) or random projections (rp) per datapoint. With
        None, kfac and rp have one sample, and the other methods use the exact root of H_L.
    average : float, optional
        The largest weight of earlier batches in the running average of the factors (kflr, kfra, kfac, rp, ekfac, tkfac,
        tnt, kfoc, foof).
    inversion : str, optional
        The inversion of the damped blocks: "trace", "frobenius", "spectral" or "exact" (the methods listed at
        `average`, except ekfac).
    refresh : int, optional
        The number of steps between computations of the factors (the methods listed at `average`).
    tau : float, optional
        The initial damping tau of the full matrix (the methods listed at `average`, hessian_free, hessian_free_blocks).
    gamma : float, optional
        The initial damping gamma of the blocks (the methods listed at `average`, hessian_free_blocks).
    eta : float, optional
        The weight of L2 regularisation (all methods).
    learning_rate : float, optional
        The learning rate, which sgd, momentum and nesterov require and which is optional for adam.
    halving : int, optional
        The number of accepted steps between two halvings of the learning rate (sgd, momentum, nesterov, adam).
    evaluate_every : int, optional
        The number of steps between evaluations on the whole training set and the validation set. The initial and the
        final weights are evaluated too. With evaluate_every=None, the number is a twentieth of `updates`, but at least
        1 and at most 50. Without `updates`, the number is 50. A resumed run keeps the number with which it was started.
    checkpoint_every : int
        The number of steps between checkpoints. A checkpoint is also written after the last step, after an
        interruption, and after more than 30 seconds of training without a checkpoint.
    early_stopping : int, optional
        The number of consecutive evaluations without a lower validation loss after which the run ends. The validation
        loss of an evaluation is the lower of the losses at the weights and at their average. The run keeps the weights
        of the update with the lowest validation loss. With early_stopping=None, the run keeps the weights of its last
        update.
    max_rejected : int
        The number of consecutive rejected steps that end the run with an error.
    data_folder : path, optional
        The folder of the files of the data set. With data_folder=None, the environment variable KFGN_DATA names the
        folder. Without the variable, the folder is a cache into which missing files are downloaded. A relative path is
        converted to an absolute path.
    npz : path, optional
        The .npz file of data="npz", with arrays X and Y and, optionally, X_validation, Y_validation, X_test and Y_test.
        Without Y the network reconstructs X. A relative path is converted to an absolute path.
    widths : sequence of int, optional
        The widths D_0, ..., D_L of a dense network with biases: the number of inputs, and the number of units of each
        layer. With widths=None, the network is that of the data set. The data set "npz" requires widths.
    transfers : sequence of str, optional
        The transfer functions of the hidden layers, or one name for all of them. With transfers=None, the transfer
        functions are those of the data set if the number of hidden layers is the same, and otherwise "tanh".
    objective : str, optional
        The objective: "squared_error", "bernoulli", "categorical" or "mixture". The data set "npz" requires an
        objective.

    Raises
    ------
    UsageError
        A value has a wrong type or is out of range, or both `updates` and `seconds` are None. Some values are checked
        later, when the run is set up: every name except `dtype`, and the ranges of `average`, `tau`, `gamma`, `eta` and
        `learning_rate`. All conditions that depend on the method or the data, such as the largest `batch`, are also
        checked then.

    Examples
    --------
    >>> from kfgn.lab import Options
    >>> options = Options("digits", method="kfac", updates=100, samples=2)
    >>> options.backend, options.samples, options.tau
    ('numpy', 2, None)
    """

    data: str
    method: str = "kfra"
    backend: str = "numpy"
    dtype: str = "float32"
    updates: int | None = None
    seconds: float | None = None
    batch: int | None = None
    seed: int = 0
    validation_fraction: float | None = None
    test_fraction: float | None = None
    split_seed: int = 0
    samples: int | None = None
    average: float | None = None
    inversion: str | None = None
    refresh: int | None = None
    tau: float | None = None
    gamma: float | None = None
    eta: float | None = None
    learning_rate: float | None = None
    halving: int | None = None
    evaluate_every: int | None = None
    checkpoint_every: int = 50
    early_stopping: int | None = None
    max_rejected: int = 20
    data_folder: str | None = None
    npz: str | None = None
    widths: tuple[int, ...] | None = None
    transfers: tuple[str, ...] | None = None
    objective: str | None = None

    def __post_init__(self) -> None:
        for name, check in _CHECKS.items():
            set_fields(self, **{name: with_usage_error(check, name, getattr(self, name))})
        if self.updates is None and self.seconds is None:
            raise UsageError("updates, seconds: expected at least one of them, got neither")


def checked_changes(changes: Any) -> dict[str, Any]:
    """Return the new values of options of a resumed run, by name.

    With changes=None, no option changes. Raises `UsageError` for an unknown name, and if `changes` is not a mapping.
    """
    names = [field.name for field in fields(Options)]
    if changes is None:
        return {}
    if not isinstance(changes, Mapping):
        raise UsageError(f"changes: expected a mapping from option names to values, got {shown(changes)}")
    for name in changes:
        if name not in names:
            raise UsageError(f"changes: expected option names, each one of {', '.join(names)}, got {shown(name)}")
    return dict(changes)


def _checked_text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name}: expected a name, got {shown(value)}")
    return str(value)


def _absolute_path(name: str, value: Any) -> str:
    """Return an absolute path, since a run may be resumed from another working directory."""
    return str(Path(checked_path(name, value)).absolute())


def _optional(check: Callable[..., Any]) -> Callable[..., Any]:
    return lambda name, value: None if value is None else check(name, value)


def _each(check: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that checks each value of a tuple or list, and returns the values as a tuple."""

    def checked(name: str, value: Any) -> tuple[Any, ...]:
        if not isinstance(value, tuple | list) or not value:
            raise TypeError(f"{name}: expected a tuple or list of values, got {shown(value)}")
        return tuple(check(name, each) for each in value)

    return checked


_finite = partial(checked_number, lower=-math.inf)

_CHECKS: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(("data", "method", "backend"), _checked_text),
    **dict.fromkeys(("inversion", "objective"), _optional(_checked_text)),
    "widths": _optional(_each(checked_count)),
    "transfers": _optional(_each(_checked_text)),
    "dtype": partial(checked_name, known=DTYPES),
    **dict.fromkeys(("checkpoint_every", "max_rejected"), checked_count),
    **dict.fromkeys(
        ("updates", "batch", "samples", "refresh", "evaluate_every", "early_stopping"), _optional(checked_count)
    ),
    "halving": checked_period,
    "seconds": _optional(partial(checked_number, above=True)),
    **dict.fromkeys(("seed", "split_seed"), checked_seed),
    **dict.fromkeys(
        ("validation_fraction", "test_fraction"), _optional(partial(checked_number, upper=1.0, below=True))
    ),
    **dict.fromkeys(("average", "tau", "gamma", "eta", "learning_rate"), _optional(_finite)),
    **dict.fromkeys(("data_folder", "npz"), _optional(_absolute_path)),
}
"""The check and conversion of each option."""
