"""The same table, its rows shared among processes, each of which opens the libraries for itself."""

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context

from .orders import Again
from .problems import Problem
from .run import Column, Report, Row, again, row, rows_for
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
    """`run` in so many processes. open_columns: what made the columns, to be called in each of them, and so pickled."""
    report = Report(list(columns), list(problems))
    names = rows_for(report.problems)
    # spawned: libraries that have threads do not survive a fork
    with ProcessPoolExecutor(jobs, get_context("spawn"), _open, (open_columns, report.problems)) as pool:
        rows = {name: pool.submit(_row, name) for name in reversed(names)}  # the longest are last in the table
        for name in names:
            progress(name)
            report.add(name, rows[name].result())
        report.add_again(_in_other_orders(pool, report, progress))
    return report


def _open(open_columns: Callable[[], list[Column]], problems: Sequence[Problem]) -> None:
    global _shared
    _shared = (open_columns(), problems)


def _row(name: str) -> Row:
    return row(name, *_shared)


def _in_other_orders(pool: ProcessPoolExecutor, report: Report, progress: Callable[[str], None]) -> list[Again]:
    """The columns asked again, each in one process. One that ends its process is wrong in its first quantity."""
    progress("in other orders")
    asked = [report.answered(i) for i in range(len(report.columns))]
    try:
        futures = [pool.submit(_again, i, *names) for i, names in enumerate(asked)]
    except BrokenProcessPool:  # by a row, which is an error by itself
        return [Again(0, {}) for _ in asked]
    found = []
    for (names, _), future in zip(asked, futures, strict=True):
        try:
            found.append(future.result())
        except BrokenProcessPool:
            ended = Verdict(Status.ERROR, "-", math.inf, detail="a process of the kit ended in other orders")
            found.append(Again(0, dict.fromkeys(names[:1], ended)))
    return found


def _again(column: int, names: Sequence[str], wrong: Sequence[str]) -> Again:
    columns, problems = _shared
    return again(columns[column], problems, names, wrong)
