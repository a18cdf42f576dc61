"""The progress of the command `kfgn`: a bar on a terminal, and otherwise a line every few seconds."""

import time
from typing import Any

from .errors import library
from .metrics import Record
from .progress_parts import Progress, fitting

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
