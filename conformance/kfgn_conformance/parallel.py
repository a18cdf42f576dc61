"""A run in several processes, among which the quantities are divided. Each process opens the implementations itself.

A row of the report has the results for one quantity, and a column has the results of one implementation.
"""

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import NamedTuple

from .consistent import consistent
from .expected import Expected
from .implementation import Implementation
from .oracle import Oracles
from .pools import pool, raising_plainly
from .problem_sets.selection import GROUPS
from .problems.problem import Problem
from .quantities import ROWS
from .questions import small_problems
from .results import Again, Cell, Column, Report, Row, report_of
from .runner import ignored, in_other_orders, row, rows_for, to_repeat
from .verdicts import Status, Verdict


class Work(NamedTuple):
    """The implementations and the problems of a process."""

    implementations: Sequence[Implementation]
    problems: Sequence[Problem]


_work: Work
"""The implementations and the problems of this process. Only processes of `run_in_processes` assign this variable."""


def run_in_processes(
    jobs: int,
    columns: Sequence[Column],
    open_implementations: Callable[[], list[Implementation]],
    problems: Iterable[Problem],
    *,
    quantities: Collection[str] = ROWS,
    expected: Iterable[Expected] = (),
    progress: Callable[[str], None] = ignored,
    ended: Callable[[str, Row], None] = ignored,
) -> Report:
    """Run the quantities on every problem with every implementation, in several processes.

    jobs:                 the number of processes
    columns:              the columns of the implementations
    open_implementations: a function that each process calls, and that can be pickled
    quantities:           the names of the quantities, which are the rows of the table; all quantities by default
    expected:             the expected failures
    progress:             called with the name of the first row that is not complete, and with a text when the
                          repetition in other orders begins
    ended:                called with the name and the content of each row when the row is complete

    The rows are completed in any order. If one process ends too early, all processes end. The complete parts of the
    table then keep their results. Every other cell is an ERROR if its implementation offers the quantity. An exception
    in a process is raised as a `RuntimeError`.
    """
    problems = list(problems)
    names = rows_for(problems, quantities)
    rows: dict[str, Row] = {}
    shared = _Shared(columns, problems)
    with pool(jobs, _open, open_implementations, problems) as processes:
        pending = {processes.submit(_rows, *part): part for part in parts(names, columns)}
        for done in as_completed(pending):
            for name, whole in shared.add(pending[done], done):
                rows[name] = whole
                ended(name, whole)
            for waiting in [name for name in names if name not in rows][:1]:
                progress(waiting)
        rows = {name: rows[name] for name in names}
        progress("in other orders")
        again = _in_other_orders(processes, columns, rows)
    return consistent(report_of(columns, problems, rows, again, expected))


class Part(NamedTuple):
    """A part of the table that one process runs: the names of rows, and the indices of columns."""

    names: tuple[str, ...]
    columns: tuple[int, ...]


def parts(names: Sequence[str], columns: Sequence[Column]) -> list[Part]:
    """Divide the table into parts.

    A column whose implementation compiles has a part for each group of quantities, since the quantities of a group
    share compiled programs. All other columns together have a part for each row, since these columns share the oracles
    of the row. The parts are returned in reverse order, since the rows that take longest are last in the table, and
    must start first.
    """
    compiling = [i for i, column in enumerate(columns) if column.compiles]
    others = tuple(i for i, column in enumerate(columns) if not column.compiles)
    found: list[Part] = []
    for quantities in GROUPS.values():
        group = tuple(quantity.name for quantity in quantities if quantity.name in names)
        rows = [Part((name,), others) for name in group if others]
        found += [*rows, *(Part(group, (i,)) for i in compiling if group)]
    return found[::-1]


class _Shared:
    """The cells of all rows. The cells of one row may come from several parts, which end at different times."""

    def __init__(self, columns: Sequence[Column], problems: Sequence[Problem]) -> None:
        self.columns, self.problems = columns, problems
        self.cells: dict[str, dict[int, Cell]] = {}
        self.notes: dict[str, dict[str, None]] = {}

    def add(self, part: Part, done: Future[list[Row]]) -> Iterator[tuple[str, Row]]:
        """Add a part, and yield the rows that this part completes."""
        for name, found in zip(part.names, self._rows_of(part, done), strict=True):
            cells = self.cells.setdefault(name, {})
            cells.update(zip(part.columns, found.cells, strict=True))
            self.notes.setdefault(name, {}).update(dict.fromkeys(found.notes))
            if len(cells) == len(self.columns):
                yield name, Row(tuple(cells[i] for i in range(len(self.columns))), tuple(self.notes[name]))

    def _rows_of(self, part: Part, done: Future[list[Row]]) -> list[Row]:
        """Return the rows of a part, without judged answers if a process ended before the part was complete."""
        try:
            return done.result()
        except BrokenProcessPool:
            columns = [self.columns[i] for i in part.columns]
            return [
                Row(tuple(Cell(tuple(_unjudged(name, each, self.problems))) for each in columns)) for name in part.names
            ]


def _open(open_implementations: Callable[[], list[Implementation]], problems: Sequence[Problem]) -> None:
    global _work
    _work = Work(open_implementations(), problems)


@raising_plainly
def _rows(names: Sequence[str], columns: Sequence[int]) -> list[Row]:
    implementations = [_work.implementations[i] for i in columns]
    return [row(name, implementations, _work.problems, Oracles()) for name in names]


def _unjudged(name: str, column: Column, problems: Sequence[Problem]) -> list[Verdict]:
    """Return the verdicts of an implementation in a row that was not judged, since a process ended too early."""
    described = column.description
    if described is None:
        status, why = Status.SKIPPED, column.reason
    elif name not in described.quantities:
        status, why = Status.UNIMPLEMENTED, f"{described.name} does not offer {name}"
    else:
        status, why = Status.ERROR, "the row was not judged, since a process of the kit ended too early"
    ratio = math.inf if status is Status.ERROR else 0.0
    return [Verdict(status, problem.id, ratio, detail=why) for problem in filter(ROWS[name].applies_to, problems)]


def _in_other_orders(processes: ProcessPoolExecutor, columns: Sequence[Column], rows: Mapping[str, Row]) -> list[Again]:
    """Repeat the questions in other orders, with one task for each implementation.

    Implementations that compile are submitted first, since they take the longest.

    If an implementation ends its process, all processes end. Each implementation whose task is not complete then has an
    ERROR in the first row that it should repeat.
    """
    cells = [{name: row.cells[i] for name, row in rows.items()} for i in range(len(columns))]
    longest_first = sorted(range(len(columns)), key=lambda i: not columns[i].compiles)
    try:
        futures = {i: processes.submit(_again, i, cells[i]) for i in longest_first}
    except BrokenProcessPool:  # the processes ended during a row, and that row has the ERROR
        return [Again(0, {}) for _ in columns]
    found = []
    for i, of_column in enumerate(cells):
        try:
            found.append(futures[i].result())
        except BrokenProcessPool:
            ended = Verdict(
                Status.ERROR, "-", math.inf, detail="a process of the kit ended while the questions were repeated"
            )
            found.append(Again(0, dict.fromkeys(to_repeat(of_column, of_column)[:1], ended)))
    return found


@raising_plainly
def _again(column: int, cells: Mapping[str, Cell]) -> Again:
    return in_other_orders(_work.implementations[column], small_problems(_work.problems), cells, cells)
