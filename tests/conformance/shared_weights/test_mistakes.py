"""The mistakes in networks with shared weights: each is found and named on every seed."""

from functools import cache

import numpy as np
import pytest
from kfgn_conformance import SHARED_WEIGHTS, Status
from kfgn_conformance.diagnosis import Answered, diagnose, mistakes_of
from kfgn_conformance.diagnosis.answers import answer_of
from kfgn_conformance.diagnosis.textbook.shared_weights import SHARED_ANSWERS, SharedTextbook
from kfgn_conformance.judging import compare
from kfgn_conformance.oracle import Oracle
from kfgn_conformance.problems.masked import is_masked
from kfgn_conformance.problems.problem import exact
from kfgn_conformance.problems.shared_weights.dyadic import far_from_discontinuities, shared_problem
from kfgn_conformance.problems.shared_weights.fixed import FIXED, shared_problems
from kfgn_conformance.problems.shared_weights.masked_sequences import MASKED, masked_problem, masked_problems
from kfgn_conformance.verdicts import WRONG

MISTAKES = mistakes_of(SHARED_WEIGHTS["shared_loss"])

FIRST = ("expand_blocks", "reduce_blocks", "ekfac_diagonal", "shared_gradient", "kfra_over_taps")
BY_NAMES = tuple(dict.fromkeys([*FIRST, *SHARED_WEIGHTS]))
"""The quantities, beginning with those that name the most mistakes alone."""

oracle = cache(Oracle)


def asked(problem):
    """The quantities that are asked on a problem. A block that is not unique is not asked."""
    return {name for name, row in SHARED_WEIGHTS.items() if row.applies_to(problem)}


@cache
def problems_of(seed):
    """The fixed problems for seed 0, whose d of the tolerance rule ships, and other numbers for every other seed."""
    first = {problem.id: problem for problem in (*shared_problems(), *masked_problems())}
    if seed == 0:
        return tuple(first.values())
    found = []
    for i, (name, row) in enumerate((FIXED | MASKED).items()):
        for salt in range(100):
            rng = np.random.Generator(np.random.Philox([seed, i, salt]))
            new = f"seed-{seed}-{name}"
            problem = masked_problem(new, row, rng) if name in MASKED else shared_problem(new, row.recipe, rng)
            if far_from_discontinuities(problem) and asked(problem) == asked(first[f"shared-{name}"]):
                break
        found.append(exact(problem))
    return tuple(found)


def oracles_for(quantity, seed):
    """The questions of a quantity on the problems of a seed."""
    row = SHARED_WEIGHTS[quantity]
    questions = (oracle(problem, row) for problem in problems_of(seed) if row.applies_to(problem))
    return [question for question in questions if question.is_conclusive]


@cache
def judged_on(name, quantity, seed, dtype):
    """The statuses of the answers of a mistake in a dtype, and the answers."""
    answers, statuses = [], []
    for right in oracles_for(quantity, seed):
        arrays = answer_of(MISTAKES[name].textbook, right)
        if arrays is None:  # a mistake may divide by a trace of 0
            statuses.append(Status.ERROR)
            continue
        judged = compare(tuple(a.astype(dtype) for a in arrays), right, dtype)
        statuses.append(judged.verdict.status)
        answers.append(Answered(right, judged.wrong))
    return statuses, answers


@cache
def named(name, quantity, seed, dtype):
    """The mistakes that the diagnosis names for the answers of a mistake, or None if no answer is wrong."""
    statuses, answers = judged_on(name, quantity, seed, dtype)
    if not any(status in WRONG for status in statuses):
        return None
    return {mistake.name for mistake in diagnose(answers, dtype).mistakes}


def classes(quantity, seed, dtype):
    """The mistakes that the diagnosis names, for each mistake with a wrong answer."""
    found = {name: named(name, quantity, seed, dtype) for name in MISTAKES}
    return {name: names for name, names in found.items() if names is not None}


