"""The two tables in the docstring of kfgn_reference: the order of reading, and the symbols."""

import inspect
import re

import kfgn_reference

FIELD = re.compile(r"\S+(?: \S+)*")


def reading_order() -> list[list[str]]:
    """Return a row for each module in the order of reading: its name, its equations, its subject."""
    rows = _rows("Read the modules in this order:\n\n")
    _, equations, subject = (field.start() for field in FIELD.finditer(rows[0]))
    return [[cell.strip() for cell in (row[:equations], row[equations:subject], row[subject:])] for row in rows]


def symbols() -> list[list[str]]:
    """Return a row for each symbol: its name here, its name in the paper, its meaning, its shape."""
    header, *rows = _rows("Symbols\n-------\n")
    paper, meaning, shape = (header.index(name) for name in ("paper", "meaning", "shape"))
    table = []
    for row in rows:
        end = shape if row[shape - 1 : shape] == " " else None  # a long meaning has no shape after it
        cells = row[:paper], row[paper:meaning], row[meaning:end], row[end:] if end else ""
        table.append([cell.strip() for cell in cells])
    return table


def _rows(heading: str) -> list[str]:
    """Return the indented lines after a heading. Raises `ValueError` if there are none."""
    lines = (inspect.getdoc(kfgn_reference) or "").partition(heading)[2].partition("\n\n")[0].splitlines()
    if not lines or not all(line.startswith("    ") for line in lines):
        raise ValueError(f"kfgn_reference: expected an indented table after {heading.splitlines()[0]!r}, got none")
    return lines
