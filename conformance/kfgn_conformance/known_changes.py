"""The changes d of the fixed problems, which ship with the kit, since d is the same on every machine.

The key of an entry is a hash of the numbers of its problem. A run computes d for a problem that is not in the file.
`fixed_changes` writes and verifies the file.
"""

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from .per_problem import once_per_problem
from .problems.problem import Array, Problem
from .problems.serialisation import as_json
from .quantities import ROWS, Quantity

FILE = Path(__file__).parent / "known_changes.json"

Table = dict[str, dict[str, Any]]
"""A dictionary from the hash of a problem to an entry with its id, its N, and the d of every array by quantity."""


def known_changes(problem: Problem, quantity: Quantity) -> tuple[float, ...] | None:
    """Return d of each array, or None without an entry in the file, such as for a quantity that is compared in part."""
    if problem.id not in _ids() or ROWS.get(quantity.name) is not quantity:
        return None
    d = shipped().get(digest(problem), {}).get("changes", {}).get(quantity.name)
    return None if d is None else tuple(d)


@cache
def shipped() -> Table:
    """Read the table that ships with the kit, or return an empty table if the file does not exist."""
    return read(FILE) if FILE.is_file() else {}


@cache
def _ids() -> frozenset[str]:
    return frozenset(entry["id"] for entry in shipped().values())


def read(file: Path) -> Table:
    """Read the table in a file."""
    table: Table = json.loads(file.read_text(encoding="utf-8"))["problems"]
    return table


@once_per_problem
def digest(problem: Problem) -> str:
    """Compute a hash of all fields of a problem, which is the same on every machine."""
    return hashlib.sha256(json.dumps(as_json(problem, _hashed), sort_keys=True).encode()).hexdigest()


def _hashed(_path: str, array: Array) -> str:
    little_endian = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    return f"{array.dtype.name} {array.shape} {hashlib.sha256(little_endian.tobytes()).hexdigest()}"
