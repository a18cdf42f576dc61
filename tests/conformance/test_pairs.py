"""Two mistakes at once are named, and a wrong answer of any other kind gets no name."""

import pickle

import numpy as np
import pytest
from kfgn_conformance import QUANTITIES, check
from kfgn_conformance.diagnosis import MISTAKES
from kfgn_conformance.diagnosis.pairs import _pairs
from kfgn_conformance.diagnosis.textbook import Textbook

from ..pairs import each_value

pytestmark = pytest.mark.usefixtures("shared_oracles")


def planted(quantity, dtype, *names):
    both = type("Both", tuple(MISTAKES[name].textbook for name in names), {})
    return lambda problem: tuple(a.astype(dtype) for a in both(problem).answer(quantity))


@each_value(
    dtype=("float32", "float64"),
    planted_in=(
        ("kfra", "second-factor-summed", "slope-twice"),
        ("kfac", "slope-twice", "labels-of-the-data"),
        ("kflr_blocks", "factors-exchanged", "bias-forgotten"),
        ("gradient", "slope-twice", "unit-forgotten"),
        ("hessian_product", "slope-twice", "bias-forgotten"),
        ("solve_trace", "omega-inverted", "damping-unrooted"),
    ),
)
def test_two_mistakes_are_named(planted_in, dtype):
    quantity, first, second = planted_in
    result = check(quantity, planted(quantity, dtype, first, second), dtype=dtype)
    assert not result.passed
    assert {frozenset(name.split(" and ")) for name in result.mistakes} >= {frozenset((first, second))}
    assert len(result.mistakes) <= 3
    text = " ".join(str(result).split())
    assert f"Two mistakes together. First: {MISTAKES[result.mistakes[0].split(' and ')[0]].description}" in text


WRONG = {
    "random factors": lambda a, rng: a * (1 + rng.random(a.shape)),
    "small factors": lambda a, rng: a * (1 + 1e-4 * rng.random(a.shape)),
    "one factor": lambda a, _: 1.37 * a,
    "squares": lambda a, _: a * a,
    "shuffled": lambda a, rng: rng.permutation(a.ravel()).reshape(a.shape),
}
"""Wrong answers that consist of no mistakes of the catalogue."""


ROWS = {
    "kfra": "float32",
    "kfac_blocks": "float64",
    "gradient": "float32",
    "solve_exact": "float32",
    "hessian_product": "float64",
}
"""Quantities, each with a dtype."""


def of_both():
    """Each quantity with each wrong answer. Without --thorough a quantity meets two of them."""
    for i, (quantity, dtype) in enumerate(ROWS.items()):
        for j, wrong in enumerate(WRONG):
            marks = () if (j - i) % len(WRONG) in (0, 2) else pytest.mark.thorough
            yield pytest.param(quantity, wrong, dtype, marks=marks)


@pytest.mark.parametrize(("quantity", "wrong", "dtype"), list(of_both()))
def test_any_other_wrong_answer_gets_no_name(quantity, wrong, dtype):
    rng = np.random.default_rng(0)

    def mine(problem):
        return tuple(np.asarray(WRONG[wrong](a, rng), dtype) for a in QUANTITIES[quantity].value(problem))

    result = check(quantity, mine, dtype=dtype)
    assert not result.passed
    assert result.mistakes == ()


def test_the_number_of_pairs_is_bounded(monkeypatch):
    mine = planted("kfra", "float64", "second-factor-summed", "slope-twice")
    assert check("kfra", mine).mistakes
    monkeypatch.setattr("kfgn_conformance.diagnosis.pairs.MOST", 0)
    assert check("kfra", mine).mistakes == ()


def test_one_mistake_is_named_alone():
    result = check("kfra", planted("kfra", "float64", "slope-twice"))
    assert result.mistakes == ("slope-twice",)


def test_each_pair_has_both_mistakes():
    """No method of the one hides a method of the other, unless it calls that method."""
    chosen = [MISTAKES[name] for name in ("slope-twice", "second-factor-summed", "labels-of-the-data")]
    pairs = list(_pairs(chosen))
    assert {frozenset(pair.name.split(" and ")) for pair in pairs} == {
        frozenset((a.name, b.name)) for a in chosen for b in chosen if a.name < b.name
    }
    assert all(issubclass(pair.textbook, Textbook) for pair in pairs)
    damping = [MISTAKES["exact-for-factored-damping"], MISTAKES["dimensions-forgotten"]]
    assert list(_pairs(damping)) == []  # both replace the log determinant


def test_a_process_can_send_a_mistake_to_another_process():
    """The class of a pair is made during the run, and no other process can import it."""
    (pair,) = _pairs([MISTAKES["slope-twice"], MISTAKES["second-factor-summed"]])
    sent = pickle.loads(pickle.dumps(pair))
    assert sent[:4] == pair[:4]
    assert sent.textbook is Textbook
    assert all(pickle.loads(pickle.dumps(mistake)) == mistake for mistake in MISTAKES.values())
