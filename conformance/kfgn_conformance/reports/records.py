"""The report as lines of JSON: a line on the run, and a line for every cell of its table."""

import contextlib
import json
import platform
from collections.abc import Callable, Iterable, Sequence
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

FORMAT = 3

Line = dict[str, Any]

UNFINISHED = "the run was ended before it was through: rows that it had not finished are missing"

TORN = "the run was ended while it wrote the last line of the report: that line is left out"


class Records(NamedTuple):
    """run: versions, the rule, problems, columns and notes. cells: each with its quantity and its column's number."""

    run: Line
    cells: list[Line]


def records(report: Report) -> Records:
    """What there is to say."""
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
            *report.notes,
            *(f"expected, but no longer there: {failure}" for failure in report.unexpectedly_passing),
        ],
    }
    return Records(run, [line for name, row in report.rows.items() for line in _cells(name, row)])


def recorder(columns: Iterable[Column], problems: Iterable[Problem], path: Path | None) -> Callable[[str, Row], None]:
    """Begin the file of a run, and return a function that adds a row to it.

    So an interrupted run leaves its finished rows.
    Such a file is a report like any other, with `UNFINISHED` as a note. At the end `write_records` writes the whole
    file again. A device or a pipe is written only then.
    """
    if path is None or (path.exists() and not path.is_file()):
        return _unrecorded
    write_whole(path, _text([records(Report(tuple(columns), tuple(problems), notes=(UNFINISHED,))).run]))

    def add(name: str, row: Row) -> None:
        # a disk that is full now is reported at the end, when the whole file is written
        with contextlib.suppress(OSError), path.open("a", encoding="utf-8") as file:
            file.write(_text(_cells(name, row.cells)))

    return add


def _unrecorded(_name: str, _row: Row) -> None:
    """Do nothing with a row that has ended."""


def write_records(report: Report, path: Path) -> None:
    """A line of JSON for each, the run first."""
    run, cells = records(report)
    write_whole(path, _text([run, *cells]))


def _text(lines: Iterable[Line]) -> str:
    return "".join(json.dumps(line) + "\n" for line in lines)


def read_records(path: Path) -> Records:
    """Read a report. Raises `FileError` for another file. The torn last line of an unfinished run is left out."""
    lines = content_of(path).splitlines(keepends=True) or [b""]
    torn = len(lines) > 1 and UNFINISHED.encode() in lines[0] and _is_torn(lines[-1])
    if torn:
        del lines[-1]
    values = [from_json(text, f"{path}: line {i}") for i, text in enumerate(lines, start=1)]
    first = values[0] if isinstance(values[0], dict) else {}
    if first.get("kind") != "run":
        raise FileError(f"{path}: expected a report as lines of JSON, the run first and then its cells")
    if first.get("format") != FORMAT:
        raise FileError(f"{path}: line 1: format: expected {FORMAT}, got {first.get('format')!r}")
    checked(first, RunLine, f"{path}: line 1")
    if fault := fault_of_run(first):
        raise FileError(f"{path}: line 1: {fault}")
    if torn:
        first["notes"].append(TORN)
    _check_cells(values[1:], len(first["columns"]), path)
    return Records(first, values[1:])


def _is_torn(line: bytes) -> bool:
    """Test for the start of a line of JSON, whose end was never written."""
    if line.endswith(b"\n"):
        return False
    try:
        from_json(line, "")
    except FileError:
        return True
    return False


def _check_cells(cells: Sequence[Any], columns: int, path: Path) -> None:
    """Check the lines after the first, in a report of so many columns. Raises `FileError`."""
    seen: set[tuple[str, int]] = set()
    for i, cell in enumerate(cells, start=2):
        checked(cell, CellLine, f"{path}: line {i}")
        if fault := fault_of_cell(cell, columns):
            raise FileError(f"{path}: line {i}: {fault}")
        place = (cell["quantity"], cell["column"])
        if place in seen:
            raise FileError(f"{path}: line {i}: expected each quantity once for a column, got {place[0]} again")
        seen.add(place)


def _column(column: Column) -> Line:
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
    return [_cell(quantity, i, cell) for i, cell in enumerate(row)]


def _cell(quantity: str, column: int, cell: Cell) -> Line:
    worst, why = cell.worst, cell.diagnosis
    return {
        "kind": "cell",
        "quantity": quantity,
        "equation": ROWS[quantity].equation,
        "column": column,
        "status": str(cell.status),
        "ratio": _number(cell.ratio),
        "looseness": _number(max(v.relative_tolerance for v in cell.verdicts)),
        "asked": cell.total,
        "taken": cell.supported,
        "worst": {"problem": worst.problem, "detail": worst.detail},
        "known": cell.is_expected,
        "expected": [failure.reason for failure in cell.expected],
        "translations": cell.translations,
        "diagnosis": why
        and {"mistakes": {m.name: m.description for m in why.mistakes}, "shape": why.shape, "tried": why.tried},
    }


def _number(x: float) -> float | None:
    """JSON has no infinity: null is what no tolerance allows."""
    return float(x) if np.isfinite(x) else None
