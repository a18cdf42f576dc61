"""Reports as one self-contained page of HTML: a table of quantities and implementations, with details of each cell."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ..plain import counted, plain
from ..quantities import ROWS
from ..verdicts import BAD, NOT_RUN, Status
from ..writing import write_whole
from .json_lines import Line, Records
from .kinds import kinds


class Box(NamedTuple):
    """A cell of the page.

    shown:    the text of the cell
    status:   the status of the verdict, or "not-run"
    kind:     the style class of the cell: the status, or "expected" for an expected failure
    column:   the object of JSON that describes the implementation; None if the quantity was not run
    cell:     the object of JSON for the cell; None if the quantity was not run
    problems: a text such as "3 of 5 problems", or empty if no problem is supported or the quantity was not run

    The id of a cell consists of the name of the implementation, the dtype and the quantity, so that a link can lead to
    the cell.
    """

    id: str
    shown: str
    status: str
    kind: str
    column: Line | None = None
    cell: Line | None = None
    problems: str = ""

    @property
    def is_bad(self) -> bool:
        """True if the page shows the cell's diagnosis below the table."""
        return self.status in BAD

    @property
    def has_popover(self) -> bool:
        """True if a click on the cell opens its details."""
        return self.cell is not None and not self.is_bad and self.status != Status.UNIMPLEMENTED

    @property
    def left_out(self) -> dict[str, int]:
        """The numbers of problems that were not run, by reason."""
        return {} if self.cell is None else self.cell.get("left_out", {})


class PageRow(NamedTuple):
    """A row of the page: a quantity, with a cell for each column."""

    name: str
    equation: str
    description: str
    boxes: list[Box]


def write_page(reports: Sequence[Records], path: Path) -> None:
    """Write a page with the columns of all reports. A quantity that a report does not contain has empty cells."""
    write_whole(path, page(reports))


def page(reports: Sequence[Records]) -> str:
    """The HTML of the page."""
    import jinja2  # only the page needs jinja2

    templates = jinja2.Environment(
        loader=jinja2.PackageLoader("kfgn_conformance", "reports"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        finalize=_shown,
    )
    columns = [column for report in reports for column in report.run["columns"]]
    rows = rows_of(reports)
    bad = [(row, box) for row in rows for box in row.boxes if box.is_bad]
    return templates.get_template("page.html.jinja").render(
        columns=columns,
        rows=rows,
        runs=[report.run for report in reports],
        failures=[(row, box) for row, box in bad if box.kind != "expected"],
        expected=[(row, box) for row, box in bad if box.kind == "expected"],
        kinds=kinds,
        counts=Counter(box.kind for row in rows for box in row.boxes if box.cell is not None),
    )


def _shown(value: object) -> object:
    """Escape unprintable characters in a `str`. The template's markup is of a subclass of `str`, and is unchanged."""
    return plain(value) if type(value) is str else value


def rows_of(reports: Sequence[Records]) -> list[PageRow]:
    """The rows of the quantities with an answer or an ERROR, in the order of the kit's table.

    Quantities that the kit does not have come last.
    """
    found: dict[str, dict[int, Line]] = {}
    columns: list[Line] = []
    for report in reports:
        for cell in report.cells:
            found.setdefault(cell["quantity"], {})[len(columns) + cell["column"]] = cell
        columns += report.run["columns"]
    names = [*(name for name in ROWS if name in found), *(name for name in found if name not in ROWS)]
    rows = []
    heads = _heads(columns)
    for name in names:
        cells = found[name]
        if all(cell["status"] in NOT_RUN for cell in cells.values()):
            continue
        boxes = [box(f"{heads[j]}-{name}", columns[j], cells.get(j)) for j in range(len(columns))]
        description = ROWS[name].description if name in ROWS else ""
        rows.append(PageRow(name, next(iter(cells.values()))["equation"], description, boxes))
    return rows


def _heads(columns: Sequence[Line]) -> list[str]:
    """The first part of the cell ids of each column: the name, the dtype if any, and a number for a repeated column."""
    heads: list[str] = []
    for column in columns:
        words = re.findall(r"[\w.]+", f"{column['name']} {column.get('dtype', '')}")
        head = "-".join(words)
        repeated = sum(each == head or each.startswith(f"{head}--") for each in heads)
        heads.append(f"{head}--{repeated + 1}" if repeated else head)
    return heads


def box(name: str, column: Line, cell: Line | None) -> Box:
    """A cell of the page, which shows the ratio if the implementation passed, and the status otherwise."""
    if cell is None:
        return Box(name, "", "not-run", "not-run")
    status: str = cell["status"]
    shown = f"{cell['ratio']:.2f}" if status == Status.PASS else status
    supported, total = cell["supported"], cell["problems"]
    count = counted(supported, "problem", total=total) if supported else ""
    return Box(name, shown, status, "expected" if cell["expected_failure"] else status, column, cell, count)
