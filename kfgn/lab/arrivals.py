"""The updates and seconds after which a run reaches the best loss of the first-order methods."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from .early_stopping import lower_of
from .methods import METHODS
from .run import Run


class Arrival(NamedTuple):
    """The updates and seconds after which a run first reached a loss; None if the run did not reach the loss."""

    updates: int | None
    seconds: float | None


def best_first_order(runs: Sequence[Run]) -> float | None:
    """Return the lowest final loss of the first-order runs, at the weights or their average; None without such runs."""
    finals = [
        loss
        for run in runs
        if METHODS[run.options["method"]].first_order
        for loss in (run.final(), run.final(averaged=True))
        if not math.isnan(loss)
    ]
    return min(finals, default=None)


def arrival(run: Run, loss: float) -> Arrival:
    """Return the updates and seconds when a run first had at most this loss, at the weights or at their average."""
    for record in run.evaluations:
        if lower_of(record, "train_loss") <= loss:
            return Arrival(record["update"], record["seconds"])
    return Arrival(None, None)
