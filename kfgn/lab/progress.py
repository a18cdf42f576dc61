"""The progress of the command `kfgn`: a bar on a terminal, and otherwise a line every few seconds."""

import time
from pathlib import Path
from types import TracebackType
from typing import Any

from .errors import library
from .metrics import Record
from .options import Options
from .plain_text import escaped
from .watch import Watch
from .wording import METHOD_NAMES

SYMBOLS = {
    "loss": "loss",
    "validation_loss": "validation loss",
    "step_size": "alpha",
    "tau": "tau",
    "gamma": "gamma",
}
"""The metrics that are shown, and their symbols."""

INTERVAL = 5.0
"""The seconds between two lines. A run that is shorter prints no line."""


def progress_on(console: Any, *, quiet: bool = False) -> "Progress":
    """Return a bar for a terminal, lines for a pipe or a file, and neither of them if `quiet`."""
    if quiet:
        return Progress(console)
    return Bar(console) if console.is_terminal else Lines(console)


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

    def on_warning(self, message: str) -> None:
        """Print the warning."""
        self.console.print(f"kfgn: warning: {message}", style="yellow", soft_wrap=True)

    def values(self, record: Record) -> list[str]:
        """Return the metrics of an update, and the number of updates per second in this process."""
        values = [f"{symbol} {record[name]:.3g}" for name, symbol in SYMBOLS.items() if record.get(name) is not None]
        speed = (record["update"] - self.first) / (time.perf_counter() - self.start)
        return [*values, f"{speed:.3g}/s"]


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
        record, options = records[-1], self.options
        if record["update"]:
            of = f" of {options.updates}" if options.updates is not None else ""
            spent = f", {record['seconds']:.0f} of {options.seconds:g} s" if options.seconds is not None else ""
            self._print(f"{self.title}: update {record['update']}{of}{spent}, {', '.join(self.values(record))}")

    def _print(self, line: str) -> None:
        if time.monotonic() >= self.next:
            self.console.print(line, soft_wrap=True)  # the console flushes each line
            self.next = time.monotonic() + INTERVAL


class Bar(Progress):
    """A watch that shows a bar for each run, with metrics of the last update and the number of updates per second."""

    def __init__(self, console: Any) -> None:
        super().__init__(console)
        rich = library("rich.progress")
        self.bar = rich.Progress(
            rich.TextColumn("{task.description}", markup=False),
            rich.BarColumn(bar_width=8),
            rich.TextColumn("{task.fields[values]}"),
            console=console,
        )
        self.by_updates = True
        self.task: Any = None
        self.preparing: Any = None

    def __enter__(self) -> "Bar":
        self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.stop()

    def on_preparation(self, line: str) -> None:
        """Show the line next to a bar that shows no percentage."""
        if self.preparing is None:
            self.preparing = self.bar.add_task(line, total=None, values="")
        self.bar.update(self.preparing, description=line)

    def on_start(self, options: Options, updates: int, seconds: float, folder: Path) -> None:
        """Add a bar for the run."""
        super().on_start(options, updates, seconds, folder)
        if self.preparing is not None:
            self.bar.remove_task(self.preparing)
            self.preparing = None
        self.by_updates = options.updates is not None
        total, done = (options.updates, updates) if self.by_updates else (options.seconds, seconds)
        self.task = self.bar.add_task(self.title, total=total, completed=done, values="")

    def on_updates(self, records: list[Record]) -> None:
        """Show the metrics of the last update."""
        record = records[-1]
        if record["update"]:
            done = record["update"] if self.by_updates else record["seconds"]
            self.bar.update(self.task, completed=done, values=" ".join([str(record["update"]), *self.values(record)]))
