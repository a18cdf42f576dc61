"""Fixed problems keep their numbers, so that an id always denotes the same problem."""

import json
from pathlib import Path

from kfgn_conformance.known_oracles import digest
from kfgn_conformance.problems import seeds
from kfgn_conformance.problems.cases import added_cases, case, cases
from kfgn_conformance.problems.fixed import fixed
from kfgn_conformance.problems.shared_weights.fixed import shared_problems
from kfgn_conformance.problems.shared_weights.masked_sequences import masked_problems

HASHES = json.loads((Path(__file__).parent / "problem_hashes.json").read_text(encoding="utf-8"))
"""The first 16 digits of the digest of each problem by its id. A new problem needs a line, and no line may change."""


def test_every_problem_has_its_first_numbers():
    problems = (*cases(), *added_cases(), *fixed(), *shared_problems(), *masked_problems())
    assert {problem.id: digest(problem)[:16] for problem in problems} == HASHES


def test_every_seed_ships():
    """A seed that is missing is searched in every process, which takes seconds."""
    assert seeds.known_seeds().keys() >= HASHES.keys()
    pairs = [pair for found in seeds.known_seeds().values() for pair in found]
    assert {digest[:16] for _, digest in pairs} >= {seeds.digest_of(p)[:16] for p in (*cases(), *added_cases())}


def test_a_search_finds_the_seeds_that_ship(monkeypatch):
    shipped = seeds.known_seeds()
    monkeypatch.setattr(seeds, "known_seeds", dict)
    monkeypatch.setattr(seeds, "USED", {})
    monkeypatch.setattr("kfgn_conformance.problems.cases.case", case.__wrapped__)
    for make in (cases, fixed, shared_problems, masked_problems):
        make.__wrapped__()
    assert len(seeds.USED) >= len(cases())
    for name, found in seeds.USED.items():
        assert set(found) <= set(shipped[name])


def test_a_seed_with_a_different_digest_is_not_used(monkeypatch):
    right = cases()[0]
    seed, _ = seeds.known_seeds()[right.id][0]
    monkeypatch.setattr(seeds, "known_seeds", lambda: {right.id: [(seed + 1, "0" * 64)]})
    assert digest(case.__wrapped__(right.objective, right.psd, right.transfers)) == digest(right)
