"""The lines of `metrics.jsonl`."""

import hashlib
import json
from pathlib import Path
from typing import Any, cast

from .decoding import content_of, decoded
from .errors import FileError
from .records import Start, Update

METRICS = "metrics.jsonl"

Row = dict[str, Any]
"""A line of `metrics.jsonl`: see `Run.metrics`."""


def as_lines(rows: list[Row]) -> bytes:
    """Rows as JSON lines."""
    return "".join(json.dumps(row, allow_nan=False) + "\n" for row in rows).encode()


def whole_lines(path: Path) -> list[bytes]:
    """The lines with their line ends; none if there is no file. An incomplete last line is left out."""
    return [line + b"\n" for line in content_of(path).split(b"\n")[:-1]] if path.exists() else []


def digest(lines: list[bytes]) -> str:
    """SHA-256 of lines."""
    return hashlib.sha256(b"".join(lines)).hexdigest()


def as_rows(lines: list[bytes], path: Path) -> list[Row]:
    """The rows in lines of a file, update 0 first. Raises `FileError`."""
    rows: list[Row] = []
    for t, line in enumerate(lines):
        place = f"{path}: line {t + 1}"
        row: Row = cast("Row", decoded(line, Update if t else Start, place))
        if row["update"] != t:
            raise FileError(f"{place}: update: expected {t}, got {row['update']}")
        if row["seconds"] < (rows[-1]["seconds"] if rows else 0):
            raise FileError(f"{place}: seconds: expected no less than before, got {row['seconds']}")
        if ("train_loss" in row) != ("train_loss_averaged" in row):
            raise FileError(f"{place}: expected both of train_loss and train_loss_averaged, or neither")
        rows.append(row)
    return rows
