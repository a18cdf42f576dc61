"""The tables on the terminal, and JSON."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from .columns import columns
from .rows import Row


def print_rows(rows: list[Row], console: Console) -> None:
    """Print one table per case, and the floors of the phases."""
    for case in dict.fromkeys(row.case for row in rows):
        of_case = [row for row in rows if row.case == case]
        console.print(_times(case, of_case))
        if any(row.phases for row in of_case):
            console.print(_phases(of_case))


def _times(case: str, rows: list[Row]) -> Table:
    headings, cells = columns(rows)
    table = Table(*headings, title=case)
    for line in cells:
        table.add_row(*line)
    return table


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
