"""Reports for the terminal: a table, and lines of text below the table."""

import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import TypeVar

import numpy as np
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from ..plain import plain
from ..quantities import ROWS
from ..results import Cell, Column, Report
from ..tolerances import ROUNDOFF
from ..verdicts import BAD, NOT_RUN, Status
from .kinds import kinds

N = TypeVar("N", bound=Hashable)
"""The type of a note."""

LEFT_OUT = re.compile("(?P<before>.* is not run on )(?P<problem>[^ :]+): (?P<reason>.*)")
"""A note on a problem on which a quantity is not run."""

COLOURS = {Status.PASS: "green", Status.INCONCLUSIVE: "yellow"}
"""The colours of verdicts. A failure that is not listed is red, or yellow if it is expected."""


def print_report(report: Report, console: Console) -> None:
    """Print the selections of problems, then the table of a report, and then the failures and the remarks."""
    for sentence in report.selections:
        console.print(sentence)
    print_table(report, console)
    print_failures(report, console)
    for failure in report.unexpectedly_passing:
        console.print(f"unexpectedly passing: {failure}", style="red")
    legend = "Each cell is the largest error/tolerance over the problems of its row; a value of at most 1 passes."
    if any(map(_has_parentheses, _tables(report, console))):
        legend += " A number in parentheses is the number of problems of a cell with fewer problems than its row."
    if any(cell.status is Status.UNIMPLEMENTED and _offered(report, name) for name, cell in report.named_cells):
        legend += " A cell is empty if the implementation does not support the quantity."
    console.print(legend)
    console.print(f"Problems: {kinds(problem.id for problem in report.problems)}.")
    for line in _partly_supported(report):
        console.print(line, style="yellow")
    for column in {column.name: column for column in report.columns}.values():
        described = column.description
        if described is None:
            console.print(f"{column.name}: not usable: {column.reason}", style="yellow")
        else:
            flags = "".join(f", {name}: {value}" for name, value in described.flags.items())
            console.print(f"{column.name}: {described.version}{flags}")
    if missing := sum(not _offered(report, name) for name in report.rows):
        console.print(
            f"{missing} {'quantity is' if missing == 1 else 'quantities are'} supported by no implementation."
        )
    print_remarks(report, console)
    for note in _merged(report.notes):
        console.print(f"note: {note}", style="dim")


def print_table(report: Report, console: Console) -> None:
    """Print the table of a report."""
    for table in _tables(report, console):
        console.print(table)


def print_failures(report: Report, console: Console) -> None:
    """Print the worst answer of each cell that failed, with the reasons of expected failures and the diagnosis.

    Cells with the same reasons and diagnosis come together, with one copy of the reasons and the diagnosis below them.
    Cells without reasons and without a diagnosis come last.
    """
    found: dict[tuple[str, ...], list[Text]] = {}
    for quantity, row in report.rows.items():
        for column, cell in zip(report.columns, row, strict=True):
            if cell.status in BAD:
                worst = cell.worst
                style, prefix = ("yellow", "expected ") if cell.is_expected else ("red", "")
                line = f"{prefix}{worst.status}: {quantity} by {column.title} on {worst.problem}: {worst.detail}"
                reasons = [f"reason: {failure.reason}" for failure in cell.expected]
                below = (*reasons, str(cell.diagnosis)) if cell.diagnosis else tuple(reasons)
                found.setdefault(below, []).append(Text(plain(line), style))
    for below, lines in sorted(found.items(), key=lambda item: not item[0]):
        for text in (*lines, *(Text(plain(f"    {line}"), "yellow") for line in below)):
            console.print(text)


