"""A program that writes the files of known seeds, known trajectories and known oracles, and verifies the oracles.

`python -m kfgn_conformance.fixed_oracles write` computes the oracles that are missing in the files, and the oracles of
the quantities whose code has changed. `verify` computes all oracles again and compares the results with the files. An
entry of the files is the oracle of one quantity on one problem.
"""

import argparse
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from typing import Any

import numpy as np

from .batched import BATCHED, batched, same, signatures
from .changes import LARGE, changes
from .known_oracles import FILE, NUMBERS, Known, Table, content_of, digest, shipped
from .numerics import code_of
from .oracle import evaluated, tolerances
from .problem_sets import known_trajectories
from .problem_sets.standard import problem_set
from .problem_sets.trajectories import scenario_of, trajectory_problems
from .problems import seeds
from .problems.cases import added_cases
from .problems.digests import hash_of
from .problems.problem import Problem
from .quantities import ROWS, Arrays, Quantity, largest
from .tolerances import MAX_RELATIVE_TOLERANCE, SMALLEST_NORMAL

ELEMENTS = 2**11
"""The largest number of elements for which the arrays of a quantity on a problem ship.

Larger arrays would take many megabytes.
"""


def questions() -> Iterator[tuple[Problem, Quantity]]:
    """Yield each fixed problem with each quantity that applies to the problem.

    The problem has only the datapoints on which a run compares the quantity.
    """
    for problem in fixed_problems().values():
        for quantity in ROWS.values():
            if quantity.applies_to(problem) and (reduced := quantity.within_reach(problem)) is not None:
                yield reduced, quantity


@cache
def fixed_problems() -> Mapping[str, Problem]:
    """Return all problems of a run except the random problems, by id."""
    return {problem.id: problem for problem in problem_set(0, 0)}


def computed(problem: Problem, quantity: Quantity) -> Known:
    """Compute the entry of a quantity on a problem."""
    value, d = evaluated(problem, quantity), changes(problem, quantity)
    if sum(array.size for array in value.arrays) <= ELEMENTS:
        return Known(d, value.sizes, value.arrays, value.integer)
    known = Known(d, value.sizes, None, value.integer)
    if problem.parameters < LARGE or quantity.name not in BATCHED:
        return known
    allowed = tolerances(problem, known)
    pairs = zip(batched(problem, quantity.name), value.arrays, allowed, strict=True)
    agrees = all(largest(fast - right) <= bound for fast, right, bound in pairs)
    return known._replace(signatures=signatures(value.arrays)) if agrees else known


def _computed(question: tuple[str, str]) -> Known:
    """Compute the entry of a question, which is the id of a problem and the name of a quantity."""
    problem, quantity = fixed_problems()[question[0]], ROWS[question[1]]
    reduced = quantity.within_reach(problem)
    assert reduced is not None
    return computed(reduced, quantity)


Entries = dict[tuple[str, str], Known]
"""Entries by the hash of a problem and the name of a quantity."""


def completed(known: Mapping[tuple[str, str], Known], jobs: int) -> Entries:
    """Return the entries of all fixed problems.

    Entries of `known` are copied, and `jobs` processes compute all others.
    """
    found: Entries = {}
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        pending = {}
        for problem, quantity in questions():
            key = digest(problem), quantity.name
            if key in known:
                found[key] = known[key]
            else:
                pending[key] = pool.submit(_computed, (problem.id, quantity.name))
        found.update((key, future.result()) for key, future in pending.items())
    return found


def write(found: Entries) -> None:
    """Write `known_oracles.json` and `known_oracles.npz`."""
    table: Table = {}
    for problem, quantity in questions():
        key = digest(problem)
        entry = table.setdefault(key, {"id": problem.id, "N": problem.N, "quantities": {}})
        entry["quantities"][quantity.name] = _as_json(found[key, quantity.name])
    flat = np.concatenate([array.ravel() for arrays in _in_order(table, found) for array in arrays])
    head: dict[str, str | dict[str, str]] = {
        "command": "python -m kfgn_conformance.fixed_oracles write",
        "numbers": hash_of(flat),
        "content": content_of(table),
        "code": {name: code_of(name) for name in ROWS},
    }
    FILE.write_text(as_text(head, table), encoding="utf-8")
    np.savez_compressed(NUMBERS, numbers=flat)


def _in_order(table: Table, found: Entries) -> Iterator[Arrays]:
    """Yield the arrays or the signatures of all entries, in the order of the table."""
    for key, problem in table.items():
        for name in problem["quantities"]:
            yield found[key, name].arrays or found[key, name].signatures or ()


