"""Reading and writing of `metrics.jsonl`, which has one JSON object per line."""

import hashlib
import json
from pathlib import Path
from typing import Any, cast

from .decoding import content_of, decoded
from .errors import FileError
from .schema import Evaluated, Start, Update

METRICS = "metrics.jsonl"

AT_WEIGHTS = tuple(name for name in Evaluated.__annotations__ if not name.endswith("_averaged"))
"""The names of the losses and accuracies at the weights, such as `train_loss`.

The loss or accuracy at the average of the weights has the same name with the suffix `_averaged`.
"""

Record = dict[str, Any]
"""The metrics of one update, a line of `metrics.jsonl`. `Run` documents the fields."""


def encode(records: list[Record]) -> bytes:
    """Encode records as JSON lines."""
    return "".join(json.dumps(record, allow_nan=False) + "\n" for record in records).encode()


def whole_lines(path: Path) -> list[bytes]:
    """Return the complete lines of a file, with their line ends. A missing file has no lines."""
    return [line + b"\n" for line in content_of(path).split(b"\n")[:-1]] if path.exists() else []


def digest(lines: list[bytes]) -> str:
    """Return the SHA-256 of the joined lines."""
    return hashlib.sha256(b"".join(lines)).hexdigest()


def decode(lines: list[bytes], path: Path) -> list[Record]:
    """Decode and check the lines of a file, from the line of update 0. Raises `FileError` for an invalid line."""
    records: list[Record] = []
    for t, line in enumerate(lines):
        place = f"{path}: line {t + 1}"
        record: Record = cast("Record", decoded(line, Update if t else Start, place))
        if record["update"] != t:
            raise FileError(f"{place}: update: expected {t}, got {record['update']}")
        if record["seconds"] < (previous := records[-1]["seconds"] if records else 0):
            raise FileError(f"{place}: seconds: expected at least {previous}, got {record['seconds']}")
        for name in AT_WEIGHTS:
            if (name in record) != (f"{name}_averaged" in record):
                raise FileError(f"{place}: expected both {name} and {name}_averaged, or neither, got only one")
        if not t and "train_loss" not in record:
            raise FileError(f"{place}: expected a field train_loss, got none")
        records.append(record)
    return records
