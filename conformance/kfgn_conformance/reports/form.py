"""The kinds of line in a report."""

from typing import Any, Literal, NotRequired, TypedDict


class Tolerance(TypedDict):
    """The rule, its constant, and the roundoff of each dtype."""

    rule: str
    c: float
    u: dict[str, float]


class ProblemLine(TypedDict):
    """A problem of the run."""

    id: str
    N: int
    objective: str
    widths: list[int]


class ColumnLine(TypedDict):
    """An implementation: usable with its dtype, version and flags, or not with the reason."""

    name: str
    usable: bool
    reason: NotRequired[str]
    dtype: NotRequired[str]
    version: NotRequired[str]
    flags: NotRequired[dict[str, str]]


class RunLine(TypedDict):
    """The first line."""

    kind: Literal["run"]
    format: int
    tolerance: Tolerance
    environment: dict[str, str]
    problems: list[ProblemLine]
    columns: list[ColumnLine]
    notes: list[str]


class Worst(TypedDict):
    """The verdict that is shown."""

    problem: str
    detail: str


class DiagnosisLine(TypedDict):
    """Mistakes that explain an answer, with what each is, and how it differs."""

    mistakes: dict[str, str]
    shape: str
    tried: NotRequired[bool]


class CellLine(TypedDict):
    """A line after the first: the verdict on an implementation's answers for a quantity. null: not a finite number."""

    kind: Literal["cell"]
    quantity: str
    equation: str
    column: int
    status: Literal["SKIPPED", "UNIMPLEMENTED", "PASS", "INCONCLUSIVE", "NON-STRICT", "FAIL", "ERROR"]
    ratio: float | None
    looseness: float | None
    asked: int
    taken: int
    worst: Worst
    known: bool
    expected: list[str]
    translations: list[str]
    diagnosis: DiagnosisLine | None


def fault_of_run(run: dict[str, Any]) -> str:
    """Describe the fault of a first line, a field that does not fit the others; empty if there is none."""
    for i, column in enumerate(run["columns"]):
        needed = ("dtype", "version", "flags") if column["usable"] else ("reason",)
        for name in needed:
            if name not in column:
                return f"columns[{i}]: expected a field {name}"
    return ""


def fault_of_cell(cell: dict[str, Any], columns: int) -> str:
    """Describe the fault of a cell in a report of so many columns; empty if there is none."""
    if cell["column"] not in range(columns):
        return f"column: expected a number below {columns}, got {cell['column']}"
    if not 0 <= cell["taken"] <= cell["asked"]:
        return f"taken: expected a number from 0 to {cell['asked']}, got {cell['taken']}"
    if cell["status"] == "PASS" and cell["ratio"] is None:
        return "ratio: expected a number for what passed, got null"
    for name in ("ratio", "looseness"):
        if (cell[name] or 0) < 0:
            return f"{name}: expected at least 0, got {cell[name]}"
    return ""
