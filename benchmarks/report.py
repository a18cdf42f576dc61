"""The tables on the terminal, and JSON."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from .rows import Row
from .timing import Ratio


def print_rows(rows: list[Row], console: Console) -> None:
    """Print one table per case, and the floors of the phases."""
    for case in dict.fromkeys(row.case for row in rows):
        of_case = [row for row in rows if row.case == case]
        console.print(_times(case, of_case))
        if any(row.phases for row in of_case):
            console.print(_phases(of_case))


def _times(case: str, rows: list[Row]) -> Table:
    names = list(dict.fromkeys(name for row in rows for name in row.ratios))
    peaks, notes = any(row.peak is not None for row in rows), any(row.note for row in rows)
    headings = ("work", "library", "ms", *names)
    table = Table(*headings, *["peak MiB"] * peaks, *["note"] * notes, title=case)
    for row in rows:
        ratios = (_ratio(row.ratios.get(name)) for name in names)
        peak = "" if row.peak is None else f"{row.peak / 2**20:.0f}"
        table.add_row(row.work, row.library, f"{1000 * row.seconds:.3g}", *ratios, *[peak] * peaks, *[row.note] * notes)
    return table


def _ratio(r: Ratio | None) -> str:
    return "" if r is None else f"{r.median:.2f} ({r.low:.2f}-{r.high:.2f})"


def _phases(rows: list[Row]) -> Table:
    """The floor of each phase in milliseconds, by work. The floor is the same for all libraries of a device."""
    works = {row.work: row.phases for row in rows if row.phases}
    phases = dict.fromkeys(phase for found in works.values() for phase in found)
    table = Table("floor in ms", *works)
    for phase in phases:
        table.add_row(phase, *(f"{1000 * found[phase]:.3g}" if phase in found else "" for found in works.values()))
    table.add_row("sum", *(f"{1000 * sum(found.values()):.3g}" for found in works.values()))
    return table


def write_json(path: Path, machine: dict[str, object], rows: Iterable[Row]) -> None:
    """Write the rows with the machine, the versions and the command."""
    text = json.dumps({"machine": machine, "rows": [asdict(row) for row in rows]}, indent=1)
    path.write_text(text + "\n", encoding="utf-8")
