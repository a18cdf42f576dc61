"""Early stopping: the end of a run whose validation loss does not fall any more."""

import math

from .metrics import Record


class EarlyStopping:
    """A count of the consecutive evaluations of a run that brought no lower validation loss.

    limit:          the count at which the run stops, or None for a run without early stopping
    evaluate_every: the number of steps between evaluations. The evaluation after the last step counts only if the
                    number of that step is a multiple of `evaluate_every`. A resumed run therefore stops at the same
                    step as a run without interruption.
    """

    def __init__(self, limit: int | None, evaluate_every: int) -> None:
        self.limit, self.evaluate_every = limit, evaluate_every
        self.lowest, self.without = math.inf, 0

    def observe(self, records: list[Record]) -> None:
        """Count the evaluations among the records, in the order of the updates."""
        for record in records:
            if "validation_loss" in record and record["update"] % self.evaluate_every == 0:
                loss = lower_of(record, "validation_loss")
                self.without = 0 if loss < self.lowest else self.without + 1
                self.lowest = min(self.lowest, loss)

    @property
    def stops(self) -> bool:
        """True if early stopping ends the run."""
        return self.limit is not None and self.without >= self.limit


def lower_of(record: Record, name: str) -> float:
    """Return the lower of two losses of a record: at the weights, and at the average of the weights.

    A loss that is not finite counts as infinite.
    """
    found = (record[name], record[f"{name}_averaged"])
    return min(math.inf if value is None else float(value) for value in found)
