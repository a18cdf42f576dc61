"""The oracles of the fixed problems, which ship with the kit, so that they are computed once and not in every run.

Two files have them. `known_oracles.json` has, for each quantity of each problem, the changes d and the sizes of its
arrays. `known_oracles.npz` has small arrays themselves. For large arrays that `batched` can compute it has signatures,
by which right arrays are recognised. `fixed_oracles` writes and verifies both files.

An entry is used for the problem and the code that it was computed from, and for no other. Its key is a hash of the
problem's numbers. The files have a hash of the code that computed them (`numerics`), and the first file has a hash of
the second. Without an entry the reference computes.
"""

import hashlib
import json
from functools import cache
from itertools import accumulate, pairwise
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .numerics import numerics
from .per_problem import once_per_problem
from .problems.problem import Array, Problem
from .problems.serialisation import as_json
from .quantities import ROWS, Arrays, Quantity

FILE = Path(__file__).parent / "known_oracles.json"
NUMBERS = FILE.with_suffix(".npz")


class Known(NamedTuple):
    """The oracle of a quantity on a problem, in the form that ships.

    changes:    d of each array
    sizes:      the size of each array, to which its rounding errors are relative
    arrays:     the reference's arrays as float64, which cannot be written to; None if they are large
    integer:    True for classes
    signatures: the signatures of large arrays that `batched` computes; None for all others
    """

    changes: tuple[float, ...]
    sizes: tuple[float, ...]
    arrays: Arrays | None
    integer: bool
    signatures: Arrays | None = None


Table = dict[str, dict[str, Any]]
"""Entries by the hash of a problem: its id and N, and its quantities by name."""


def known_oracle(problem: Problem, quantity: Quantity) -> Known | None:
    """Return the oracle that ships. None without an entry, and for a quantity that is compared in part."""
    if problem.id not in shipped().ids or ROWS.get(quantity.name) is not quantity:
        return None
    return shipped().entries.get((digest(problem), quantity.name))


class Shipped(NamedTuple):
    """The content of both files.

    entries: by the hash of a problem and the name of a quantity
    ids:     the ids of the problems, so that other problems need no hash
    """

    entries: dict[tuple[str, str], Known]
    ids: frozenset[str]


@cache
def shipped() -> Shipped:
    """Read the files that ship with the kit."""
    return read(FILE, NUMBERS)


def read(file: Path, numbers_file: Path, code: str | None = None) -> Shipped:
    """Read both files. There are no entries if a file is missing, was edited, or is of different code.

    code: the hash of the code; by default that of this installation
    """
    nothing = Shipped({}, frozenset())
    if not (file.is_file() and numbers_file.is_file()):
        return nothing
    written = json.loads(file.read_text(encoding="utf-8"))
    if written["code"] != (code or numerics()) or written["content"] != content_of(written["problems"]):
        return nothing
    with np.load(numbers_file, allow_pickle=False) as archive:
        numbers = archive["numbers"]
    if written["numbers"] != hash_of(numbers):
        return nothing
    return Shipped(entries(written["problems"], numbers), frozenset(e["id"] for e in written["problems"].values()))


def entries(table: Table, numbers: Array) -> dict[tuple[str, str], Known]:
    """Give every entry of the table its arrays, which follow one another in `numbers`."""
    numbers.flags.writeable = False
    found, start = {}, 0
    for key, problem in table.items():
        for name, entry in problem["quantities"].items():
            parts: dict[str, Arrays] = {}
            for part in ("arrays", "signatures"):
                if part in entry:
                    ends = list(accumulate(map(prod, entry[part]), initial=start))
                    spans = zip(pairwise(ends), entry[part], strict=True)
                    parts[part] = tuple(numbers[i:j].reshape(shape) for (i, j), shape in spans)
                    start = ends[-1]
            found[key, name] = Known(
                tuple(entry["d"]),
                tuple(entry["sizes"]),
                parts.get("arrays"),
                entry.get("integer", False),
                parts.get("signatures"),
            )
    return found


def content_of(table: Table) -> str:
    """Compute a hash of the table."""
    return hashlib.sha256(json.dumps(table, sort_keys=True).encode()).hexdigest()


@once_per_problem
def digest(problem: Problem) -> str:
    """Compute a hash of everything in a problem. It is the same on every machine."""
    return hashlib.sha256(json.dumps(as_json(problem, _hashed), sort_keys=True).encode()).hexdigest()


def _hashed(_path: str, array: Array) -> str:
    return f"{array.dtype.name} {array.shape} {hash_of(array)}"


def hash_of(array: Array) -> str:
    """Compute a hash of the numbers of an array."""
    little_endian = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    return hashlib.sha256(little_endian.tobytes()).hexdigest()
