"""Undeclared conventions that contradict the right answers of the same adapter for other quantities.

An adapter has the same conventions for all its quantities. If the answers for `q` are right with separate biases, and
the answers for `gradient` are right with the biases in the last column, the answers for one of the two are wrong.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from .adapters import Conventions
from .adapters.positions import has_patches
from .problems.layers import has_bias_column
from .problems.problem import Problem
from .quantities import ROWS, Quantity
from .results import Cell, Report
from .undeclared import NAME, undeclared_mistake
from .verdicts import Status

INCONSISTENT = "inconsistent-convention"
"""The name of an explanation by conventions that contradict the right answers for other quantities."""


def consistent(report: Report) -> Report:
    """Return a report without undeclared conventions that contradict the right answers for other quantities.

    If all the conventions of a diagnosis contradict such answers, the diagnosis names a quantity with such answers.
    """
    problems = {problem.id: problem for problem in report.problems}
    columns = []
    for i, column in enumerate(report.columns):
        cells = {name: row[i] for name, row in report.rows.items()}
        if column.description:
            declared = column.description.conventions
            cells = {name: _consistent(name, cells, declared, problems) for name in cells}
        columns.append(cells)
    return replace(report, rows={name: tuple(cells[name] for cells in columns) for name in report.rows})


def _consistent(name: str, cells: Mapping[str, Cell], declared: Conventions, problems: Mapping[str, Problem]) -> Cell:
    """Return the cell of a quantity, with a diagnosis that agrees with the right answers in the other cells."""
    cell = cells[name]
    if cell.diagnosis is None or [mistake.name for mistake in cell.diagnosis.mistakes] != [NAME]:
        return cell
    (mistake,) = cell.diagnosis.mistakes
    others = {other: ROWS[other] for other in cells if other != name}
    against = [
        next((other for other, row in others.items() if _is_against(cells[other], row, declared, each, problems)), "")
        for each in mistake.conventions
    ]
    if not any(against):
        return cell
    kept = [each for each, other in zip(mistake.conventions, against, strict=True) if not other]
    if kept:
        found = undeclared_mistake(kept, declared, ROWS[name])
    else:
        text = (
            f"{mistake.description} But the answers for {against[0]} are right with the declared conventions. An "
            f"adapter has the same conventions for all quantities, so either the answers for {name} or those for "
            f"{against[0]} are wrong."
        )
        found = mistake._replace(name=INCONSISTENT, description=text, conventions=())
    return replace(cell, diagnosis=cell.diagnosis._replace(mistakes=(found,)))


def _is_against(
    cell: Cell, quantity: Quantity, declared: Conventions, other: Conventions, problems: Mapping[str, Problem]
) -> bool:
    """True if the answers of a cell passed with the declared conventions, and would be different with `other`."""
    passed = (problems[v.problem] for v in cell.verdicts if v.status is Status.PASS and v.problem in problems)
    return cell.status is Status.PASS and any(
        [*_form(declared, quantity, problem)] != [*_form(other, quantity, problem)] for problem in passed
    )


def _form(conventions: Conventions, quantity: Quantity, problem: Problem) -> Iterator[object]:
    """Yield the parts of the conventions on which an answer for a quantity on a problem depends."""
    kind = quantity.array_kind
    owners = quantity.weights_of(problem) if kind else []
    if kind == "weights":
        yield conventions.layout
    if kind == "blocks" and any(min(shape) > 1 for _, shape in owners):
        yield conventions.inputs_first
    if any(has_bias_column(layer, shape) for layer, shape in owners):
        yield conventions.bias
    if kind and has_patches(problem):
        yield conventions.patch
    is_reduced = quantity.mean and quantity.degree is not None and problem.N > 1
    if is_reduced and quantity.name not in conventions.divisors:  # a declared divisor replaces the reduction
        yield conventions.reduction
