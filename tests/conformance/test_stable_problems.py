"""Fixed problems keep their numbers, so that an id always denotes the same problem."""

import json
from pathlib import Path

from kfgn_conformance.known_oracles import digest
from kfgn_conformance.problems.cases import added_cases, cases
from kfgn_conformance.problems.fixed import fixed
from kfgn_conformance.problems.shared_weights.fixed import shared_problems

HASHES = json.loads((Path(__file__).parent / "problem_hashes.json").read_text(encoding="utf-8"))
"""The first 16 digits of the digest of each problem by its id. A new problem needs a line, and no line may change."""


def test_every_problem_has_its_first_numbers():
    problems = (*cases(), *added_cases(), *fixed(), *shared_problems())
    assert {problem.id: digest(problem)[:16] for problem in problems} == HASHES
