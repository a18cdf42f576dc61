"""The program that writes and verifies the file of `known_changes`.

`python -m kfgn_conformance.fixed_changes write` computes the entries that are missing. `verify` computes all entries
again and compares them.
"""

import argparse
import json
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context

from .changes import changes
from .known_changes import FILE, Table, digest, shipped
from .problems.problem import Problem
from .problems.standard import problem_set
from .quantities import ROWS, Quantity


def questions() -> Iterator[tuple[Problem, Quantity]]:
    """Every quantity of every fixed problem, as a run of the kit computes it."""
    for problem in fixed_problems().values():
        for quantity in ROWS.values():
            if quantity.asks(problem) and (reduced := quantity.within_reach(problem)) is not None:
                yield reduced, quantity


@cache
def fixed_problems() -> Mapping[str, Problem]:
    """The problems that every run has, by id."""
    return {problem.id: problem for problem in problem_set(0, 0)}


def _computed(question: tuple[str, str]) -> tuple[float, ...]:
    """d of a problem's quantity, by their names."""
    problem, quantity = fixed_problems()[question[0]], ROWS[question[1]]
    reduced = quantity.within_reach(problem)
    assert reduced is not None
    return changes(reduced, quantity)


def completed(known: Table, jobs: int) -> Table:
    """The table of all fixed problems: the known entries, and the others computed in this many processes."""
    table: Table = {}
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        pending = {}
        for problem, quantity in questions():
            key = digest(problem)
            entry = table.setdefault(key, {"id": problem.id, "N": problem.N, "changes": {}})
            d = known.get(key, {}).get("changes", {}).get(quantity.name)
            if d is None:
                pending[key, quantity.name] = pool.submit(_computed, (problem.id, quantity.name))
            entry["changes"][quantity.name] = d
        for (key, name), future in pending.items():
            table[key]["changes"][name] = list(future.result())
    return table


def as_text(table: Table) -> str:
    """The file: a line for each quantity of each problem."""
    problems = []
    for key, entry in table.items():
        lines = (f"      {json.dumps(name)}: {json.dumps(d)}" for name, d in entry["changes"].items())
        head = f'    {json.dumps(key)}: {{\n      "id": {json.dumps(entry["id"])}, "N": {entry["N"]}, "changes": {{\n'
        problems.append(head + ",\n".join(lines) + "\n    }}")
    command = '  "command": "python -m kfgn_conformance.fixed_changes write",\n'
    return "{\n" + command + '  "problems": {\n' + ",\n".join(problems) + "\n  }\n}\n"


def differences(table: Table, other: Table) -> Iterator[str]:
    """Every quantity of a problem for which two tables differ, in words."""
    for key, entry in (table | other).items():
        for name in entry["changes"]:
            expected, got = (t.get(key, {}).get("changes", {}).get(name) for t in (table, other))
            if expected != got:
                yield f"{name} on {entry['id']}: expected d = {expected}, got {got}"


def main() -> int:
    """Write or verify the file; returns 1 if it is wrong."""
    parser = argparse.ArgumentParser(prog="python -m kfgn_conformance.fixed_changes", description=__doc__)
    parser.add_argument("action", choices=("verify", "write"))
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes (default: cores)")
    given = parser.parse_args()
    if given.action == "write":
        FILE.write_text(as_text(completed(shipped(), given.jobs)), encoding="utf-8")
        return 0
    wrong = list(differences(completed({}, given.jobs), shipped()))
    print("\n".join(wrong) or f"{FILE.name}: no faults")  # noqa: T201
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
