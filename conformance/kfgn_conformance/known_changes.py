"""The changes d of the fixed problems, computed once and shipped, since they are the same on every machine.

The key of an entry is a hash of the numbers of its problem. d is computed for a problem that is not in the file.
`fixed_changes` writes and verifies the file.
"""

import hashlib
import json
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from .problems.problem import Array, Problem
from .problems.serialisation import as_json
from .quantities import ROWS, Quantity

FILE = Path(__file__).parent / "known_changes.json"

Table = dict[str, dict[str, Any]]
"""Entries by the hash of a problem: its id and N, and the d of every array by quantity."""


def known_changes(problem: Problem, quantity: Quantity) -> tuple[float, ...] | None:
    """d of each array, if the file has it. The file has no quantity that is only compared in part."""
    if problem.id not in _ids() or ROWS.get(quantity.name) is not quantity:
        return None
    d = shipped().get(digest(problem), {}).get("changes", {}).get(quantity.name)
    return None if d is None else tuple(d)


@cache
def shipped() -> Table:
    """The table in the file that ships with the kit; empty without this file."""
    return read(FILE) if FILE.is_file() else {}


@cache
def _ids() -> frozenset[str]:
    return frozenset(entry["id"] for entry in shipped().values())


def read(file: Path) -> Table:
    """The table in a file."""
    table: Table = json.loads(file.read_text(encoding="utf-8"))["problems"]
    return table


@lru_cache(maxsize=256)
def digest(problem: Problem) -> str:
    """A hash of everything in a problem, the same on every machine."""
    return hashlib.sha256(json.dumps(as_json(problem, _hashed), sort_keys=True).encode()).hexdigest()


def _hashed(_path: str, array: Array) -> str:
    little_endian = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    return f"{array.dtype.name} {array.shape} {hashlib.sha256(little_endian.tobytes()).hexdigest()}"
