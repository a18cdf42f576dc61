"""Reports as lines of JSON: one line that describes the run, and one line per cell of the table."""

import contextlib
import json
import os
import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..decoding import FileError, checked, content_of, from_json
from ..problems.problem import Problem
from ..quantities import ROWS
from ..results import Cell, Column, Report, Row
from ..tolerances import ROUNDOFF, C
from ..writing import write_whole
from .form import CellLine, RunLine, fault_of_cell, fault_of_run

FORMAT = 4

Line = dict[str, Any]

UNFINISHED = "the run was interrupted, and the quantities that were not complete are missing"
"""The note in the report of a run that was interrupted, or has not ended yet."""


class Records(NamedTuple):
    """The lines of a report.

    run:   the first line, with versions, the rule of tolerances, problems, columns and notes
    cells: the lines of the cells, each with the name of a quantity and the index of a column
    """

    run: Line
    cells: list[Line]


def records(report: Report) -> Records:
    """The lines of a report, as objects of JSON."""
    run = {
        "kind": "run",
        "format": FORMAT,
        "tolerance": {"rule": "c (sqrt(n) u size + d)", "c": C, "u": ROUNDOFF},
        "environment": {
            "python": platform.python_version(),
            "platform": platform.platform(),
            **{name: version(name) for name in ("numpy", "array-api-compat", "hypothesis")},
        },
        "problems": [{"id": p.id, "N": p.N, "objective": p.objective, "widths": p.widths} for p in report.problems],
        "columns": [_column(column) for column in report.columns],
        "notes": [
            *report.selections,
            *report.notes,
            *(f"unexpectedly passing: {failure}" for failure in report.unexpectedly_passing),
        ],
    }
    return Records(run, [line for name, row in report.rows.items() for line in _cells(name, row)])


def recorder(columns: Iterable[Column], problems: Iterable[Problem], path: Path | None) -> Callable[[str, Row], None]:
    """Create the report file of a run, and return a function that appends a row to the file.

    If the run is interrupted, the file is a report of the completed rows with the note `UNFINISHED`. At the end of the
    run, `write_records` replaces the whole file. If `path` is a device or a pipe, nothing is written before the end of
    the run. Without a path, nothing is written.
    """
    if path is None or (path.exists() and not path.is_file()):
        return _unrecorded
    write_whole(path, _text([records(Report(tuple(columns), tuple(problems), notes=(UNFINISHED,))).run]))

    def add(name: str, row: Row) -> None:
        # a full disk is reported at the end, when the whole file is written
        with contextlib.suppress(OSError):
            _append(path, _text(_cells(name, row.cells)))

    return add


def _append(path: Path, lines: str) -> None:
    """Append lines to a file, beginning on a new line even if a full disk has cut the last line short."""
    with path.open("rb+") as file:
        file.seek(-1, os.SEEK_END)
        separator = b"" if file.read(1) == b"\n" else b"\n"
        file.write(separator + lines.encode())


def _unrecorded(_name: str, _row: Row) -> None:
    """Do nothing with a completed row."""


def write_records(report: Report, path: Path) -> None:
    """Write a report as lines of JSON, with the line that describes the run first."""
    run, cells = records(report)
    write_whole(path, _text([run, *cells]))


def _text(lines: Iterable[Line]) -> str:
    return "".join(json.dumps(line) + "\n" for line in lines)


def read_records(path: Path) -> Records:
    """Read a report. Raises `FileError` for a malformed report.

    Incomplete lines in the report of an interrupted run are left out, and a note on these lines is added.
    """
    lines = content_of(path).splitlines() or [b""]
    run = _run_of(lines[0], path)
    interrupted = UNFINISHED in run["notes"]
    cells, incomplete = {}, []
    for i, text in enumerate(lines[1:], start=2):
        try:
            cells[i] = from_json(text, f"{path}: line {i}")
        except FileError:
            if not interrupted:
                raise
            incomplete.append(i)
    if incomplete:
        run["notes"].append(incomplete_lines(incomplete))
    _check_cells(cells, len(run["columns"]), path)
    return Records(run, list(cells.values()))


def incomplete_lines(numbers: Sequence[int]) -> str:
    """The note on incomplete lines that were left out, with the numbers of these lines."""
    if len(numbers) == 1:
        return f"line {numbers[0]} of the report is incomplete and is left out"
    return f"lines {', '.join(map(str, numbers))} of the report are incomplete and are left out"


def _run_of(text: bytes, path: Path) -> Line:
    """The first line of a report. Raises `FileError` if the line does not describe a run."""
    place = f"{path}: line 1"
    run = from_json(text, place)
    if not isinstance(run, dict) or run.get("kind") != "run":
        raise FileError(f"{path}: expected a report as lines of JSON, with the run on the first line")
    if run.get("format") != FORMAT:
        raise FileError(f"{place}: format: expected {FORMAT}, got {run.get('format')!r}")
    checked(run, RunLine, place)
    if fault := fault_of_run(run):
        raise FileError(f"{place}: {fault}")
    return run


def _check_cells(cells: Mapping[int, Any], columns: int, path: Path) -> None:
    """Check the cells of a report, by line number. Raises `FileError` for a malformed or a repeated cell."""
    seen: set[tuple[str, int]] = set()
    for i, cell in cells.items():
        checked(cell, CellLine, f"{path}: line {i}")
        if fault := fault_of_cell(cell, columns):
            raise FileError(f"{path}: line {i}: {fault}")
        place = (cell["quantity"], cell["column"])
        if place in seen:
            raise FileError(f"{path}: line {i}: expected each quantity once per column, got {place[0]} again")
        seen.add(place)


def _column(column: Column) -> Line:
    """The object of JSON that describes a column."""
    described = column.description
    if described is None:
        return {"name": column.name, "usable": False, "reason": column.reason}
    return {
        "name": column.name,
        "usable": True,
        "dtype": described.dtype,
        "version": str(described.version),
        "flags": {str(name): str(value) for name, value in described.flags.items()},
    }


def _cells(quantity: str, row: Iterable[Cell]) -> list[Line]:
    """The objects of JSON for the cells of a row."""
    return [_cell(quantity, i, cell) for i, cell in enumerate(row)]


def _cell(quantity: str, column: int, cell: Cell) -> Line:
    worst, diagnosis = cell.worst, cell.diagnosis
    return {
        "kind": "cell",
        "quantity": quantity,
        "equation": ROWS[quantity].equation,
        "column": column,
        "status": str(cell.status),
        "ratio": _number(cell.ratio),
        "relative_tolerance": _number(max(v.relative_tolerance for v in cell.verdicts)),
        "problems": cell.total,
        "supported": cell.supported,
        "left_out": cell.left_out,
        "worst": {"problem": worst.problem, "detail": worst.detail},
        "expected_failure": cell.is_expected,
        "reasons": [failure.reason for failure in cell.expected],
        "translations": cell.translations,
        "diagnosis": diagnosis
        and {
            "mistakes": {mistake.name: mistake.description for mistake in diagnosis.mistakes},
            "shape": diagnosis.shape,
            "tried": diagnosis.tried,
        },
    }


def _number(x: float) -> float | None:
    """The number, or None (null in JSON) if it is not finite."""
    return float(x) if np.isfinite(x) else None
