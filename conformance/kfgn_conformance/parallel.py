"""The same table, its rows shared among processes, each of which opens the libraries for itself."""

import math
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool

from .orders import Again
from .pools import pool, raising_plainly
from .problems.problem import Problem
from .quantities import ROWS
from .run import Cell, Column, Report, Row, again, ignored, row, rows_for
from .verdicts import Status, Verdict

_shared: tuple[list[Column], Sequence[Problem]]
"""In a worker: its columns, and the problems."""


def run_in_processes(
    jobs: int,
    columns: Sequence[Column],
    open_columns: Callable[[], list[Column]],
    problems: Sequence[Problem],
    progress: Callable[[str], None],
    ended: Callable[[str, Row], None] = ignored,
    only: Collection[str] = ROWS,
) -> Report:
    """`run` in several processes. open_columns: a picklable function that makes the columns, which each process calls.

    Rows end in any order, and `progress` is called with the first row that has not ended. If a process ends too early,
    for example by an adapter in it, the others end too. The rows with verdicts stay, and the other rows are ERROR.
    """
    report = Report(list(columns), list(problems))
    names = rows_for(report.problems, only)
    answers: dict[str, Row] = {}
    with pool(jobs, _open, open_columns, report.problems) as processes:
        # the rows that take longest are last in the table
        rows = {processes.submit(_row, name): name for name in reversed(names)}
        for name in names[:1]:
            progress(name)
        for done in as_completed(rows):
            name = rows[done]
            answers[name] = _result(name, done, report)
            ended(name, answers[name])
            for waiting in [name for name in names if name not in answers][:1]:
                progress(waiting)
        for name in names:
            report.add(name, answers[name])
        report.add_again(_in_other_orders(processes, report, progress))
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


def _in_other_orders(pool: ProcessPoolExecutor, report: Report, progress: Callable[[str], None]) -> list[Again]:
    """The questions in other orders, each column in one process. One that ends its process fails in its first row."""
    progress("in other orders")
    asked = [report.answered(i) for i in range(len(report.columns))]
    try:
        futures = [pool.submit(_again, i, *names) for i, names in enumerate(asked)]
    except BrokenProcessPool:  # a row has ended the process, which is an error of that row
        return [Again(0, {}) for _ in asked]
    found = []
    for (names, _), future in zip(asked, futures, strict=True):
        try:
            found.append(future.result())
        except BrokenProcessPool:
            ended = Verdict(Status.ERROR, "-", math.inf, detail="a process of the kit ended in other orders")
            found.append(Again(0, dict.fromkeys(names[:1], ended)))
    return found


@raising_plainly
def _again(column: int, names: Sequence[str], wrong: Sequence[str]) -> Again:
    columns, problems = _shared
    return again(columns[column], problems, names, wrong)
