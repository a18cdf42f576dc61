"""The progress of training on a terminal: a bar for each run, in one line of the width of the terminal."""

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.cells import cell_len, set_cell_size
from rich.progress import BarColumn, Progress as Bars, ProgressColumn, Task
from rich.text import Text

from .metrics import Record
from .options import Options
from .progress_parts import Progress, fitting

BAR_WIDTH = 8
NEEDED = 26
"""The number of columns that a long title leaves free after the bar, for the number of the update and the loss."""


class Column(ProgressColumn):
    """A column whose text is a function of a bar, which rich calls a task."""

    def __init__(self, text: Callable[[Task], str]) -> None:
        super().__init__()
        self.text = text

    def render(self, task: Task) -> Text:
        """Return the text next to the bar."""
        return Text(self.text(task), no_wrap=True)


class Bar(Progress):
    """A watch that shows a bar for each run, with metrics of the last update and the number of updates per second.

    A line that is too long for the terminal loses the less important metrics, and then the end of its title.
    """

    def __init__(self, console: Any) -> None:
        super().__init__(console)
        self.bar = Bars(Column(self._title), BarColumn(bar_width=BAR_WIDTH), Column(self._values), console=console)
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
            self.preparing = self.bar.add_task(line, total=None, parts=[""])
        self.bar.update(self.preparing, description=line)

    def on_start(self, options: Options, updates: int, seconds: float, folder: Path) -> None:
        """Add a bar for the run."""
        super().on_start(options, updates, seconds, folder)
        if self.preparing is not None:
            self.bar.remove_task(self.preparing)
            self.preparing = None
        self.by_updates = options.updates is not None
        total, done = (options.updates, updates) if self.by_updates else (options.seconds, int(seconds))
        self.task = self.bar.add_task(self.title, total=total, completed=done, parts=[""])

    def on_updates(self, records: list[Record]) -> None:
        """Show the metrics of the last update."""
        super().on_updates(records)
        record, options = records[-1], self.options
        if record["update"]:
            of = f"/{options.updates}" if self.by_updates else ""
            parts = [f"{record['update']}{of}", *self.parts(record)]
            self.bar.update(self.task, completed=record["update" if self.by_updates else "seconds"], parts=parts)

    def _title(self, task: Task) -> str:
        """Return the title of a bar, shortened and with an ellipsis at its end if the terminal is too narrow."""
        room = self.console.width - BAR_WIDTH - 2 - (NEEDED if any(task.fields["parts"]) else 0)
        title = task.description
        return title if cell_len(title) <= room else set_cell_size(title, max(room - 1, 0)) + "…"

    def _values(self, task: Task) -> str:
        """Return as many metrics of a bar as fit next to the longest title."""
        longest = max(cell_len(self._title(other)) for other in self.bar.tasks)
        return fitting(task.fields["parts"], " ", self.console.width - longest - BAR_WIDTH - 2)