def _as_json(known: Known) -> dict[str, Any]:
    entry: dict[str, Any] = {"d": list(known.changes), "sizes": list(known.sizes)}
    for part, arrays in (("arrays", known.arrays), ("signatures", known.signatures)):
        if arrays is not None:
            entry[part] = [list(array.shape) for array in arrays]
    return entry | ({"integer": True} if known.integer else {})


def as_text(head: Mapping[str, str | dict[str, str]], table: Table) -> str:
    """Return the text of `known_oracles.json`, with a line for each quantity of each problem."""
    problems = []
    for key, entry in table.items():
        lines = (f"      {json.dumps(name)}: {json.dumps(each)}" for name, each in entry["quantities"].items())
        begin = (
            f'    {json.dumps(key)}: {{\n      "id": {json.dumps(entry["id"])}, "N": {entry["N"]}, "quantities": {{\n'
        )
        problems.append(begin + ",\n".join(lines) + "\n    }}")
    fields = json.dumps(head, indent=2).removeprefix("{\n").removesuffix("\n}") + ",\n"
    return "{\n" + fields + '  "problems": {\n' + ",\n".join(problems) + "\n  }\n}\n"


def faults(problem: Problem, quantity: Quantity, known: Known | None, right: Known) -> Iterator[str]:
    """Describe the differences between the entry that ships, `known`, and the entry computed again, `right`.

    The terms d must be equal. The last bits of the reference's value depend on the processor. The arrays therefore need
    to agree only within the tolerance of an answer in float64, and the sizes only within the relative error 1e-9
    (`MAX_RELATIVE_TOLERANCE`). Signatures are compared by `same`.
    """
    where = f"{quantity.name} on {problem.id}"
    if known is None:
        yield f"{where}: expected an entry, got none"
        return
    if known.changes != right.changes:
        yield f"{where}: expected d = {right.changes}, got {known.changes}"
    bound = MAX_RELATIVE_TOLERANCE["float64"]
    pairs = zip(known.sizes, right.sizes, strict=False)
    if len(known.sizes) != len(right.sizes) or not all(math.isclose(a, b, rel_tol=bound) for a, b in pairs):
        yield f"{where}: expected sizes {right.sizes}, got {known.sizes}"
    kinds = [(each.arrays is None, each.signatures is None, each.integer) for each in (known, right)]
    if kinds[0] != kinds[1]:
        yield f"{where}: expected an entry with the same parts: arrays, signatures or class indices"
    elif known.signatures is not None and right.signatures is not None:
        if not same(known.signatures, right.signatures, tolerances(problem, right)):
            yield f"{where}: expected the same signatures"
    elif known.arrays is not None and right.arrays is not None:
        yield from _wrong_arrays(where, problem, known, right)


def _wrong_arrays(where: str, problem: Problem, known: Known, right: Known) -> Iterator[str]:
    assert known.arrays is not None
    assert right.arrays is not None
    if [a.shape for a in known.arrays] != [a.shape for a in right.arrays]:
        yield f"{where}: expected shapes {[a.shape for a in right.arrays]}, got {[a.shape for a in known.arrays]}"
        return
    for i, (a, b, bound) in enumerate(zip(known.arrays, right.arrays, tolerances(problem, right), strict=True)):
        if not largest(a - b) <= bound + SMALLEST_NORMAL["float64"]:
            yield f"{where}: expected array {i + 1} within {bound:.3g}, got a difference of {largest(a - b):.3g}"


def all_faults(found: Entries) -> Iterator[str]:
    """Describe every fault of the oracles that ship.

    found: all entries, computed again
    """
    known = shipped().entries
    for problem, quantity in questions():
        key = digest(problem), quantity.name
        yield from faults(problem, quantity, known.get(key), found[key])
    if unknown := set(known) - set(found):
        yield f"expected only the entries of the fixed problems, got {len(unknown)} further entries"


def main(arguments: Iterable[str] | None = None) -> int:
    """Write or verify the files. Return 1 if `verify` finds a fault, and otherwise 0."""
    parser = argparse.ArgumentParser(prog="python -m kfgn_conformance.fixed_oracles", description=__doc__)
    parser.add_argument("action", choices=("verify", "write"))
    parser.add_argument(
        "--jobs",
        type=int,
        default=os.cpu_count() or 1,
        metavar="N",
        help="Share the work among this number of processes. The default is the number of processors.",
    )
    given = parser.parse_args(None if arguments is None else list(arguments))
    if given.action == "write":
        fixed_problems(), added_cases()  # the seeds of the problems that this process has made are written
        seeds.write()
        known_trajectories.write(known_trajectories.FILE, trajectory_problems(), scenario_of)
        write(completed(shipped().entries, given.jobs))
        return 0
    wrong = list(all_faults(completed({}, given.jobs)))
    print("\n".join(wrong) or f"{FILE.name}, {NUMBERS.name}: no faults")  # noqa: T201
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
