"""Reading and writing of `metrics.jsonl`, which has one JSON object per line."""

import hashlib
import json
from pathlib import Path
from typing import Any, cast

from .decoding import content_of, decoded
from .errors import FileError
from .schema import Start, Update

METRICS = "metrics.jsonl"

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
    """Decode and check the lines of a file, which begin with update 0. Raises `FileError` for an invalid line."""
    records: list[Record] = []
    for t, line in enumerate(lines):
        place = f"{path}: line {t + 1}"
        record: Record = cast("Record", decoded(line, Update if t else Start, place))
        if record["update"] != t:
            raise FileError(f"{place}: update: expected {t}, got {record['update']}")
        if record["seconds"] < (previous := records[-1]["seconds"] if records else 0):
            raise FileError(f"{place}: seconds: expected at least {previous}, got {record['seconds']}")
        if ("train_loss" in record) != ("train_loss_averaged" in record):
            raise FileError(f"{place}: expected both train_loss and train_loss_averaged, or neither, got only one")
        records.append(record)
    return records
