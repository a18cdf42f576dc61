"""Reports as one page of HTML that needs nothing else: implementations by quantities, and what is behind each cell."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ..plain import plain
from ..quantities import ROWS
from ..verdicts import UNASKED, Status
from ..writing import write_whole
from .records import Line, Records


class Box(NamedTuple):
    """A cell of the page. shown: its text. found: the line of the report, None where nothing was run.

    kind: its colour, by its status, or as known. asked: the number of its problems, empty if there is none
    """

    id: str
    shown: str
    status: str
    kind: str
    column: Line | None = None
    found: Line | None = None
    asked: str = ""


class PageRow(NamedTuple):
    """A quantity, and a box for each column."""

    name: str
    equation: str
    says: str
    boxes: list[Box]


def write_page(reports: Sequence[Records], path: Path) -> None:
    """All columns of the reports beside each other; a quantity that only some were asked for has empty boxes."""
    write_whole(path, page(reports))


def page(reports: Sequence[Records]) -> str:
    """The HTML."""
    import jinja2  # for this alone

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
    return templates.get_template("page.html.jinja").render(
        columns=columns,
        rows=rows,
        runs=[report.run for report in reports],
        counts=Counter(box.kind for row in rows for box in row.boxes if box.found is not None),
    )


def _shown(value: object) -> object:
    """Make text of users plain. Text that is markup already comes from the template and stays as it is."""
    return plain(value) if type(value) is str else value


def rows_of(reports: Sequence[Records]) -> list[PageRow]:
    """The quantities that anyone offers, in the order of the table."""
    found: dict[str, dict[int, Line]] = {}
    columns: list[Line] = []
    for report in reports:
        for cell in report.cells:
            found.setdefault(cell["quantity"], {})[len(columns) + cell["column"]] = cell
        columns += report.run["columns"]
    names = [*(name for name in ROWS if name in found), *(name for name in found if name not in ROWS)]
    rows = []
    for i, name in enumerate(names):
        cells = found[name]
        if all(cell["status"] in UNASKED for cell in cells.values()):
            continue
        boxes = [box(f"cell-{i}-{j}", columns[j], cells.get(j)) for j in range(len(columns))]
        says = ROWS[name].description if name in ROWS else ""
        rows.append(PageRow(name, next(iter(cells.values()))["equation"], says, boxes))
    return rows


def box(name: str, column: Line, cell: Line | None) -> Box:
    """The ratio where it passed, else the status in words."""
    if cell is None:
        return Box(name, "", "unasked", "unasked")
    status: str = cell["status"]
    shown = f"{cell['ratio']:.2f}" if status == Status.PASS else status
    taken, asked = cell["taken"], cell["asked"]
    count = "" if not taken else f"on {asked}" if taken == asked else f"on {taken} of {asked}"
    return Box(name, shown, status, "known" if cell["known"] else status, column, cell, count)
