"""The same table, its rows shared among processes, each of which opens the libraries for itself."""

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from .orders import Again
from .problems import Problem
from .run import Column, Report, Row, again, row, rows_for

_shared: tuple[list[Column], Sequence[Problem]]
"""In a worker: its columns, and the problems."""


def run_in_processes(
    jobs: int,
    columns: Sequence[Column],
    open_columns: Callable[[], list[Column]],
    problems: Sequence[Problem],
    progress: Callable[[str], None],
) -> Report:
    """`run` in so many processes. open_columns: what made the columns, to be called in each of them, and so pickled."""
    report = Report(list(columns), list(problems))
    names = rows_for(report.problems)
    # spawned: libraries that have threads do not survive a fork
    with ProcessPoolExecutor(jobs, get_context("spawn"), _open, (open_columns, report.problems)) as pool:
        rows = {name: pool.submit(_row, name) for name in reversed(names)}  # the longest are last in the table
        for name in names:
            progress(name)
            report.add(name, rows[name].result())
        columns_again = [pool.submit(_again, i, *report.answered(i)) for i in range(len(report.columns))]
        progress("in other orders")
        report.add_again([found.result() for found in columns_again])
    return report


def _open(open_columns: Callable[[], list[Column]], problems: Sequence[Problem]) -> None:
    global _shared
    _shared = (open_columns(), problems)


def _row(name: str) -> Row:
    return row(name, *_shared)


def _again(column: int, names: Sequence[str], wrong: Sequence[str]) -> Again:
    columns, problems = _shared
    return again(columns[column], problems, names, wrong)
