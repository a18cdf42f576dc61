"""The number of updates and the time that a run needs to reach the best loss of the first-order methods."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from .early_stopping import lower_of
from .methods import METHODS
from .run import Run


class Arrival(NamedTuple):
    """The number of updates and the training time in seconds at which a run first reached a loss.

    Both fields are None if the run did not reach the loss.
    """

    updates: int | None
    seconds: float | None


def best_first_order(runs: Sequence[Run]) -> float | None:
    """Return the lowest final training loss of the runs with a first-order method, or None if there is no such loss.

    Each run has two final losses: at the weights, and at the running average of the weights.
    """
    finals = [
        loss
        for run in runs
        if METHODS[run.options["method"]].first_order
        for loss in (run.final(), run.final(averaged=True))
        if not math.isnan(loss)
    ]
    return min(finals, default=None)


def arrival(run: Run, loss: float) -> Arrival:
    """Return the `Arrival` of a run: its first evaluation with a training loss of at most `loss`.

    The training loss of an evaluation is the lower of the losses at the weights and at their running average.
    """
    for record in run.evaluations:
        if lower_of(record, "train_loss") <= loss:
            return Arrival(record["update"], record["seconds"])
    return Arrival(None, None)
