"""Early stopping: the end of a run whose validation loss does not fall any more."""

import math

from .metrics import Record


class EarlyStopping:
    """The evaluations of a run, and whether the last `limit` of them brought no lower validation loss.

    limit:          the number of consecutive evaluations without a lower loss that stop the run, or None for no stop
    evaluate_every: the number of steps between evaluations. An additional evaluation after the last step of a shorter
                    run is not counted, so that a resumed run stops at the same step as a run without interruption.
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
        """True if the run ends."""
        return self.limit is not None and self.without >= self.limit


def lower_of(record: Record, name: str) -> float:
    """Return the lower of a loss at the weights and at their average. A loss that is not finite counts as infinite."""
    found = (record[name], record[f"{name}_averaged"])
    return min(math.inf if value is None else float(value) for value in found)
