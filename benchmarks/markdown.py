"""The tables of docs/performance.md, from the JSON of one or more runs.

python -m benchmarks.markdown run-1.json run-2.json
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from .columns import columns
from .rows import Row
from .timing import Ratio


def read_rows(path: Path) -> list[Row]:
    """The rows that `write_json` wrote."""
    found = json.loads(path.read_text(encoding="utf-8"))["rows"]
    return [Row(**row | {"ratios": {name: Ratio(*r) for name, r in row["ratios"].items()}}) for row in found]


def lines(rows: list[Row]) -> Iterator[str]:
    """The lines of one table per case."""
    for case in dict.fromkeys(row.case for row in rows):
        headings, cells = columns([row for row in rows if row.case == case])
        yield from ("", case, "", _line(headings), _line(["---"] * len(headings)))
        yield from map(_line, cells)


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def main(paths: list[str]) -> None:
    """Print the tables of all files."""
    print("\n".join(lines([row for path in paths for row in read_rows(Path(path))])))  # noqa: T201  (the result)


if __name__ == "__main__":
    main(sys.argv[1:])
