"""The same table, its rows shared among processes, each of which opens the libraries for itself."""

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context

from .problems import Problem
from .quantities import ROWS
from .run import Column, Report, Row, ignored, row, rows_for

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
    """`run` in so many processes. open_columns: what made the columns, to be called in each of them, and so pickled.

    Rows end in any order, and `progress` is called with the first that has not.
    """
    report = Report(list(columns), list(problems))
    names = rows_for(report.problems, only)
    # spawned: libraries that have threads do not survive a fork
    with ProcessPoolExecutor(jobs, get_context("spawn"), _open, (open_columns, report.problems)) as pool:
        rows = {pool.submit(_row, name): name for name in reversed(names)}  # the longest are last in the table
        answers: dict[str, Row] = {}
        waiting = list(names)
        for name in waiting[:1]:
            progress(name)
        for done in as_completed(rows):
            name = rows[done]
            answers[name] = done.result()
            ended(name, answers[name])
            waiting.remove(name)
            progress(waiting[0] if waiting else name)
    for name in names:
        report.add(name, answers[name])
    return report


def _open(open_columns: Callable[[], list[Column]], problems: Sequence[Problem]) -> None:
    global _shared
    _shared = (open_columns(), problems)


def _row(name: str) -> Row:
    return row(name, *_shared)
