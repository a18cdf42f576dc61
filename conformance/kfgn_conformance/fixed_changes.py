"""The program that writes and verifies the file of `known_changes`.

`python -m kfgn_conformance.fixed_changes write` computes the missing entries of the file.
`python -m kfgn_conformance.fixed_changes verify` computes all entries again and compares them with the file.
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
from .problem_sets.standard import problem_set
from .problems.problem import Problem
from .quantities import ROWS, Quantity


def questions() -> Iterator[tuple[Problem, Quantity]]:
    """Yield every quantity with every fixed problem, cut to the datapoints on which a run computes the quantity."""
    for problem in fixed_problems().values():
        for quantity in ROWS.values():
            if quantity.applies_to(problem) and (reduced := quantity.within_reach(problem)) is not None:
                yield reduced, quantity


@cache
def fixed_problems() -> Mapping[str, Problem]:
    """Return a dictionary of the problems of every run by id."""
    return {problem.id: problem for problem in problem_set(0, 0)}


def _computed(question: tuple[str, str]) -> tuple[float, ...]:
    """Compute d for a question, which is the id of a problem and the name of a quantity."""
    problem, quantity = fixed_problems()[question[0]], ROWS[question[1]]
    reduced = quantity.within_reach(problem)
    assert reduced is not None
    return changes(reduced, quantity)


def completed(known: Table, jobs: int) -> Table:
    """Return the table of all fixed problems, with the known entries. `jobs` processes compute all other entries."""
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
    """Return the text of the file, with a line for each quantity of each problem."""
    problems = []
    for key, entry in table.items():
        lines = (f"      {json.dumps(name)}: {json.dumps(d)}" for name, d in entry["changes"].items())
        head = f'    {json.dumps(key)}: {{\n      "id": {json.dumps(entry["id"])}, "N": {entry["N"]}, "changes": {{\n'
        problems.append(head + ",\n".join(lines) + "\n    }}")
    command = '  "command": "python -m kfgn_conformance.fixed_changes write",\n'
    return "{\n" + command + '  "problems": {\n' + ",\n".join(problems) + "\n  }\n}\n"


def differences(table: Table, other: Table) -> Iterator[str]:
    """Describe every quantity on a problem for which two tables have a different d."""
    for key, entry in (table | other).items():
        for name in entry["changes"]:
            expected, got = (t.get(key, {}).get("changes", {}).get(name) for t in (table, other))
            if expected != got:
                yield f"{name} on {entry['id']}: expected d = {expected}, got {got}"


def main() -> int:
    """Write or verify the file. Return 1 if the verified file is wrong."""
    parser = argparse.ArgumentParser(prog="python -m kfgn_conformance.fixed_changes", description=__doc__)
    parser.add_argument("action", choices=("verify", "write"))
    parser.add_argument(
        "--jobs",
        type=int,
        default=os.cpu_count() or 1,
        metavar="N",
        help="number of processes (default: number of cores)",
    )
    given = parser.parse_args()
    if given.action == "write":
        FILE.write_text(as_text(completed(shipped(), given.jobs)), encoding="utf-8")
        return 0
    wrong = list(differences(completed({}, given.jobs), shipped()))
    print("\n".join(wrong) or f"{FILE.name}: no faults")  # noqa: T201
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
