"""What a run is asked to do."""

import math
from dataclasses import dataclass

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
    updates:          how many steps
    seconds:          how long, without evaluations and the writing of files
    batch:            datapoints in a step; None is the data set's own number
    seed:             of the initial weights, the batches and the draws

    samples:          of the labels or projections for each datapoint: kfac, rp
    average:          how much of the averaged curvature the factors of earlier batches keep: kflr, kfra, kfac, rp
    inversion:        how the damped blocks are inverted: the same
    refresh:          every how many steps the curvature is made anew: the same
    tau, gamma:       where the dampings start: these and hf, hf-blocks
    eta:              the weight of L2
    learning_rate:    of sgd, momentum, nesterov, adam
    halving:          every how many steps that is halved

    evaluate_every:   steps between evaluations on the whole training set; the first and the last are evaluated too
    checkpoint_every: steps between checkpoints; the last is one too, and one comes when 30 seconds are not saved
    patience:         how many rejected steps in a row end the run
    data_folder:      where the data set's files are; see `kfgn.lab.data.load`

    Raises `UsageError` for numbers out of range. Names are checked where they are looked up.
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
        if self.dtype not in DTYPES:
            raise UsageError(f"dtype: expected {' or '.join(DTYPES)}, got {self.dtype!r}")
        if self.updates is None and self.seconds is None:
            raise UsageError("updates, seconds: expected one of them, got neither")
        for name in ("updates", "batch", "evaluate_every", "checkpoint_every", "patience"):
            value = getattr(self, name)
            if value is not None and (not _integer(value) or value < 1):
                raise UsageError(f"{name}: expected a positive integer, got {value!r}")
        if not _integer(self.seed) or not 0 <= self.seed < 2**63:
            raise UsageError(f"seed: expected an integer from 0 to 2^63 - 1, got {self.seed!r}")
        if self.seconds is not None and not _positive(self.seconds):
            raise UsageError(f"seconds: expected a number above 0, got {self.seconds!r}")


def _integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _positive(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value > 0
