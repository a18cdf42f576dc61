"""The oracles that ship with the kit are those of the reference, and serve no other problem, quantity or code."""

import json
from dataclasses import replace

import numpy as np
import pytest
from kfgn_conformance import QUANTITIES, fixed_oracles
from kfgn_conformance.batched import signatures
from kfgn_conformance.fixed_oracles import as_text, computed, faults, questions
from kfgn_conformance.known_oracles import FILE, NUMBERS, content_of, digest, known_oracle, read, shipped
from kfgn_conformance.numerics import code_of
from kfgn_conformance.oracle import Oracle, evaluated
from kfgn_conformance.problems.cases import cases
from kfgn_conformance.problems.digests import hash_of
from kfgn_conformance.quantities import ROWS

CASE, LOSS, KFRA = cases()[0], QUANTITIES["loss"], QUANTITIES["kfra"]

CHEAP = 300
"""The number of weights below which an oracle is computed again in some tenths of a second."""


def sampled(step):
    """Every `step`-th question on a small problem, so that all quantities and kinds of problems have their turn.

    Two thirds of these are left to --thorough.
    """
    small = [one for one in questions() if one[0].trajectory is None and one[0].parameters < CHEAP]
    marks = ((), pytest.mark.thorough, pytest.mark.thorough)
    return [pytest.param(*one, marks=marks[i % 3]) for i, one in enumerate(small[::step])]


@pytest.mark.parametrize(("problem", "quantity"), sampled(71), ids=lambda each: getattr(each, "name", None) or each.id)
def test_what_ships_is_what_is_computed(problem, quantity):
    right = computed(problem, quantity)
    assert list(faults(problem, quantity, known_oracle(problem, quantity), right)) == []


def test_every_fixed_problem_ships():
    missing = [f"{quantity.name} on {problem.id}" for problem, quantity in questions() if not known(problem, quantity)]
    assert missing == [], "run: python -m kfgn_conformance.fixed_oracles write"


def known(problem, quantity):
    return known_oracle(problem, quantity) is not None


def test_an_oracle_that_ships_is_not_computed():
    def uncomputed(p):
        raise AssertionError(f"computed again: {p.id}")

    right = Oracle(CASE, KFRA)
    expected = evaluated(CASE, KFRA)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(vars(KFRA), "oracle", uncomputed)
        assert right.scales == pytest.approx(expected.scales, rel=1e-12)
        assert right.tolerances("float64")


def test_arrays_that_ship_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        Oracle(CASE, KFRA).arrays[0][0, 0] = 1.0


def test_an_edited_problem_or_a_part_of_a_quantity_has_no_entry():
    other = replace(CASE, X=CASE.X / 2)
    assert (digest(CASE), "loss") in shipped().entries
    assert digest(other) != digest(CASE)
    assert known_oracle(other, LOSS) is None
    assert known_oracle(CASE, replace(LOSS, view=lambda p, arrays: arrays)) is None
    assert Oracle(other, LOSS).arrays[0] != Oracle(CASE, LOSS).arrays[0]


def test_an_edited_table_is_not_used(tmp_path):
    table = json.loads(FILE.read_text(encoding="utf-8"))
    entry = table["problems"][digest(CASE)]["quantities"]["loss"]
    entry["d"] = [1.001 * d for d in entry["d"]]
    file = tmp_path / "edited.json"
    file.write_text(json.dumps(table), encoding="utf-8")
    assert read(FILE, NUMBERS).entries
    assert not read(file, NUMBERS).entries


def test_edited_numbers_are_not_used(tmp_path):
    with np.load(NUMBERS) as archive:
        numbers = archive["numbers"]
    numbers[1000] *= 1 + 2.0**-52
    np.savez_compressed(tmp_path / "edited.npz", numbers=numbers)
    assert not read(FILE, tmp_path / "edited.npz").entries
    assert not read(FILE, tmp_path / "missing.npz").entries


def test_oracles_of_other_code_are_not_used():
    """A change of the code of one quantity keeps the oracles of all others."""
    assert not read(FILE, NUMBERS, code=lambda name: "0").entries
    whole = read(FILE, NUMBERS).entries
    without_kfra = read(FILE, NUMBERS, code=lambda name: "0" if name == "kfra" else code_of(name)).entries
    assert {key for key in whole if key not in without_kfra} == {key for key in whole if key[1] == "kfra"}
    assert all(known.changes == whole[key].changes for key, known in without_kfra.items())


