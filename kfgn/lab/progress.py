"""The progress bar of the command `kfgn`. If standard error is not a terminal, only warnings are printed."""

import time
from types import TracebackType
from typing import Any

from .errors import library
from .metrics import Record
from .options import Options
from .plain_text import escaped
from .watch import Watch

SYMBOLS = {"loss": "loss", "step_size": "alpha", "tau": "tau", "gamma": "gamma"}
"""The metrics that the progress bar shows, and their symbols."""


class Progress(Watch):
    """A progress bar for each run: loss, alpha, tau, gamma, and the number of updates per second in this process."""

    def __init__(self, console: Any) -> None:
        rich = library("rich.progress")
        self.console = console
        self.bar = rich.Progress(
            rich.TextColumn("{task.description}", markup=False),
            rich.BarColumn(bar_width=8),
            rich.TextColumn("{task.fields[values]}"),
            console=console,
            disable=not console.is_terminal,
        )
        self.by_updates, self.task, self.start, self.first = True, None, 0.0, 0

    def __enter__(self) -> "Progress":
        self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.stop()

    def on_start(self, options: Options, updates: int, seconds: float) -> None:
        """Add a bar for the run."""
        self.by_updates = options.updates is not None
        total, done = (options.updates, updates) if self.by_updates else (options.seconds, seconds)
        title = escaped(f"{options.data} {options.method}")
        self.task = self.bar.add_task(title, total=total, completed=done, values="")
        self.start, self.first = time.perf_counter(), updates

    def on_updates(self, records: list[Record]) -> None:
        """Show the metrics of the last update."""
        record = records[-1]
        if record["update"] == 0:
            return
        values = [f"{symbol} {record[name]:.3g}" for name, symbol in SYMBOLS.items() if record[name] is not None]
        speed = (record["update"] - self.first) / (time.perf_counter() - self.start)
        self.bar.update(
            self.task,
            completed=record["update"] if self.by_updates else record["seconds"],
            values=" ".join([str(record["update"]), *values, f"{speed:.3g}/s"]),
        )

    def on_warning(self, message: str) -> None:
        """Print the warning."""
        self.console.print(f"kfgn: warning: {message}", style="yellow", soft_wrap=True)
