"""The report as lines of JSON: a line on the run, and a line for every cell of its table."""

import json
import platform
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..problems import Problem
from ..quantities import ROWS
from ..run import Cell, Column, Report, Row, ignored
from ..tolerances import ROUNDOFF, C

FORMAT = 3

Line = dict[str, Any]

RUN = {"tolerance", "environment", "problems", "columns", "notes"}
CELL = {
    *("quantity", "equation", "column", "status", "ratio", "looseness", "asked", "taken", "worst", "known"),
    *("expected", "translations", "diagnosis"),
}
"""What lines have."""

UNFINISHED = "the run was ended before it was through: rows that it had not finished are missing"


class RecordError(ValueError):
    """A file that is no report."""


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
        "notes": [*report.notes, *(f"expected, but no more so: {failure}" for failure in report.mended)],
    }
    return Records(run, [line for name, row in report.rows.items() for line in _cells(name, row)])


def recorder(columns: Iterable[Column], problems: Iterable[Problem], path: Path | None) -> Callable[[str, Row], None]:
    """Begin the file of a run, and give what adds a row to it: so an interrupted run leaves the rows that had ended.

    Such a file is a report like any other, with `UNFINISHED` for a note. In the end `write_records` writes it again in
    full, as it does a device or a pipe, to which nothing is written before.
    """
    if path is None or (path.exists() and not path.is_file()):
        return ignored
    path.write_text(_text([records(Report(list(columns), list(problems), notes=[UNFINISHED])).run]), encoding="utf-8")

    def add(name: str, row: Row) -> None:
        with path.open("a", encoding="utf-8") as file:
            file.write(_text(_cells(name, row.cells)))

    return add


def write_records(report: Report, path: Path) -> None:
    """A line of JSON for each, the run first."""
    run, cells = records(report)
    path.write_text(_text([run, *cells]), encoding="utf-8")


def _text(lines: Iterable[Line]) -> str:
    return "".join(json.dumps(line) + "\n" for line in lines)


def read_records(path: Path) -> Records:
    """What was written. Raises `RecordError` for another file, and `OSError`."""
    lines = list(_lines(path))
    run, cells = lines[:1], lines[1:]
    if not run or run[0].get("kind") != "run":
        raise RecordError(f"{path}: expected a report as lines of JSON, the run first and then its cells")
    if run[0].get("format") != FORMAT:
        raise RecordError(f"{path}: expected format {FORMAT}, got {run[0].get('format')}")
    if missing := RUN - set(run[0]):
        raise RecordError(f"{path}: line 1 has no {', '.join(sorted(missing))}")
    for i, cell in enumerate(cells, start=2):
        if missing := CELL - set(cell):
            raise RecordError(f"{path}: line {i} has no {', '.join(sorted(missing))}")
        if cell["column"] not in range(len(run[0]["columns"])):
            raise RecordError(f"{path}: line {i}: there is no column {cell['column']}")
    return Records(run[0], cells)


def _lines(path: Path) -> Iterator[Line]:
    for i, text in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            line = json.loads(text)
        except ValueError as error:
            raise RecordError(f"{path}: line {i} is no JSON: {error}") from error
        if not isinstance(line, dict):
            raise RecordError(f"{path}: line {i}: expected an object, got {text[:40].decode(errors='replace')!r}")
        yield line


def _column(column: Column) -> Line:
    described = column.description
    if described is None:
        return {"name": column.name, "usable": False, "reason": column.reason}
    return {
        "name": column.name,
        "usable": True,
        "dtype": described.dtype,
        "version": described.version,
        "flags": described.flags,
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
        "looseness": _number(max(v.looseness for v in cell.verdicts)),
        "asked": cell.asked,
        "taken": cell.taken,
        "worst": {"problem": worst.problem, "detail": worst.detail},
        "known": cell.known,
        "expected": [failure.reason for failure in cell.expected],
        "translations": cell.translations,
        "diagnosis": why
        and {"mistakes": {m.name: m.says for m in why.mistakes}, "shape": why.shape, "tried": why.tried},
    }


def _number(x: float) -> float | None:
    """JSON has no infinity: null is what no tolerance allows."""
    return float(x) if np.isfinite(x) else None