def test_oracles_that_are_still_valid_are_not_computed_again(monkeypatch):
    def uncomputed(question):
        raise AssertionError(f"computed again: {question}")

    monkeypatch.setattr(fixed_oracles, "_computed", uncomputed)
    monkeypatch.setattr(fixed_oracles, "questions", lambda: [(CASE, LOSS), (CASE, KFRA)])
    assert set(fixed_oracles.completed(shipped().entries, 1)) == {(digest(CASE), "loss"), (digest(CASE), "kfra")}


def test_faults_are_reported():
    right = computed(CASE, KFRA)
    moved = (right.arrays[0] * (1 + 1e-9), *right.arrays[1:])
    wrong = {
        "got none": None,
        "expected d": right._replace(changes=tuple(2 * d for d in right.changes)),
        "expected sizes": right._replace(sizes=tuple(1.001 * size for size in right.sizes)),
        f"got {right.sizes[1:]}": right._replace(sizes=right.sizes[1:]),
        f"got {(*right.sizes, 1.0)}": right._replace(sizes=(*right.sizes, 1.0)),
        "expected array 1 within": right._replace(arrays=moved),
        "expected shapes": right._replace(arrays=tuple(array[:1] for array in right.arrays)),
        f"expected shapes {[array.shape for array in right.arrays]}": right._replace(arrays=right.arrays[1:]),
        "with the same parts": right._replace(arrays=None),
    }
    for message, entry in wrong.items():
        (fault,) = faults(CASE, KFRA, entry, right)
        assert message in fault
        assert f"kfra on {CASE.id}" in fault


def test_the_files_agree_with_their_hashes():
    """The hashes are of the content, so that the files may be written on any system."""
    written = json.loads(FILE.read_text(encoding="utf-8"))
    table = written.pop("problems")
    assert written["content"] == content_of(table)
    assert as_text(written, table) == FILE.read_text(encoding="utf-8")
    with np.load(NUMBERS) as archive:
        assert written["numbers"] == hash_of(archive["numbers"])
    assert set(ROWS) == {name for entry in table.values() for name in entry["quantities"]}


def test_faults_of_signatures_are_reported():
    right = computed(CASE, KFRA)
    signed = right._replace(arrays=None, signatures=signatures(right.arrays))
    doubled, fewer = tuple(2 * vector for vector in signed.signatures), signed.signatures[:-1]
    assert list(faults(CASE, KFRA, signed, signed)) == []
    for wrong in (doubled, fewer, tuple(vector[1:] for vector in signed.signatures)):
        (fault,) = faults(CASE, KFRA, signed._replace(signatures=wrong), signed)
        assert "expected the same signatures" in fault


def test_what_is_written_is_read_again(tmp_path, monkeypatch):
    """Both files, with arrays, signatures and classes, in the order of the questions."""
    signed = computed(CASE, KFRA)._replace(arrays=None, signatures=signatures(computed(CASE, KFRA).arrays))
    labels = QUANTITIES["labels"]
    found = {(digest(CASE), q.name): known_oracle(CASE, q) for q in (LOSS, labels)} | {(digest(CASE), "kfra"): signed}
    monkeypatch.setattr(fixed_oracles, "FILE", tmp_path / "table.json")
    monkeypatch.setattr(fixed_oracles, "NUMBERS", tmp_path / "table.npz")
    monkeypatch.setattr(fixed_oracles, "questions", lambda: [(CASE, LOSS), (CASE, KFRA), (CASE, labels)])
    fixed_oracles.write(found)
    again = read(tmp_path / "table.json", tmp_path / "table.npz")
    assert again.ids == {CASE.id}
    for key, known in found.items():
        read_again = again.entries[key]
        assert (read_again.changes, read_again.sizes) == (known.changes, known.sizes)
        assert read_again.integer == known.integer
        for part in ("arrays", "signatures"):
            a, b = getattr(read_again, part), getattr(known, part)
            assert (a is None) == (b is None)
            assert all(np.array_equal(x, y) for x, y in zip(a or (), b or (), strict=True))
