"""The tables of docs/performance.md, from the JSON of one or more runs.

python -m benchmarks.markdown run-1.json run-2.json
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def tables(rows: list[dict[str, Any]]) -> Iterator[str]:
    """The lines of one table per case."""
    for case in dict.fromkeys(row["case"] for row in rows):
        of_case = [row for row in rows if row["case"] == case]
        ratios = list(dict.fromkeys(name for row in of_case for name in row["ratios"]))
        peaks, notes = any(row["peak"] is not None for row in of_case), any(row["note"] for row in of_case)
        headings = ["work", "library", "ms", *ratios, *["peak MiB"] * peaks, *["note"] * notes]
        yield f"\n{case}\n"
        yield line(headings)
        yield line(["---"] * len(headings))
        for row in of_case:
            found = [ratio(row["ratios"].get(name)) for name in ratios]
            peak = "" if row["peak"] is None else f"{row['peak'] / 2**20:.0f}"
            cells = [row["work"], row["library"], f"{1000 * row['seconds']:.3g}", *found]
            yield line([*cells, *[peak] * peaks, *[row["note"]] * notes])


def line(cells: list[str]) -> str:
    """A line of a table."""
    return f"| {' | '.join(cells)} |"


def ratio(found: list[float] | None) -> str:
    """The median with the lowest and the highest ratio, or the median alone if all are equal."""
    if found is None:
        return ""
    median, low, high = found
    return f"{median:.2f}" if low == high else f"{median:.2f} ({low:.2f}-{high:.2f})"


def main(paths: list[str]) -> None:
    """Print the tables of all files."""
    rows = [row for path in paths for row in json.loads(Path(path).read_text(encoding="utf-8"))["rows"]]
    print("\n".join(tables(rows)))  # noqa: T201  (the result of the program)


if __name__ == "__main__":
    main(sys.argv[1:])
