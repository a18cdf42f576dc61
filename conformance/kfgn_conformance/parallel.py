"""The same table, its rows shared among processes, each of which opens the libraries for itself."""

import math
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool

from .pools import pool, raising_plainly
from .problems import Problem
from .quantities import ROWS
from .run import Cell, Column, Report, Row, row, rows_for
from .verdicts import Status, Verdict

_shared: tuple[list[Column], Sequence[Problem]]
"""In a worker: its columns, and the problems."""


def run_in_processes(
    jobs: int,
    columns: Sequence[Column],
    open_columns: Callable[[], list[Column]],
    problems: Sequence[Problem],
    progress: Callable[[str], None],
) -> Report:
    """`run` in so many processes. open_columns: what made the columns, to be called in each of them, and so pickled.

    A process that ends before its time, as by an adapter in it, ends the others: the rows that were judged stay, and
    those that were not are ERROR.
    """
    report = Report(list(columns), list(problems))
    names = rows_for(report.problems)
    with pool(jobs, _open, open_columns, report.problems) as processes:
        rows = {name: processes.submit(_row, name) for name in reversed(names)}  # the longest are last in the table
        for name in names:
            progress(name)
            report.add(name, _result(name, rows[name], report))
    return report


def _open(open_columns: Callable[[], list[Column]], problems: Sequence[Problem]) -> None:
    global _shared
    _shared = (open_columns(), problems)


@raising_plainly
def _row(name: str) -> Row:
    return row(name, *_shared)


def _result(name: str, future: Future[Row], report: Report) -> Row:
    try:
        return future.result()
    except BrokenProcessPool:
        return Row([Cell(tuple(_unjudged(name, column, report.problems))) for column in report.columns], [])


def _unjudged(name: str, column: Column, problems: Sequence[Problem]) -> list[Verdict]:
    """The verdicts of a column on a row whose process has ended."""
    described = column.description
    if described is None:
        status, why = Status.SKIPPED, column.reason
    elif name not in described.quantities:
        status, why = Status.UNIMPLEMENTED, f"{described.name} does not offer {name}"
    else:
        status, why = Status.ERROR, "it was not judged: a process of the kit has ended, with what was called in it"
    ratio = math.inf if status is Status.ERROR else 0.0
    return [Verdict(status, problem.id, ratio, detail=why) for problem in filter(ROWS[name].asks, problems)]
