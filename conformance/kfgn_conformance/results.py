"""The results of a run: a report with a row for each quantity and a column for each implementation.

A question is one quantity on one problem. All records of this module are frozen. `report_of` builds a report once,
after all answers are judged.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from .adapters.description import Description
from .diagnosis import Diagnosis
from .expected import Expected
from .problems.problem import Problem
from .quantities import SHARED_WEIGHTS
from .verdicts import BAD, NOT_RUN, Status, Verdict, severity

ORDERS = 3
"""The number of random orders in which questions are repeated, after one repetition problem by problem."""

THOROUGH = "A run with --thorough contains all problems on every backend."


class Column(NamedTuple):
    """An implementation in a report.

    name:        the name of the implementation
    description: the description, or None if the implementation is not usable
    reason:      the reason why the implementation is not usable
    selection:   a sentence on the problems on which the implementation is run; empty if it is run on all problems
    compiles:    True if the implementation compiles programs. One process then runs a whole group of quantities, and
                 reuses the compiled programs.
    """

    name: str
    description: Description | None = None
    reason: str = ""
    selection: str = ""
    compiles: bool = False

    @property
    def title(self) -> str:
        """The name, with the dtype if the implementation is usable."""
        return f"{self.name} {self.description.dtype}" if self.description else self.name


@dataclass(frozen=True)
class Cell:
    """The result for one quantity and one implementation.

    verdicts:  one verdict for each problem of the row
    diagnosis: the diagnosis of wrong answers; None if no answer is wrong, or if the wrong answers allow no diagnosis,
               such as answers with wrong shapes
    expected:  the expected failures that occurred
    again:     the verdict on an answer that was wrong when the questions were repeated in other orders, or an empty
               tuple
    """

    verdicts: tuple[Verdict, ...]
    diagnosis: Diagnosis | None = None
    expected: tuple[Expected, ...] = ()
    again: tuple[Verdict, ...] = ()

    @property
    def every(self) -> tuple[Verdict, ...]:
        """All verdicts."""
        return (*self.verdicts, *self.again)

    @property
    def is_expected(self) -> bool:
        """True if the cell has failures, and every failure is expected."""
        return self.status in BAD and all(
            any(failure.explains(verdict) for failure in self.expected)
            for verdict in self.every
            if verdict.status in BAD
        )

    @property
    def worst(self) -> Verdict:
        """The verdict with the worst status.

        If a verdict in other orders has the same status, it is returned instead, since its detail names the cause.
        """
        found = max(self.verdicts, key=severity, default=None)
        others = max(self.again, key=severity, default=found)
        assert others is not None
        return others if found is None or severity(others)[0] >= severity(found)[0] else found

    @property
    def status(self) -> Status:
        """The worst status."""
        return self.worst.status

    @property
    def supported(self) -> int:
        """The number of problems on which the quantity was run, and is supported."""
        return sum(verdict.status not in NOT_RUN for verdict in self.verdicts)

    @property
    def total(self) -> int:
        """The number of problems of the row, without the problems that are SKIPPED."""
        return sum(verdict.status is not Status.SKIPPED for verdict in self.verdicts)

    @property
    def left_out(self) -> dict[str, int]:
        """For each reason, the number of problems on which the quantity was not run.

        In a reason, "each" replaces the id of the problem, so that equal reasons for several problems are counted
        together.
        """
        left = (verdict for verdict in self.verdicts if verdict.status in NOT_RUN)
        return dict(Counter(verdict.detail.replace(f"{verdict.problem} is", "each is") for verdict in left))

    @property
    def ratio(self) -> float:
        """The largest ratio error / tolerance."""
        return max(v.ratio for v in self.every)

    @property
    def translations(self) -> tuple[str, ...]:
        """The translations that brought the answers into the kit's conventions."""
        return tuple(dict.fromkeys(note for v in self.verdicts for note in v.translations))


class Row(NamedTuple):
    """The results for a quantity: a cell for each column, and notes on problems that were not run in full."""

    cells: tuple[Cell, ...]
    notes: tuple[str, ...] = ()


class Again(NamedTuple):
    """The result of repeating the questions to one implementation in several orders.

    questions: the number of questions in each order
    wrong:     a mapping from each quantity with a wrong answer to the verdict on its first wrong answer
    """

    questions: int
    wrong: Mapping[str, Verdict]


