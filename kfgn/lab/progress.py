"""The progress of the command `kfgn`: a bar on a terminal, and otherwise a line every few seconds."""

import time
from typing import Any

from .errors import library
from .metrics import Record
from .progress_parts import Progress, fitting

INTERVAL = 5.0
"""The smallest number of seconds between two lines of progress, and before the first line."""


def progress_on(console: Any, *, quiet: bool = False, several: bool = False) -> "Progress":
    """Return a `Bar` for a terminal, `Lines` for a pipe or a file, and a watch that prints only warnings if `quiet`.

    several: True for a comparison of several runs; `Lines` then prints a line at the end of each run too
    """
    if quiet:
        return Progress(console)
    if not console.is_terminal:
        return Lines(console, ends=several)
    library("rich.progress")
    from .progress_bar import Bar

    return Bar(console)


class Lines(Progress):
    """A watch that prints a line every few seconds, for a pipe or a file.

    ends: True to print a line at the end of each run too
    """

    def __init__(self, console: Any, *, ends: bool = False) -> None:
        super().__init__(console)
        self.next, self.ends = time.monotonic() + INTERVAL, ends
        self.last: Record | None = None

    def on_preparation(self, line: str) -> None:
        """Print the line if `INTERVAL` seconds have passed since the last line of progress."""
        self._print(line)

    def on_updates(self, records: list[Record]) -> None:
        """Print the metrics of the last update if `INTERVAL` seconds have passed since the last line of progress."""
        super().on_updates(records)
        record = self.last = records[-1]
        if record["update"]:
            start = f"{self.title}: update {self._place(record)}"
            self._print(fitting([start, *self.parts(record)], ", ", self.console.width))

    def on_end(self) -> None:
        """Print the number of the run's last update, and the training loss if it was evaluated after this update.

        Nothing is printed unless the argument `ends` was True.
        """
        if self.ends and self.last is not None:
            loss = self.last.get("train_loss")
            losses = "" if loss is None else f", training loss {loss:.5g}"
            self.console.print(f"{self.title}: ended at update {self._place(self.last)}{losses}", soft_wrap=True)
        self.last = None

    def _place(self, record: Record) -> str:
        limit = self.options.updates
        return f"{record['update']}{'' if limit is None else f' of {limit}'}"

    def _print(self, line: str) -> None:
        if time.monotonic() >= self.next:
            self.console.print(line, soft_wrap=True)  # the console flushes each line
            self.next = time.monotonic() + INTERVAL
