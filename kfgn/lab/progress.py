"""The progress bar of the command; nothing but warnings where there is no terminal."""

import time
from types import TracebackType
from typing import Any

from .errors import library
from .metrics import Row
from .options import Options
from .plain import plain
from .watch import Watch


class Progress(Watch):
    """A bar for each run in turn: loss, alpha, tau, gamma, and updates per second of this process."""

    def __init__(self, console: Any) -> None:
        rich = library("rich.progress")
        self.console = console
        self.bar = rich.Progress(
            rich.TextColumn("{task.description}", markup=False),
            rich.BarColumn(bar_width=8),
            rich.TextColumn("{task.fields[told]}"),
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

    def begins(self, options: Options, updates: int, seconds: float) -> None:
        """See `Watch`."""
        self.by_updates = options.updates is not None
        total, done = (options.updates, updates) if self.by_updates else (options.seconds, seconds)
        self.task = self.bar.add_task(plain(f"{options.data} {options.method}"), total=total, completed=done, told="")
        self.start, self.first = time.perf_counter(), updates

    def goes_on(self, rows: list[Row]) -> None:
        """See `Watch`."""
        row = rows[-1]
        if row["update"] == 0:
            return
        names = {"loss": "loss", "step_size": "alpha", "tau": "tau", "gamma": "gamma"}
        values = {shown: row[name] for name, shown in names.items() if row[name] is not None}
        if "alpha" in values:
            values["alpha"] = -values["alpha"]
        told = [f"{shown} {value:.3g}" for shown, value in values.items()]
        speed = (row["update"] - self.first) / (time.perf_counter() - self.start)
        self.bar.update(
            self.task,
            completed=row["update"] if self.by_updates else row["seconds"],
            told=" ".join([str(row["update"]), *told, f"{speed:.3g}/s"]),
        )

    def warns(self, message: str) -> None:
        """See `Watch`."""
        self.console.print(f"kfgn: warning: {message}", style="yellow", soft_wrap=True)
