"""The report as a table for the terminal."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from ..plain import plain
from ..problems.problem import Problem
from ..quantities import ROWS
from ..results import Cell, Column, Report
from ..tolerances import ROUNDOFF
from ..verdicts import BAD, NOT_RUN, Status

COLOURS = {Status.PASS: "green", Status.INCONCLUSIVE: "yellow"}


KINDS = {
    "case": ("case", "cases"),
    "saturated": ("saturated problem", "saturated problems"),
    "batch": ("batch size", "batch sizes"),
    "shape": ("shape", "shapes"),
    "throughout": ("network of one transfer function", "networks of one transfer function"),
    "drawn": ("drawn problem", "drawn problems"),
    "walk": ("walk", "walks"),
}
"""The kinds of problem by the first word of an id; other problems have a name of their own."""


def print_report(report: Report, console: Console) -> None:
    """The table, and below it what it was made of: versions, flags, columns not usable, faults and notes."""
    for table in _tables(report, console):
        console.print(table)
    legend = "Each is the worst over the problems asked; at most 1 passes."
    if any(0 < cell.supported < cell.total for cell in report.cells):
        legend += " In parentheses: asked on so many problems alone."
    if any(cell.status is Status.UNIMPLEMENTED and _offered(report, name) for name, cell in report.named_cells):
        legend += " An empty cell was not asked."
    console.print(legend)
    console.print(f"The problems are {_kinds(report.problems)}.")
    for line in _asked(report):
        console.print(line, style="yellow")
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
    for failure in report.unexpectedly_passing:
        console.print(f"expected, but no longer there: {failure}", style="red")
    for quantity, row in report.rows.items():
        for column, cell in zip(report.columns, row, strict=True):
            if cell.status in BAD:
                worst = cell.worst
                style, known = ("yellow", "known: ") if cell.is_expected else ("red", "")
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
        yield f"{column.name}: {reason}: {n} of {cell.total} problems"


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


def _asked(report: Report) -> Iterator[str]:
    """The columns that did not take all problems, with the kinds of those that they took."""
    lines: dict[str, list[str]] = {}
    for i, column in enumerate(report.columns):
        taken, asked = report.supported(i)
        if column.description is not None and len(taken) < asked:
            kinds = f": {_kinds(taken)}" if taken else ""
            lines.setdefault(f"asked on {len(taken)} of {asked} problems{kinds}", []).append(column.title)
    return (f"{', '.join(titles)}: {line}" for line, titles in lines.items())


def _tables(report: Report, console: Console) -> list[Table]:
    """One table if the terminal is wide enough; else one for each dtype, if necessary without unusable columns."""
    present = [d for d in ROUNDOFF if any(c.description and c.description.dtype == d for c in report.columns)]
    whole = _table(report, present)
    if not present or _fits(whole, console):
        return [whole]
    tables = [_table(report, [dtype]) for dtype in present]
    return [
        table if _fits(table, console) else _table(report, [dtype], usable=True)
        for table, dtype in zip(tables, present, strict=True)
    ]


def _fits(table: Table, console: Console) -> bool:
    return Measurement.get(console, console.options.update(max_width=10**4), table).maximum <= console.width


def _table(report: Report, dtypes: list[str], *, usable: bool = False) -> Table:
    """The columns in these dtypes, a column's dtype below its name, and those that are not usable, unless left out.

    The column `asked` is the number of problems for a quantity, both numbers where the dtypes have different ones.
    """
    described = [column.description for column in report.columns]
    chosen = [i for i, d in enumerate(described) if (d.dtype in dtypes if d else not usable)]
    table = Table(title="error / tolerance", title_justify="left", box=None, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("quantity", no_wrap=True)
    table.add_column("equation", no_wrap=True)
    table.add_column("asked", justify="right", no_wrap=True)
    for i in chosen:
        head = plain(report.columns[i].title).replace(" float", "\nf").replace("-", "\n")
        table.add_column(Text(head), justify="right", no_wrap=True, min_width=4)
    for name, row in report.rows.items():
        if _offered(report, name):
            asked = sorted({row[i].total for i in chosen if row[i].supported})
            cells = (_text(row[i]) for i in chosen)
            table.add_row(name, ROWS[name].equation, "/".join(map(str, asked)), *cells)
    return table


def _offered(report: Report, name: str) -> bool:
    """Whether the quantity is offered by anyone, or may be by one that is not usable here."""
    return any(cell.status is not Status.UNIMPLEMENTED for cell in report.rows[name])


def _text(cell: Cell) -> Text:
    """The ratio alone where it passed, else the status; with the number of problems where some were not taken."""
    if cell.status in NOT_RUN:
        return Text("-" if cell.status is Status.SKIPPED else "", "dim")
    count = f" ({cell.supported})" if 0 < cell.supported < cell.total else ""
    if cell.status is Status.PASS:
        return Text(f"{cell.ratio:.2f}{count}", COLOURS[cell.status])
    ratio = f"\n{cell.ratio:.3g}" if np.isfinite(cell.ratio) and cell.ratio > 0 else ""
    return Text(f"{cell.status}{count}{ratio}", "yellow" if cell.is_expected else COLOURS.get(cell.status, "bold red"))


def _kinds(problems: Sequence[Problem]) -> str:
    """The problems by their kinds, each with how many there are, and those of a name of their own."""
    counts = Counter(problem.id.partition("-")[0] for problem in problems)
    counted = [f"{counts[kind]} {words[counts[kind] > 1]}" for kind, words in KINDS.items() if counts[kind]]
    return ", ".join([*counted, *(p.id for p in problems if p.id.partition("-")[0] not in KINDS)])