def print_remarks(report: Report, console: Console) -> None:
    """Print the number of problems that each implementation does not support, and the translations of answers.

    Each reason for missing support is printed once, with all its counts and quantities.
    """
    reasons: dict[str, tuple[dict[str, None], dict[str, None]]] = {}
    for (reason, count), quantities in _quantities_by(_unsupported, report).items():
        counts, names = reasons.setdefault(reason, ({}, {}))
        counts[count] = None
        names.update(dict.fromkeys(quantities))
    for reason, (counts, names) in reasons.items():
        noun = "problem" if list(counts) == ["1 of 1"] else "problems"
        console.print(f"not supported: {reason}: {' or '.join(counts)} {noun}: {', '.join(names)}")
    for note, quantities in _quantities_by(_translations, report).items():
        console.print(f"translated: {note}: {', '.join(quantities)}")


def _merged(notes: Iterable[str]) -> Iterator[str]:
    """Yield the notes, where notes become one note if they differ only in the problem or only in the quantity."""
    ids: dict[str, list[str]] = {}
    for note in notes:
        name, _, rest = note.partition(" ")
        ids.setdefault(rest if rest.startswith("is ") else note, []).append(name)
    left_out: dict[tuple[str, str], list[str]] = {}
    for rest, names in ids.items():
        if not rest.startswith("is "):
            yield rest
            continue
        note = f"{names[0]} {rest}" if len(names) == 1 else f"{', '.join(names)}: each {rest}"
        if match := LEFT_OUT.fullmatch(note):
            left_out.setdefault((match["before"], match["reason"]), []).append(match["problem"])
        else:
            yield note
    for (before, reason), problems in left_out.items():
        yield f"{before}{', '.join(problems)}: {reason}"


def _unsupported(column: Column, cell: Cell) -> Iterator[tuple[str, str]]:
    """The reasons why an implementation does not support problems, with the number of problems per reason."""
    reasons = Counter(verdict.detail for verdict in cell.verdicts if verdict.status is Status.UNIMPLEMENTED)
    for reason, n in reasons.items():
        yield f"{column.name}: {reason}", f"{n} of {cell.total}"


def _translations(column: Column, cell: Cell) -> Iterator[str]:
    """The notes on translations of the answers of an implementation."""
    return (f"{column.name}: {note}" for note in cell.translations)


def _quantities_by(notes: Callable[[Column, Cell], Iterable[N]], report: Report) -> dict[N, list[str]]:
    """A mapping from each note on an offered quantity to the names of the quantities with this note."""
    found: dict[N, dict[str, None]] = {}
    for quantity, row in report.rows.items():
        for column, cell in zip(report.columns, row, strict=True):
            if column.description is not None and quantity in column.description.quantities:
                for note in notes(column, cell):
                    found.setdefault(note, {})[quantity] = None
    return {note: list(quantities) for note, quantities in found.items()}


def _partly_supported(report: Report) -> Iterator[str]:
    """Lines on the implementations that do not support all problems, with the kinds of problems that they support."""
    lines: dict[str, list[str]] = {}
    for i, column in enumerate(report.columns):
        supported, total = report.supported(i)
        if column.description is not None and len(supported) < total:
            kind = f": {kinds(problem.id for problem in supported)}" if supported else ""
            lines.setdefault(f"{len(supported)} of {total} problems supported{kind}", []).append(column.title)
    return (f"{', '.join(titles)}: {line}" for line, titles in lines.items())


def _tables(report: Report, console: Console) -> list[Table]:
    """The table, or on a narrow terminal one table per dtype, which is divided further if it is still too wide."""
    described = [column.description for column in report.columns]
    whole = _table(report, list(range(len(described))))
    if _fits(whole, console):
        return [whole]
    present = [dtype for dtype in ROUNDOFF if any(d and d.dtype == dtype for d in described)]
    chosen = [[i for i, d in enumerate(described) if d is None or d.dtype == dtype] for dtype in present]
    return [table for of_dtype in chosen for table in _narrow(report, of_dtype, console)] or [whole]


