"""All questions to all adapters, and the cells of the table that come out."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from .adapters import Adapter
from .adapters.conventions import compared
from .cells import Cell, Column, Row
from .diagnosis import Answered, Diagnosis, diagnose
from .expected import Expected
from .orders import ORDERS, Again, asked_in_orders
from .problems.problem import Problem
from .quantities import ROWS, Quantity
from .verdicts import BAD, UNASKED, WRONG, Status, Verdict, asked_in, judge, severity

__all__ = ["Cell", "Column", "Report", "Row", "again", "row", "rows_for", "run"]


@dataclass
class Report:
    """The table: rows are quantities, columns adapters.

    notes:  where a quantity was not asked in full
    mended: expected failures that no longer occur
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

    def asked(self, column: int) -> tuple[list[Problem], int]:
        """The problems that a column has taken for any quantity, and the number of all problems in its dtype."""
        verdicts = [verdict for row in self.rows.values() for verdict in row[column].verdicts]
        taken = {verdict.problem for verdict in verdicts if verdict.status not in UNASKED}
        asked = {verdict.problem for verdict in verdicts if verdict.status is not Status.SKIPPED}
        return [problem for problem in self.problems if problem.id in taken], len(asked)

    def answered(self, column: int) -> tuple[list[str], list[str]]:
        """The quantities that a column can run again in other orders, and those of them that are wrong already."""
        statuses = {name: row[column].status for name, row in self.rows.items()}
        names = [name for name, status in statuses.items() if status not in (*UNASKED, Status.ERROR)]
        return names, [name for name in names if statuses[name] is not Status.PASS]

    def add_again(self, found: Sequence[Again]) -> None:
        """Enter each column's wrong answers in other orders, and a note on the number of questions."""
        titles: dict[int, list[str]] = {}
        for i, (questions, wrong) in enumerate(found):
            titles.setdefault(questions, []).append(self.columns[i].title)
            for name, verdict in wrong.items():
                row = self.rows[name]
                row[i] = replace(row[i], again=(verdict,))
        asked = "; ".join(f"{n} questions of {', '.join(titles[n])}" for n in sorted(titles, reverse=True) if n)
        self.notes += [f"asked again in {ORDERS} other orders: {asked}"] if asked else []

    def expect(self, failures: Iterable[Expected]) -> None:
        """Give each cell its known failures. Known failures that do not occur are `mended`."""
        mended = []
        for failure in failures:
            if failure.quantity not in self.rows:
                continue
            row = self.rows[failure.quantity]
            for i, (column, cell) in enumerate(zip(self.columns, row, strict=True)):
                described = column.description
                if described is None or (described.name, described.dtype) != (failure.adapter, failure.dtype):
                    continue
                if not any(map(failure.covers, cell.every)):
                    self.notes.append(f"expected, but on no problem that was asked: {failure}")
                elif any(map(failure.explains, cell.every)):
                    row[i] = replace(cell, expected=(*cell.expected, failure))
                elif any(failure.covers(verdict) and verdict.status is Status.PASS for verdict in cell.verdicts):
                    mended.append(failure)
        self.mended = mended

    @property
    def cells(self) -> list[Cell]:
        """Every cell of the table."""
        return [cell for _, cell in self.named_cells]

    @property
    def named_cells(self) -> list[tuple[str, Cell]]:
        """Every cell with the name of its quantity."""
        return [(name, cell) for name, row in self.rows.items() for cell in row]

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
    """Run every quantity, or those of `only`, on every problem and with every column.

    `progress` is called with the name of each row as it begins, and `ended` with each row as it ends.
    """
    report = Report(list(columns), list(problems))
    for name in rows_for(report.problems, only):
        progress(name)
        answers = row(name, report.columns, report.problems)
        ended(name, answers)
        report.add(name, answers)
    found = []
    for i, column in enumerate(report.columns):
        progress(f"{column.title} in other orders")
        found.append(again(column, report.problems, *report.answered(i)))
    report.add_again(found)
    return report


def again(column: Column, problems: Sequence[Problem], names: Sequence[str], wrong: Sequence[str]) -> Again:
    """Run the quantities of a column again in other orders. wrong: the quantities that are wrong already."""
    if column.adapter is None:
        return Again(0, {})
    return asked_in_orders(column.adapter, problems, names, wrong, short=column.short)


def rows_for(problems: Sequence[Problem], only: Collection[str] = ROWS) -> list[str]:
    """The rows of `only` for which there is a problem."""
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
        cells.append(Cell(tuple(verdict._replace(answer=None) for verdict in answers), why))
    return Row(cells, notes if offered else [])


def diagnosed(
    adapter: Adapter, problems: Mapping[str, Problem], quantity: Quantity, verdicts: Sequence[Verdict]
) -> Diagnosis | None:
    """The diagnosis of wrong answers; None if no answer is wrong. Verdicts without an answer are left out.

    The worst answers come first, so that the diagnosis describes the answer that the cell names.
    """
    answers = [
        Answered(problems[verdict.problem], verdict.answer)
        for verdict in sorted(verdicts, key=severity, reverse=True)
        if verdict.status is Status.PASS or verdict.answer is not None
    ]
    if not any(verdict.status in WRONG for verdict in verdicts):
        return None
    described = adapter.describe()
    return diagnose(answers, compared(quantity, described.conventions), described.dtype)


def _size(quantity: Quantity, problem: Problem) -> str:
    return f"it would have {quantity.elements(problem):.1e} elements"
