"""Files with the oracles of the fixed problems. A run computes only the parts that are not in the files.

The oracles are in two files. `known_oracles.json` has the terms d and `size` of the tolerance rule for each array.
`known_oracles.npz` has the numbers of small arrays. Large arrays do not ship. If `batched` computes a large array of a
problem with many weights, `known_oracles.npz` has a signature of the reference's array: a short vector that shows
whether the array of `batched` is right. `fixed_oracles` writes and verifies both files.

An entry is the oracle of one quantity on one problem. The key of an entry has a hash of all fields of the problem
except `dtypes`, so that the entry is used only for this problem. `known_oracles.json` also has a hash of its entries
and a hash of the numbers in `known_oracles.npz`. For each quantity, `known_oracles.json` has a hash of the code that
computed the oracles of the quantity (`numerics`). If a hash is different, or an entry does not exist, the reference
computes the oracle.
"""

import hashlib
import json
from collections.abc import Callable
from functools import cache
from itertools import accumulate, pairwise
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .numerics import code_of
from .per_problem import once_per_problem
from .problems.digests import digest_of, hash_of
from .problems.problem import Array, Problem
from .quantities import ROWS, Arrays, Quantity

FILE = Path(__file__).parent / "known_oracles.json"
NUMBERS = FILE.with_suffix(".npz")

digest = once_per_problem(digest_of)
"""The hash of all fields of a problem except `dtypes`, computed once per problem."""


class Known(NamedTuple):
    """The oracle of a quantity on a problem, in the form that ships.

    changes:    d of each array
    sizes:      the size of each array in the tolerance rule
    arrays:     the reference's arrays as read-only arrays of float64; None if the arrays are large
    integer:    True if the arrays are class indices
    signatures: the signatures of large arrays that `batched` computes within the tolerance; None for all other arrays
    """

    changes: tuple[float, ...]
    sizes: tuple[float, ...]
    arrays: Arrays | None
    integer: bool
    signatures: Arrays | None = None


Table = dict[str, dict[str, Any]]
"""A mapping from the hash of a problem to its id, its N, and its entries by the name of the quantity."""


def known_oracle(problem: Problem, quantity: Quantity) -> Known | None:
    """Return the oracle that ships, or None if no oracle ships for this quantity on this problem.

    No oracle ships for a quantity that is not in `ROWS`, such as a quantity whose arrays are split for separate biases.
    """
    if problem.id not in shipped().ids or ROWS.get(quantity.name) is not quantity:
        return None
    return shipped().entries.get((digest(problem), quantity.name))


class Shipped(NamedTuple):
    """The content of both files.

    entries: the entries by the hash of the problem and the name of the quantity
    ids:     the ids of the problems with entries; the hash of a problem with a different id is not computed
    """

    entries: dict[tuple[str, str], Known]
    ids: frozenset[str]


@cache
def shipped() -> Shipped:
    """Read the files that ship with the kit."""
    return read(FILE, NUMBERS)


def read(file: Path, numbers_file: Path, code: Callable[[str], str] = code_of) -> Shipped:
    """Read both files. Return no entries if a file is missing, or if the entries or the numbers have a wrong hash.

    The entries of a quantity are omitted if different code computed these entries.

    code: a function that returns the hash of the code of a quantity; by default the hash of the installed code
    """
    nothing = Shipped({}, frozenset())
    if not (file.is_file() and numbers_file.is_file()):
        return nothing
    written = json.loads(file.read_text(encoding="utf-8"))
    if written["content"] != content_of(written["problems"]):
        return nothing
    with np.load(numbers_file, allow_pickle=False) as archive:
        numbers = archive["numbers"]
    if written["numbers"] != hash_of(numbers):
        return nothing
    valid = {name for name, computed_by in written["code"].items() if name in ROWS and code(name) == computed_by}
    found = {key: known for key, known in entries(written["problems"], numbers).items() if key[1] in valid}
    return Shipped(found, frozenset(problem["id"] for problem in written["problems"].values()))


def entries(table: Table, numbers: Array) -> dict[tuple[str, str], Known]:
    """Combine every entry of the table with its arrays, which are stored one after another in `numbers`."""
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
