"""The lines of JSON in a report, and checks of their fields."""

from typing import Any, Literal, NotRequired, TypedDict


class Tolerance(TypedDict):
    """The rule of tolerances, its constant, and the unit roundoff of each dtype."""

    rule: str
    c: float
    u: dict[str, float]


class ProblemLine(TypedDict):
    """A problem on which the run compares answers."""

    id: str
    N: int
    objective: str
    widths: list[int]


class ColumnLine(TypedDict):
    """An implementation, with its dtype, version and flags, or with the reason why it is not usable."""

    name: str
    usable: bool
    reason: NotRequired[str]
    dtype: NotRequired[str]
    version: NotRequired[str]
    flags: NotRequired[dict[str, str]]


class RunLine(TypedDict):
    """The first line of a report, which describes the run."""

    kind: Literal["run"]
    format: int
    tolerance: Tolerance
    environment: dict[str, str]
    problems: list[ProblemLine]
    columns: list[ColumnLine]
    notes: list[str]


class Worst(TypedDict):
    """The worst verdict of a cell: the id of its problem, and the reason for the verdict."""

    problem: str
    detail: str


class DiagnosisLine(TypedDict):
    """The diagnosis of wrong answers.

    mistakes: descriptions of the mistakes that explain the answers, by name of the mistake
    shape:    a description of the error; empty if a mistake explains the answers
    tried:    true if the answers were compared with the known mistakes
    """

    mistakes: dict[str, str]
    shape: str
    tried: NotRequired[bool]


class CellLine(TypedDict):
    """A line after the first line of a report: the verdict on an implementation's answers for a quantity.

    ratio:              the largest ratio of error to tolerance; null if the ratio is not finite
    relative_tolerance: the largest ratio tolerance / largest element of an array; null if the ratio is not finite
    problems:           the number of problems of the quantity, without the problems that are SKIPPED
    supported:          the number of these problems that the implementation supports
    left_out:           for each reason, the number of problems on which the quantity was not run
    expected_failure:   true if the cell failed and every failure is expected
    reasons:            the reasons of the expected failures
    """

    kind: Literal["cell"]
    quantity: str
    equation: str
    column: int
    status: Literal["SKIPPED", "UNIMPLEMENTED", "PASS", "INCONCLUSIVE", "NON-STRICT", "FAIL", "ERROR"]
    ratio: float | None
    relative_tolerance: float | None
    problems: int
    supported: int
    left_out: NotRequired[dict[str, int]]
    worst: Worst
    expected_failure: bool
    reasons: list[str]
    translations: list[str]
    diagnosis: DiagnosisLine | None


def fault_of_run(run: dict[str, Any]) -> str:
    """A message on the first field that a column lacks, or "" if no field is missing."""
    for i, column in enumerate(run["columns"]):
        needed = ("dtype", "version", "flags") if column["usable"] else ("reason",)
        for name in needed:
            if name not in column:
                return f"columns[{i}]: expected a field {name}"
    return ""


def fault_of_cell(cell: dict[str, Any], columns: int) -> str:
    """A message on the first field of a cell with a value outside its range, or "" if there is no such field."""
    if cell["column"] not in range(columns):
        return f"column: expected a number from 0 to {columns - 1}, got {cell['column']}"
    if not 0 <= cell["supported"] <= cell["problems"]:
        return f"supported: expected a number from 0 to {cell['problems']}, got {cell['supported']}"
    if cell["status"] == "PASS" and cell["ratio"] is None:
        return "ratio: expected a number for a cell that passed, got null"
    for name in ("ratio", "relative_tolerance"):
        if (cell[name] or 0) < 0:
            return f"{name}: expected at least 0, got {cell[name]}"
    return ""
