"""Early stopping: the end of a run whose validation loss does not fall any more, and the weights that the run keeps."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from .metrics import Record


class EarlyStopping:
    """A count of consecutive evaluations that found no lower validation loss.

    limit:          the count at which the run stops, or None for a run without early stopping
    evaluate_every: the number of steps between evaluations. The evaluation after the last step counts only if the
                    number of that step is a multiple of `evaluate_every`. A resumed run therefore stops at the same
                    step as a run without interruption.
    lowest, best:   the lowest validation loss of the counted evaluations, and its update; infinity and None before the
                    first finite loss
    """

    def __init__(self, limit: int | None, evaluate_every: int) -> None:
        self.limit, self.evaluate_every = limit, evaluate_every
        self.lowest, self.without = math.inf, 0
        self.best: int | None = None

    def observe(self, records: Sequence[Record]) -> None:
        """Count the evaluations among the records, in the order of the updates."""
        for record in records:
            if "validation_loss" in record and record["update"] % self.evaluate_every == 0:
                loss = lower_of(record, "validation_loss")
                if loss < self.lowest:
                    self.lowest, self.best, self.without = loss, record["update"], 0
                else:
                    self.without += 1

    @property
    def stops(self) -> bool:
        """True if early stopping ends the run."""
        return self.limit is not None and self.without >= self.limit

    def is_best(self, last: Record) -> bool:
        """Return True if the last record of a run, counted or not, has the lowest validation loss so far."""
        if "validation_loss" not in last:
            return False
        return last["update"] == self.best or lower_of(last, "validation_loss") < self.lowest


def early_stopping_of(options: Mapping[str, Any], records: Sequence[Record]) -> EarlyStopping | None:
    """Return the `EarlyStopping` that has counted these records of a run, or None for a run without early stopping.

    options: the options of the run; a missing option `early_stopping` counts as None
    """
    if options.get("early_stopping") is None:
        return None
    early = EarlyStopping(options["early_stopping"], options["evaluate_every"])
    early.observe(records)
    return early


def best_update(options: Mapping[str, Any], records: Sequence[Record]) -> int | None:
    """Return the update that has the lowest validation loss, and whose weights the run keeps.

    The result is None for a run without early stopping, and for a run that has no finite validation loss.
    """
    early = early_stopping_of(options, records)
    if early is None or not records:
        return None
    return int(records[-1]["update"]) if early.is_best(records[-1]) else early.best


def average_is_best(options: Mapping[str, Any], records: Sequence[Record]) -> bool:
    """Return True if a run with early stopping has its lowest validation loss at the average of the weights."""
    best = best_update(options, records)
    if best is None:
        return False
    lower, at_weights = lower_of(records[best], "validation_loss"), records[best]["validation_loss"]
    return at_weights is None or lower < at_weights


def lower_of(record: Record, name: str) -> float:
    """Return the lower of two losses of a record: at the weights, and at the average of the weights.

    A loss that is not finite counts as infinite.
    """
    found = (record[name], record[f"{name}_averaged"])
    return min(math.inf if value is None else float(value) for value in found)
