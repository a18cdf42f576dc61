"""The parts of a line of progress in the order of their importance, and the choice of the parts that fit in a line."""

import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from .methods import METHODS
from .metrics import Record
from .options import Options
from .plain_text import escaped
from .watch import Watch
from .wording import METHOD_NAMES, data_of


class Progress(Watch):
    """A `Watch` that prints only warnings. `Lines` and `Bar` derive from this class.

    A watch of this class is a context manager, so that the bar of `Bar` is stopped when the command ends.
    """

    def __init__(self, console: Any) -> None:
        self.console = console

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the context. The subclass `Bar` stops its bar."""

    def on_start(self, options: Options, updates: int, seconds: float, folder: Path) -> None:  # noqa: ARG002
        """Remember the number of updates and the time, from which the speed is computed."""
        rate = "" if options.learning_rate is None else f", rate {options.learning_rate:.3g}"
        self.title = escaped(f"{data_of(vars(options))}, {METHOD_NAMES[options.method]}{rate}")
        self.options, self.start, self.first = options, time.perf_counter(), updates
        self.evaluated: Record = {}

    def on_updates(self, records: list[Record]) -> None:
        """Remember the last record with a validation loss, since most updates are not evaluated."""
        for record in records:
            if "validation_loss" in record:
                self.evaluated = record

    def on_warning(self, message: str) -> None:
        """Print the warning."""
        self.console.print(f"kfgn: warning: {message}", style="yellow", soft_wrap=True)

    def parts(self, record: Record) -> list[str]:
        """Return the metrics of an update, the training time if it is limited, and the updates per second.

        The more important parts come first.
        """
        limit, speed = self.options.seconds, (record["update"] - self.first) / (time.perf_counter() - self.start)
        parts = {
            "loss {:.3g}": record.get("loss"),
            f"{{:.0f}} of {limit or 0:g} s": record["seconds"] if limit is not None else None,
            f"validation loss {{:.3g}}{self._at(record)}": self.evaluated.get("validation_loss"),
            "{:.3g}/s": speed,
            "tau {:.3g}": record.get("tau"),
            "gamma {:.3g}": record.get("gamma"),
            **self._step(record),
        }
        return [form.format(value) for form, value in parts.items() if value is not None]

    def _at(self, record: Record) -> str:
        """Return words such as " at 50" for the update of the last validation loss.

        The result is "" if the record itself has this loss, or if there is no validation loss yet.
        """
        update = self.evaluated.get("update")
        return "" if update in (None, record["update"]) else f" at {update}"

    def _step(self, record: Record) -> dict[str, float | None]:
        """Return alpha, or |alpha| for a first-order method: the learning rate, or 0 after a rejected step."""
        alpha = record.get("step_size")
        if alpha is not None and METHODS[self.options.method].first_order:
            return {"rate {:.3g}": abs(alpha)}
        return {"alpha {:.3g}": alpha}


def fitting(parts: Sequence[str], separator: str, width: int) -> str:
    """Join the first part and as many of the following parts as fit in a line of this width."""
    line, *others = parts
    for part in others:
        longer = f"{line}{separator}{part}"
        if len(longer) > width:
            break
        line = longer
    return line
