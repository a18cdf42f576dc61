"""The progress of the command `kfgn`: a bar on a terminal, and otherwise a line every few seconds."""

import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from .errors import library
from .metrics import Record
from .options import Options
from .plain_text import escaped
from .watch import Watch
from .wording import METHOD_NAMES

INTERVAL = 5.0
"""The seconds between two lines. A run that is shorter prints no line."""


def progress_on(console: Any, *, quiet: bool = False) -> "Progress":
    """Return a bar for a terminal, lines for a pipe or a file, and neither of them if `quiet`."""
    if quiet:
        return Progress(console)
    if not console.is_terminal:
        return Lines(console)
    library("rich.progress")
    from .progress_bar import Bar

    return Bar(console)


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
        self.title = escaped(f"{options.data}, {METHOD_NAMES[options.method]}{rate}")
        self.options, self.start, self.first = options, time.perf_counter(), updates
        self.validation_loss: float | None = None

    def on_updates(self, records: list[Record]) -> None:
        """Remember the last validation loss, since most updates are not evaluated."""
        for record in records:
            self.validation_loss = record.get("validation_loss", self.validation_loss)

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
            "validation loss {:.3g}": self.validation_loss,
            "{:.3g}/s": speed,
            "tau {:.3g}": record.get("tau"),
            "gamma {:.3g}": record.get("gamma"),
            "alpha {:.3g}": record.get("step_size"),
        }
        return [form.format(value) for form, value in parts.items() if value is not None]


class Lines(Progress):
    """A watch that prints a line every few seconds, for a pipe or a file."""

    def __init__(self, console: Any) -> None:
        super().__init__(console)
        self.next = time.monotonic() + INTERVAL

    def on_preparation(self, line: str) -> None:
        """Print the line if `INTERVAL` seconds have passed since the last printed line."""
        self._print(line)

    def on_updates(self, records: list[Record]) -> None:
        """Print the metrics of the last update if `INTERVAL` seconds have passed since the last printed line."""
        super().on_updates(records)
        record, options = records[-1], self.options
        if record["update"]:
            of = f" of {options.updates}" if options.updates is not None else ""
            start = f"{self.title}: update {record['update']}{of}"
            self._print(fitting([start, *self.parts(record)], ", ", self.console.width))

    def _print(self, line: str) -> None:
        if time.monotonic() >= self.next:
            self.console.print(line, soft_wrap=True)  # the console flushes each line
            self.next = time.monotonic() + INTERVAL


def fitting(parts: Sequence[str], separator: str, width: int) -> str:
    """Join the first part and as many of the next ones as a line of this width holds."""
    line, *others = parts
    for part in others:
        longer = f"{line}{separator}{part}"
        if len(longer) > width:
            break
        line = longer
    return line
