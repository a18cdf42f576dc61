"""The run of all questions (one quantity on one problem) by every implementation."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import partial

from .adapters import Description
from .changes import LARGE
from .consistent import consistent
from .declared_sums import on_declared_sums
from .diagnosis import Answered, Diagnosis, diagnose
from .expected import Expected
from .implementation import Implementation
from .judging import Judged, dtypes_of, judged, judged_twice
from .oracle import Oracle, Oracles
from .orders import repeated_in_orders
from .problems.problem import Problem
from .quantities import ROWS, Quantity
from .questions import SmallProblem, small_problems
from .results import Again, Cell, Report, Row, report_of
from .undeclared import undeclared
from .verdicts import NOT_RUN, WRONG, Status, Verdict, severity

NOT_SELECTED = "only a thorough run contains this problem"
"""The reason why an implementation is not run on a problem that its selection leaves out."""


def ignored(*_: object) -> None:
    """Do nothing."""


def run(
    implementations: Sequence[Implementation],
    problems: Iterable[Problem],
    *,
    quantities: Collection[str] = ROWS,
    expected: Iterable[Expected] = (),
    repeat: bool = True,
    oracles: Oracles | None = None,
    progress: Callable[[str], None] = ignored,
    ended: Callable[[str, Row], None] = ignored,
) -> Report:
    """Run the quantities on every problem with every implementation.

    quantities: the names of the quantities, which are the rows of the table; all quantities by default
    expected:   the expected failures
    repeat:     False to omit the repetition of the questions in other orders
    oracles:    oracles that several runs share; by default, the oracles of a row are freed when the row ends
    progress:   called with the name of each row when the row begins, and with a text when a repetition begins
    ended:      called with the name and the content of each row when the row ends
    """
    problems = list(problems)
    rows: dict[str, Row] = {}
    for name in rows_for(problems, quantities):
        progress(name)
        rows[name] = row(name, implementations, problems, oracles or Oracles())
        ended(name, rows[name])
    again, small = [], small_problems(problems)
    for i, implementation in enumerate(implementations if repeat else ()):
        progress(f"{implementation.column.title} in other orders")
        again.append(in_other_orders(implementation, small, rows, {name: row.cells[i] for name, row in rows.items()}))
    return consistent(report_of([each.column for each in implementations], problems, rows, again, expected))


def run_in_other_orders(
    implementation: Implementation,
    problems: Iterable[Problem],
    cells: Mapping[str, Cell],
    expected: Iterable[Expected] = (),
) -> Report:
    """Repeat questions about the quantities that an implementation offers, in other orders.

    A quantity whose cell in `cells` has no answer, or an ERROR, is left out. The report has rows only for the
    quantities with a wrong answer in one of these orders.

    cells: the results of quantities that were run before
    """
    problems = list(problems)
    _, description = implementation.opened
    again = in_other_orders(implementation, small_problems(problems), description.quantities, cells)
    rows = {name: Row((Cell((verdict,)),)) for name, verdict in again.wrong.items()}
    return report_of([implementation.column], problems, rows, expected=expected)


def rows_for(problems: Sequence[Problem], quantities: Collection[str] = ROWS) -> list[str]:
    """Return the names of the quantities that apply to at least one of the problems, in the order of the table."""
    return [name for name, q in ROWS.items() if name in quantities and any(map(q.applies_to, problems))]


def row(name: str, implementations: Sequence[Implementation], problems: Sequence[Problem], oracles: Oracles) -> Row:
    """Run one quantity with every implementation, on each problem of the implementation's selection.

    A problem outside the selection is SKIPPED. Problems to which the quantity does not apply are left out.
    """
    quantity, notes = ROWS[name], list[str]()
    answers: list[list[tuple[Oracle | None, Judged]]] = [[] for _ in implementations]
    for problem in filter(quantity.concerns, problems):
        if not quantity.condition(problem):
            notes += [f"{name} is not run on {problem.id}: {quantity.otherwise}"] if quantity.otherwise else []
            continue
        selecting = [each.description for each in implementations if each.is_run_on(problem, quantity)]
        if selecting:
            notes += _notes(problem, quantity, oracles.on(problem, quantity), selecting)
        for implementation, answered in zip(implementations, answers, strict=True):
            if not implementation.is_run_on(problem, quantity):
                answered.append((None, Judged(Verdict(Status.SKIPPED, problem.id, detail=NOT_SELECTED))))
                continue
            oracle = oracles.on(problem, implementation.compared(quantity))
            if oracle is not None:
                oracle = implementation.selection.part_of(oracle)
                answered.append((oracle, _answer(implementation, oracle)))
    cells = tuple(_cell(each.description, found) for each, found in zip(implementations, answers, strict=True))
    described = [each.description for each in implementations]
    is_offered = any(description is None or name in description.quantities for description in described)
    return Row(cells, tuple(notes) if is_offered else ())


def in_other_orders(
    implementation: Implementation, small: Sequence[SmallProblem], names: Iterable[str], cells: Mapping[str, Cell]
) -> Again:
    """Repeat quantities of an implementation in other orders.

    If a quantity did not pass in the table, a wrong answer to a repeated question counts only if an earlier repetition
    of the same question had a right answer. An implementation that is not usable repeats no question, and neither does
    an implementation in a dtype that its selection leaves out.
    """
    selection, description = implementation.selection, implementation.description
    if description is None or description.dtype not in selection.dtypes_in_orders:
        return Again(0, {})
    small = [each for each in small if fnmatchcase(each.problem.id, selection.in_orders)]
    repeated = to_repeat(names, cells)
    wrong = [name for name in repeated if name in cells and cells[name].status is not Status.PASS]
    return repeated_in_orders(implementation, small, repeated, wrong)


def to_repeat(names: Iterable[str], cells: Mapping[str, Cell]) -> list[str]:
    """Return the quantities to repeat: those without a cell, and those whose cell has answers and no ERROR."""
    return [name for name in names if name not in cells or cells[name].status not in (*NOT_RUN, Status.ERROR)]


def _notes(
    problem: Problem, quantity: Quantity, oracle: Oracle | None, described: Sequence[Description | None]
) -> Iterator[str]:
    """Describe the parts of a problem that are not run.

    oracle: the oracle of the datapoints that are compared, or None if no datapoint is compared
    """
    if oracle is None:
        yield f"{quantity.name} is not run on {problem.id}: {quantity.elements(problem):.1e} elements are too many"
        return
    if oracle.problem.N < problem.N:
        yield f"{quantity.name} is run on {oracle.problem.N} of {problem.N} datapoints of {problem.id}"
    if any(description and description.dtype not in problem.dtypes for description in described):
        yield dtypes_of(problem)


def _answer(implementation: Implementation, oracle: Oracle) -> Judged:
    if implementation.adapter is None:
        return Judged(Verdict(Status.SKIPPED, oracle.problem.id, detail=implementation.reason))
    twice = implementation.twice and oracle.problem.parameters < LARGE
    return (judged_twice if twice else judged)(implementation, oracle)


def _cell(description: Description | None, answers: Sequence[tuple[Oracle | None, Judged]]) -> Cell:
    verdicts = tuple(answer.verdict for _, answer in answers)
    answered = [(oracle, answer) for oracle, answer in answers if oracle is not None]
    return Cell(verdicts, diagnosis_of(answered, description) if description else None)


def diagnosis_of(answers: Sequence[tuple[Oracle, Judged]], description: Description) -> Diagnosis | None:
    """Diagnose the wrong answers for a quantity.

    Returns None if no answer is wrong. Returns None also if `Judged.wrong` is None for every wrong answer, unless
    undeclared conventions explain the answers.

    The worst answers come first, because the diagnosis describes the first wrong answer, and the cell of the report
    names the worst answer.
    """
    if not any(answer.verdict.status in WRONG for _, answer in answers):
        return None
    worst_first = sorted(answers, key=lambda each: severity(each[1].verdict), reverse=True)
    usable = (each for each in worst_first if each[1].verdict.status is Status.PASS or each[1].wrong is not None)
    by_conventions = partial(undeclared, answers, description)
    answered = [Answered(oracle, answer.wrong) for oracle, answer in usable]
    found = diagnose(answered, description.dtype, by_conventions)
    if found is None and (conventions := by_conventions()):  # no wrong array was stored
        return Diagnosis(conventions, "")
    return found and on_declared_sums(found, answers[0][0].quantity, description.conventions)
