"""The search for the seed of a fixed problem, and the seeds that ship, with which a run needs no search.

A random problem becomes a fixed problem if it is suitable. A suitable problem is far from every discontinuity. Some
fixed problems need further properties. A search computes the reference on each random problem, and therefore takes
long. `known_seeds.json` has the seeds of the fixed problems, and the digests of these problems. A seed whose problem
has a different digest is not used. `fixed_oracles` writes the file.
"""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

from .digests import digest_of
from .problem import Problem, exact

FILE = Path(__file__).parent / "known_seeds.json"

COUNT = 1000
"""The number of seeds that a search tries."""

Seeds = dict[str, list[tuple[int, str]]]
"""For each id, the pairs (seed, digest) of its problems. A problem and the start of a trajectory may share an id."""

USED: Seeds = {}
"""The seeds of the problems that were made in this process."""


@cache
def known_seeds() -> Seeds:
    """Read the seeds that ship. Without the file, the result is empty."""
    if not FILE.is_file():
        return {}
    pairs = json.loads(FILE.read_text(encoding="utf-8"))
    return {name: [(seed, digest) for seed, digest in found] for name, found in pairs.items()}


def first_suitable(name: str, make: Callable[[int], Problem], suitable: Callable[[Problem], bool]) -> Problem:
    """Return the first suitable problem among the problems of the seeds 0, 1, 2, ..., 999.

    If a seed ships and its problem has the digest that ships, this problem is returned without a test.

    make: a function from a seed to a random problem with `name` as its id
    """
    for seed, digest in known_seeds().get(name, ()):
        problem = make(seed)
        if digest_of(problem) == digest:
            USED.setdefault(name, []).append((seed, digest))
            return exact(problem)
    for seed in range(COUNT):
        problem = make(seed)
        if suitable(problem):
            USED.setdefault(name, []).append((seed, digest_of(problem)))
            return exact(problem)
    raise AssertionError(f"{name}: expected a suitable problem among {COUNT} seeds, got none")


def write() -> None:
    """Write the seeds of the problems that were made in this process."""
    lines = (f"  {json.dumps(name)}: {json.dumps(sorted(set(found)))}" for name, found in sorted(USED.items()))
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
