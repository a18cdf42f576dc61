"""The same table, its rows shared among processes, each of which opens the libraries for itself."""

import math
import os
import signal
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children, get_context, parent_process
from threading import Thread

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

    One that ends before its time, as by an adapter in it, breaks the pool: the rows that were judged stay, and the
    others are ERROR.
    """
    report = Report(list(columns), list(problems))
    names = rows_for(report.problems)
    others = active_children()
    # spawned: libraries that have threads do not survive a fork
    with ProcessPoolExecutor(jobs, get_context("spawn"), _open, (open_columns, report.problems)) as pool:
        rows = {name: pool.submit(_row, name) for name in reversed(names)}  # the longest are last in the table
        try:
            for name in names:
                progress(name)
                report.add(name, _result(name, rows[name], report))
        except BaseException:  # Ctrl-C: what is left is not waited for
            pool.shutdown(wait=False, cancel_futures=True)
            for process in set(active_children()).difference(others):
                process.kill()
            raise
    return report


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


def _open(open_columns: Callable[[], list[Column]], problems: Sequence[Problem]) -> None:
    global _shared
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the kit, which ends this process
    Thread(target=_end_with_the_kit, daemon=True).start()
    _shared = (open_columns(), problems)


def _end_with_the_kit() -> None:
    """In a thread: the pool does not notice that the kit was killed, and would wait for its next row for ever."""
    kit = parent_process()
    assert kit is not None
    kit.join()
    os._exit(1)


def _row(name: str) -> Row:
    """The row, or an exception of Python's own: what an adapter raises in this process is not pickled."""
    try:
        return row(name, *_shared)
    except BaseException:
        failure = traceback.format_exc()
    raise RuntimeError(failure)
