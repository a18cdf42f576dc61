"""All questions to all adapters, and the cells of the table that come out."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from .adapters import Adapter, Description
from .adapters.conventions import compared
from .diagnosis import Answered, Diagnosis, diagnose
from .expected import Expected
from .problems import Problem
from .quantities import ROWS, Quantity
from .verdicts import BAD, UNASKED, WRONG, Status, Verdict, asked_in, judge


@dataclass(frozen=True)
class Column:
    """An adapter, or the reason why there is none: a column that says so, not a silence.

    foreign: whether it is asked every question twice, as one that the kit does not know
    """

    name: str
    adapter: Adapter | None = None
    reason: str = ""
    foreign: bool = False

    @property
    def description(self) -> Description | None:
        """What the adapter says of itself; None without one."""
        return self.adapter.describe() if self.adapter else None

    @property
    def title(self) -> str:
        """The name, with the dtype where there is one."""
        return f"{self.name} {self.description.dtype}" if self.description else self.name


@dataclass(frozen=True)
class Cell:
    """What an adapter's answers for one quantity come to: the worst of them, why it is wrong, and if that is known."""

    verdicts: tuple[Verdict, ...]
    diagnosis: Diagnosis | None = None
    expected: tuple[Expected, ...] = ()

    @property
    def known(self) -> bool:
        """Whether there is something wrong, and all of it is expected."""
        return self.status in BAD and all(
            any(failure.explains(verdict) for failure in self.expected)
            for verdict in self.verdicts
            if verdict.status in BAD
        )

    @property
    def worst(self) -> Verdict:
        """The verdict with the worst status, and among those the worst ratio."""
        return max(self.verdicts, key=lambda v: (list(Status).index(v.status), v.ratio))

    @property
    def status(self) -> Status:
        """The worst status."""
        return self.worst.status

    @property
    def taken(self) -> int:
        """On how many problems an answer was owed."""
        return sum(verdict.status not in UNASKED for verdict in self.verdicts)

    @property
    def ratio(self) -> float:
        """The worst ratio error / tolerance."""
        return max(v.ratio for v in self.verdicts)

    @property
    def translations(self) -> tuple[str, ...]:
        """What was done to the answers to bring them into the kit's conventions."""
        return tuple(dict.fromkeys(note for v in self.verdicts for note in v.translations))


class Row(NamedTuple):
    """A cell for each column, and notes on where the quantity was not asked in full."""

    cells: list[Cell]
    notes: list[str]


@dataclass
class Report:
    """The table: rows are quantities, columns adapters.

    notes:  where a quantity was not asked in full
    mended: failures that were expected and are none any more
    """

    columns: list[Column]
    problems: list[Problem]
    rows: dict[str, list[Cell]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    mended: Sequence[Expected] = ()

    def add(self, name: str, row: Row) -> None:
        """The next row."""
        self.rows[name] = row.cells
        self.notes += [note for note in row.notes if note not in self.notes]

    def expect(self, failures: Iterable[Expected]) -> None:
        """Tell the cells what is known of them; what passes in its place is `mended`."""
        mended = []
        for failure in failures:
            if failure.quantity not in self.rows:
                continue
            row = self.rows[failure.quantity]
            for i, (column, cell) in enumerate(zip(self.columns, row, strict=True)):
                described = column.description
                if described is None or (described.name, described.dtype) != (failure.adapter, failure.dtype):
                    continue
                if not any(map(failure.covers, cell.verdicts)):
                    self.notes.append(f"expected, but on no problem that was asked: {failure}")
                elif any(map(failure.explains, cell.verdicts)):
                    row[i] = replace(cell, expected=(*cell.expected, failure))
                elif any(failure.covers(verdict) and verdict.status is Status.PASS for verdict in cell.verdicts):
                    mended.append(failure)
        self.mended = mended

    @property
    def cells(self) -> list[Cell]:
        """Every cell of the table."""
        return [cell for row in self.rows.values() for cell in row]

    @property
    def checked(self) -> bool:
        """Whether any answer was judged at all."""
        return any(cell.taken for cell in self.cells)

    @property
    def passed(self) -> bool:
        """Whether every answer passed that was given, or is known not to. INCONCLUSIVE is no pass: it shows nothing."""
        return not self.mended and not any(cell.status in BAD and not cell.known for cell in self.cells)


def ignored(_name: str, _row: Row) -> None:
    """Do nothing with a row that has ended."""


def run(
    columns: Sequence[Column],
    problems: Iterable[Problem],
    progress: Callable[[str], None],
    ended: Callable[[str, Row], None] = ignored,
    only: Collection[str] = ROWS,
) -> Report:
    """Ask every column for every quantity, or for those of `only`, on every problem.

    `progress` is called with the name of each row as it begins, and `ended` with each row as it ends.
    """
    report = Report(list(columns), list(problems))
    for name in rows_for(report.problems, only):
        progress(name)
        answers = row(name, report.columns, report.problems)
        ended(name, answers)
        report.add(name, answers)
    return report


def rows_for(problems: Sequence[Problem], only: Collection[str] = ROWS) -> list[str]:
    """The rows that there is a problem for, of those of `only`."""
    return [name for name, quantity in ROWS.items() if name in only and any(map(quantity.asks, problems))]


def row(name: str, columns: Sequence[Column], problems: Sequence[Problem]) -> Row:
    """One row: the oracle of a problem is computed once and serves every column."""
    quantity, notes = ROWS[name], []
    offered = any(column.description is None or name in column.description.quantities for column in columns)
    verdicts: list[list[Verdict]] = [[] for _ in columns]
    asked_on: dict[str, Problem] = {}
    for problem in filter(quantity.asks, problems):
        within_reach = quantity.within_reach(problem)
        if within_reach is None:
            notes.append(f"{name} is not asked on {problem.id}: {_size(quantity, problem)}")
            continue
        if within_reach.N < problem.N:
            notes.append(f"{name} is asked on {within_reach.N} of {problem.N} datapoints of {problem.id}")
        asked_on[problem.id] = within_reach
        if any(column.description and column.description.dtype not in problem.dtypes for column in columns):
            notes.append(asked_in(problem))
        for column, answers in zip(columns, verdicts, strict=True):
            if column.adapter is None:
                answers.append(Verdict(Status.SKIPPED, problem.id, detail=column.reason))
            else:
                answers.append(judge(column.adapter, within_reach, quantity, twice=column.foreign))
    cells = []
    for column, answers in zip(columns, verdicts, strict=True):
        why = None if column.adapter is None else diagnosed(column.adapter, asked_on, quantity, answers)
        cells.append(Cell(tuple(answers), why))
    return Row(cells, notes if offered else [])


def diagnosed(
    adapter: Adapter, problems: Mapping[str, Problem], quantity: Quantity, verdicts: Sequence[Verdict]
) -> Diagnosis | None:
    """Why answers are wrong; None where none is. What is no answer at all tells nothing of the mistake."""
    answers = [
        Answered(problems[verdict.problem], verdict.answer)
        for verdict in verdicts
        if verdict.status is Status.PASS or verdict.answer is not None
    ]
    if not any(verdict.status in WRONG for verdict in verdicts):
        return None
    described = adapter.describe()
    return diagnose(answers, compared(quantity, described.conventions), described.dtype)


def _size(quantity: Quantity, problem: Problem) -> str:
    return f"it would have {quantity.elements(problem):.1e} elements"