def _narrow(report: Report, chosen: list[int], console: Console) -> list[Table]:
    """The table of the chosen columns if it fits. Otherwise the table has no columns of unusable implementations.

    If that table is still too wide, each half of the columns has its own tables.
    """
    table = _table(report, chosen)
    if _fits(table, console) or len(chosen) == 1:
        return [table]
    usable = [i for i in chosen if report.columns[i].description]
    if len(usable) < len(chosen):
        return _narrow(report, usable, console)
    half = (len(chosen) + 1) // 2
    return [*_narrow(report, chosen[:half], console), *_narrow(report, chosen[half:], console)]


def _fits(table: Table, console: Console) -> bool:
    return Measurement.get(console, console.options.update(max_width=10**4), table).maximum <= console.width


def _table(report: Report, chosen: Sequence[int]) -> Table:
    """The table of the columns with the chosen indices.

    The column `problems` is the number of problems of a quantity, or two numbers if this number depends on the dtype.
    If all columns support the same number n of N problems and n is less than N, the column `problems` is "n of N".
    """
    table = Table(title="error / tolerance", title_justify="left", box=None, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("quantity", overflow="fold")
    table.add_column("equation", overflow="fold")
    table.add_column("problems", justify="right", overflow="fold")
    for i in chosen:
        head = plain(report.columns[i].title).replace(" float", "\nf").replace("-", "\n")
        table.add_column(Text(head), justify="right", overflow="fold", min_width=4)
    for name, row in report.rows.items():
        if _offered(report, name):
            run = [i for i in chosen if row[i].supported]
            problems = "/".join(map(str, sorted({_most(report, row, i) for i in run})))
            fewer = {row[i].supported for i in run if _has_fewer(report, row, i)}
            shared = len(fewer) == 1 and fewer == {row[i].supported for i in run}
            count = f"{min(fewer)} of {problems}" if shared else problems
            cells = (_text(row[i], has_fewer=not shared and _has_fewer(report, row, i)) for i in chosen)
            table.add_row(name, ROWS[name].equation, count, *cells)
    return table


def _has_parentheses(table: Table) -> bool:
    """True if a cell has the number of supported problems in parentheses."""
    return any(" (" in str(cell) for column in table.columns[3:] for cell in column.cells)


def _offered(report: Report, name: str) -> bool:
    """True unless every cell of the quantity is UNIMPLEMENTED. A cell of an unusable implementation is SKIPPED."""
    return any(cell.status is not Status.UNIMPLEMENTED for cell in report.rows[name])


def _most(report: Report, row: Sequence[Cell], column: int) -> int:
    """The largest number of problems in a row, over all columns that have the dtype of the given column."""
    dtypes = [each.description and each.description.dtype for each in report.columns]
    return max(cell.total for cell, dtype in zip(row, dtypes, strict=True) if dtype == dtypes[column])


def _has_fewer(report: Report, row: Sequence[Cell], column: int) -> bool:
    """True if the implementation of a column supports some but not all problems of a row."""
    return 0 < row[column].supported < _most(report, row, column)


def _text(cell: Cell, *, has_fewer: bool) -> Text:
    """The text of a cell.

    If the implementation passed, the text is the ratio, with the number of supported problems in parentheses if
    `has_fewer` is True. If a verdict failed, the text has the status, the number of supported problems with this
    status if the number is above 0, and the largest ratio if it is finite and above 0. If no answer was judged, the
    text is "-" for SKIPPED and empty for UNIMPLEMENTED.
    """
    if cell.status in NOT_RUN:
        return Text("-" if cell.status is Status.SKIPPED else "", "dim")
    if cell.status is Status.PASS:
        count = f" ({cell.supported})" if has_fewer else ""
        return Text(f"{cell.ratio:.2f}{count}", COLOURS[cell.status])
    found = sum(verdict.status is cell.status for verdict in cell.verdicts)
    count = f"\non {found} of {cell.supported}" if found else ""
    ratio = f"\nmax {cell.ratio:.3g}" if np.isfinite(cell.ratio) and cell.ratio > 0 else ""
    return Text(f"{cell.status}{count}{ratio}", "yellow" if cell.is_expected else COLOURS.get(cell.status, "bold red"))