@dataclass(frozen=True)
class Report:
    """The result of a run.

    columns:              the implementations
    problems:             the problems of the run
    rows:                 a mapping from the name of a quantity to the cells of all columns
    notes:                remarks on the run, such as the problems that were not run in full
    unexpectedly_passing: the expected failures that did not occur, and whose quantity passed on one of their problems;
                          the run fails if there are any
    """

    columns: tuple[Column, ...]
    problems: tuple[Problem, ...]
    rows: Mapping[str, tuple[Cell, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    unexpectedly_passing: tuple[Expected, ...] = ()

    @property
    def cells(self) -> list[Cell]:
        """Every cell."""
        return [cell for _, cell in self.named_cells]

    @property
    def named_cells(self) -> list[tuple[str, Cell]]:
        """Every cell with the name of its quantity."""
        return [(name, cell) for name, row in self.rows.items() for cell in row]

    def supported(self, column: int) -> tuple[list[Problem], int]:
        """Return the problems that an implementation supports for some quantity, and the number of all problems.

        The number leaves out the problems on which every quantity is SKIPPED. If the implementation offers no quantity
        of `SHARED_WEIGHTS`, the number also leaves out the problems with shared weights.

        column: the index of the implementation's column
        """
        verdicts = [verdict for row in self.rows.values() for verdict in row[column].verdicts]
        supported = {verdict.problem for verdict in verdicts if verdict.status not in NOT_RUN}
        every = {verdict.problem for verdict in verdicts if verdict.status is not Status.SKIPPED}
        described = self.columns[column].description
        if described is not None and described.quantities.isdisjoint(SHARED_WEIGHTS):
            every -= {problem.id for problem in self.problems if problem.is_shared}
        return [problem for problem in self.problems if problem.id in supported], len(every)

    @property
    def selections(self) -> list[str]:
        """The sentences `selection` of the implementations that are not run on all problems, and then `THOROUGH`."""
        sentences = list(dict.fromkeys(column.selection for column in self.columns if column.selection))
        return [*sentences, THOROUGH] if sentences else []

    @property
    def checked(self) -> bool:
        """True if any verdict is neither SKIPPED nor UNIMPLEMENTED."""
        return any(cell.supported for cell in self.cells)

    @property
    def passed(self) -> bool:
        """True if every answer passed or failed as expected, and `unexpectedly_passing` is empty.

        An INCONCLUSIVE answer has not passed, since its tolerance is too large to prove anything.
        """
        failed = any(cell.status in BAD and not cell.is_expected for cell in self.cells)
        return not (failed or self.unexpectedly_passing)


def report_of(
    columns: Sequence[Column],
    problems: Sequence[Problem],
    rows: Mapping[str, Row],
    again: Sequence[Again] = (),
    expected: Iterable[Expected] = (),
) -> Report:
    """Build the report of a run.

    rows:     the rows in the order of the table
    again:    for each column, the result in other orders; empty if the questions were not repeated
    expected: the expected failures
    """
    notes = dict.fromkeys(note for row in rows.values() for note in row.notes)
    cells = {name: [*row.cells] for name, row in rows.items()}
    for i, (_, wrong) in enumerate(again):
        for name, verdict in wrong.items():
            cells[name][i] = replace(cells[name][i], again=(verdict,))
    passing, never_run = [], []
    for failure in expected:
        for i, column in enumerate(columns):
            cell = cells[failure.quantity][i] if failure.quantity in cells else None
            if cell is None or not _is_of(failure, column):
                continue
            if not any(map(failure.covers, cell.every)):
                never_run.append(f"no problem of the run matches the expected failure: {failure}")
            elif any(map(failure.explains, cell.every)):
                cells[failure.quantity][i] = replace(cell, expected=(*cell.expected, failure))
            elif any(failure.covers(verdict) and verdict.status is Status.PASS for verdict in cell.verdicts):
                passing.append(failure)
    return Report(
        tuple(columns),
        tuple(problems),
        {name: tuple(row) for name, row in cells.items()},
        (*notes, *_note_on_orders(columns, again), *never_run),
        tuple(passing),
    )


def _is_of(failure: Expected, column: Column) -> bool:
    """True if the failure is expected of the column's implementation in its dtype."""
    described = column.description
    return described is not None and (described.name, described.dtype) == (failure.adapter, failure.dtype)


def _note_on_orders(columns: Sequence[Column], again: Sequence[Again]) -> list[str]:
    """Make a note on the number of questions that were repeated in other orders."""
    titles: dict[int, list[str]] = {}
    for column, (questions, _) in zip(columns, again, strict=False):
        titles.setdefault(questions, []).append(column.title)
    counts = "; ".join(f"{n} by {', '.join(titles[n])}" for n in sorted(titles, reverse=True) if n)
    return [f"questions were repeated problem by problem and in {ORDERS} random orders: {counts}"] if counts else []