@pytest.mark.parametrize("quantity", SHARED_WEIGHTS)
def test_the_textbook_is_right(quantity):
    for right in oracles_for(quantity, 0):
        arrays = SharedTextbook(right.problem).answer(quantity)
        assert compare(arrays, right, "float64").verdict.status is Status.PASS, right


def test_every_quantity_has_an_answer():
    assert set(SHARED_ANSWERS) == set(SHARED_WEIGHTS)


def test_the_catalogue_has_many_mistakes_with_a_description():
    assert len(MISTAKES) >= 40
    assert all(mistake.description.endswith(".") for mistake in MISTAKES.values())


# a row takes some seconds for each dtype, and the dtype changes the tolerances alone
FLOAT64 = ("shared_gradient", "expand_blocks")
FLOAT32 = ("kfra_over_taps",)


@pytest.mark.parametrize(
    ("quantity", "dtype"),
    [
        *(
            (name, "float64") if name in FLOAT64 else pytest.param(name, "float64", marks=pytest.mark.thorough)
            for name in SHARED_WEIGHTS
        ),
        *(
            (name, "float32") if name in FLOAT32 else pytest.param(name, "float32", marks=pytest.mark.thorough)
            for name in SHARED_WEIGHTS
        ),
    ],
)
def test_every_mistake_that_shows_is_named_and_with_it_its_class_alone(quantity, dtype, pytestconfig):
    """The class of a mistake are the mistakes that no problem can tell apart from it. It is the same for every seed."""
    first = classes(quantity, 0, dtype)
    for seed in range(pytestconfig.getoption("seeds")):
        found = classes(quantity, seed, dtype)
        for name, members in found.items():
            assert name in members, (seed, name)
            for other in members:
                assert found[other] == members, (seed, name, other)
        assert found == first, seed


@pytest.mark.parametrize("quantity", SHARED_WEIGHTS)
def test_every_mistake_has_an_answer_on_every_problem_with_a_mask(quantity):
    """No sum contains NaN from a masked position, and no mistake divides by the number 0 of positions."""
    masked = [right for right in oracles_for(quantity, 0) if is_masked(right.problem)]
    fails = [(name, str(q)) for name in MISTAKES for q in masked if answer_of(MISTAKES[name].textbook, q) is None]
    assert not fails


@pytest.mark.parametrize("name", MISTAKES)
def test_every_mistake_is_caught(name):
    for dtype in ("float32", "float64"):
        statuses = (status for quantity in BY_NAMES for status in judged_on(name, quantity, 0, dtype)[0])
        assert any(status in WRONG for status in statuses)


def test_every_mistake_is_named_alone_by_some_quantity():
    """For each mistake, the quantities are asked until one names this mistake alone."""
    assert not [name for name in MISTAKES if not any(named(name, q, 0, "float64") == {name} for q in BY_NAMES)]


@pytest.mark.parametrize("quantity", ["expand_blocks", "reduce_blocks"])
def test_an_error_that_no_pair_explains_has_no_name(quantity):
    """Every pair of mistakes is tried, and no two mistakes call each other without end."""
    right = oracles_for(quantity, 0)[1]
    rng = np.random.default_rng(0)
    wrong = tuple(a * (1 + rng.random(a.shape)) for a in right.arrays)
    found = diagnose([Answered(right, wrong)], "float64")
    assert not found.mistakes
    assert "no known mistake explains the error" in str(found)


def test_the_mean_over_positions_of_singd_is_no_mean_at_one_position():
    """With T_L = 1 and no divisor, the loss has no mean over positions to undo."""
    (problem,) = (each for each in shared_problems() if each.id == "shared-padded-categorical")
    made = MISTAKES["positions-of-layer-as-terms"].textbook(problem).answer("expand_blocks")
    for a, b in zip(made, SharedTextbook(problem).answer("expand_blocks"), strict=True):
        np.testing.assert_array_equal(a, b)
