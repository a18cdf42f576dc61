"""The report as a table for the terminal."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

import numpy as np
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from ..plain import plain
from ..quantities import ROWS
from ..run import Cell, Column, Report
from ..tolerances import ROUNDOFF
from ..verdicts import BAD, Status

COLOURS = {Status.PASS: "green", Status.INCONCLUSIVE: "yellow", Status.SKIPPED: "dim", Status.UNIMPLEMENTED: "dim"}


def print_report(report: Report, console: Console) -> None:
    """The table, and below it what it was made of: versions, flags, columns not usable, faults and notes."""
    for table in _tables(report, console):
        console.print(table)
    console.print(f"Each the worst over {_problems(report)}; at most 1 passes.")
    for column in {column.name: column for column in report.columns}.values():
        described = column.description
        if described is None:
            console.print(f"{column.name}: not usable: {column.reason}", style="yellow")
        else:
            flags = "".join(f", {name}: {value}" for name, value in described.flags.items())
            console.print(f"{column.name}: {described.version}{flags}")
    unasked = [name for name in report.rows if not _offered(report, name)]
    if unasked:
        console.print(f"{len(unasked)} quantities are offered by none.")
    for kind, notes in (("not taken", _not_taken), ("translated", _translations)):
        for note, quantities in _quantities_by(notes, report).items():
            console.print(f"{kind}: {note}: {', '.join(quantities)}")
    for note in report.notes:
        console.print(f"note: {note}", style="dim")
    for failure in report.mended:
        console.print(f"expected, but no more so: {failure}", style="red")
    for quantity, row in report.rows.items():
        for column, cell in zip(report.columns, row, strict=True):
            if cell.status in BAD:
                worst = cell.worst
                style, known = ("yellow", "known: ") if cell.known else ("red", "")
                line = f"{known}{worst.status}: {quantity} by {column.title} on {worst.problem}: {worst.detail}"
                console.print(line, style=style)
                for failure in cell.expected:
                    console.print(f"    expected: {failure.reason}", style="yellow")
                if cell.diagnosis is not None:
                    console.print(f"    {cell.diagnosis}", style="yellow")


def _not_taken(column: Column, cell: Cell) -> Iterator[str]:
    """On how many problems an implementation does not take what it offers, by the reason it gives."""
    reasons = Counter(verdict.detail for verdict in cell.verdicts if verdict.status is Status.UNIMPLEMENTED)
    for reason, n in reasons.items():
        yield f"{column.name}: {reason}: {n} of {len(cell.verdicts)} problems"


def _translations(column: Column, cell: Cell) -> Iterator[str]:
    """What was done to the answers of an implementation."""
    return (f"{column.name}: {note}" for note in cell.translations)


def _quantities_by(notes: Callable[[Column, Cell], Iterable[str]], report: Report) -> dict[str, list[str]]:
    """The notes on what is offered, each with the quantities that it is on."""
    found: dict[str, dict[str, None]] = {}
    for quantity, row in report.rows.items():
        for column, cell in zip(report.columns, row, strict=True):
            if column.description is not None and quantity in column.description.quantities:
                for note in notes(column, cell):
                    found.setdefault(note, {})[quantity] = None
    return {note: list(quantities) for note, quantities in found.items()}


def _tables(report: Report, console: Console) -> list[Table]:
    """One table if the terminal is wide enough, else one for each dtype."""
    present = [d for d in ROUNDOFF if any(c.description and c.description.dtype == d for c in report.columns)]
    whole = _table(report, dtypes=present)
    if Measurement.get(console, console.options.update(max_width=10**4), whole).maximum <= console.width:
        return [whole]
    return [_table(report, dtypes=[dtype]) for dtype in present] or [whole]


def _table(report: Report, dtypes: list[str]) -> Table:
    """The columns in these dtypes and those that are not usable, with a column's dtype below its name."""
    chosen = [i for i, column in enumerate(report.columns) if (d := column.description) is None or d.dtype in dtypes]
    table = Table(title="error / tolerance", title_justify="left", box=None, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("quantity", no_wrap=True)
    table.add_column("equation", no_wrap=True)
    for i in chosen:
        head = plain(report.columns[i].title).replace(" float", "\nf").replace("-", "\n")
        table.add_column(Text(head), justify="right", no_wrap=True, min_width=4)
    for name, row in report.rows.items():
        if _offered(report, name):
            table.add_row(name, ROWS[name].equation, *(_text(row[i]) for i in chosen))
    return table


def _offered(report: Report, name: str) -> bool:
    """Whether the quantity is offered by anyone, or may be by one that is not usable here."""
    return any(cell.status is not Status.UNIMPLEMENTED for cell in report.rows[name])


def _text(cell: Cell) -> Text:
    """The ratio alone where it passed; where it did not, the status."""
    if cell.status is Status.PASS:
        return Text(f"{cell.ratio:.2f}", COLOURS[cell.status])
    if cell.status is Status.SKIPPED:
        return Text("-", COLOURS[cell.status])
    shown = f"{cell.status}\n{cell.ratio:.3g}" if np.isfinite(cell.ratio) and cell.ratio > 0 else str(cell.status)
    return Text(shown, "yellow" if cell.known else COLOURS.get(cell.status, "bold red"))


def _problems(report: Report) -> str:
    kinds = {"case": "cases", "drawn": "drawn problems", "walk": "walks"}
    counted = [(sum(p.id.startswith(f"{kind}-") for p in report.problems), words) for kind, words in kinds.items()]
    named = [p.id for p in report.problems if not p.id.startswith(tuple(f"{kind}-" for kind in kinds))]
    return ", ".join([*(f"{n} {words}" for n, words in counted if n), *named])
