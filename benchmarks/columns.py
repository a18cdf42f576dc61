"""The columns of a table of rows, as texts, for the terminal and for Markdown."""

from .rows import Row
from .timing import Ratio


def columns(rows: list[Row]) -> tuple[list[str], list[list[str]]]:
    """The headings of the table, and the cells of each row. A column without a figure is left out."""
    ratios = list(dict.fromkeys(name for row in rows for name in row.ratios))
    headings = ["work", "library", "ms", *ratios, "peak MiB", "launches", "note"]
    cells = [
        [
            row.work,
            row.library,
            f"{1000 * row.seconds:.3g}",
            *(_ratio(row.ratios.get(name)) for name in ratios),
            "" if row.peak is None else f"{row.peak / 2**20:.0f}",
            "" if row.launches is None else f"{row.launches:.0f}",
            row.note,
        ]
        for row in rows
    ]
    kept = [i for i in range(len(headings)) if any(line[i] for line in cells)]
    return [headings[i] for i in kept], [[line[i] for i in kept] for line in cells]


def _ratio(found: Ratio | None) -> str:
    """The median with the lowest and the highest ratio, or the median alone if all are equal."""
    if found is None:
        return ""
    return f"{found.median:.2f}" + (f" ({found.low:.2f}-{found.high:.2f})" if found.low < found.high else "")
