"""The catalogue of mistakes: the textbook without one is right, and each mistake is found and named."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from kfgn_conformance import Status
from kfgn_conformance.cases import SPLITS, cases, shape
from kfgn_conformance.diagnosis import MISTAKES, Answered, diagnose
from kfgn_conformance.diagnosis.textbook import ANSWERS, Textbook
from kfgn_conformance.dyadic import dyadic_problem
from kfgn_conformance.margins import clear_of_kinks, near_border
from kfgn_conformance.problems import exact
from kfgn_conformance.quantities import ROWS
from kfgn_conformance.verdicts import WRONG, compare
from kfgn_conformance.walks import walks

SMOOTH = (("tanh", "logistic"), ("softplus", "tanh"), ("logistic", "softplus"))


@cache
def drawn(seed):
    """A problem of each objective, its sizes those of the cases, with transfer functions that are curved."""
    problems = []
    for i, (objective, psd) in enumerate(SPLITS):
        for salt in range(100):
            rng = np.random.Generator(np.random.Philox([seed, i, salt]))
            of = shape(objective, psd, SMOOTH[(seed + i) % len(SMOOTH)])
            problem = dyadic_problem(f"seed-{seed}-{objective}-{psd}", of, rng)
            if clear_of_kinks(problem) and not near_border(problem).any():
                break
        problems.append(exact(problem))
    return tuple(problems)


WALKS = ("walk-kfra", "walk-kfac", "walk-whole", "walk-options")
TELLING = (1, 2, 3, 5, 20, 40)
"""Steps of a walk at which something begins: averages, the refreshed factors, tau, gamma."""


@cache
def walked():
    """Some walks, at a few of their states."""
    short = []
    for problem in (problem for problem in walks() if problem.id in WALKS):
        waypoints = tuple(here for here in problem.walk.waypoints if here.t + 1 in TELLING)
        short.append(replace(problem, walk=problem.walk._replace(waypoints=waypoints)))
    return tuple(short)


def problems_for(quantity, seed):
    return walked() if quantity.of_walks else drawn(seed)


@cache
def judged(name, quantity, seed, dtype):
    """The verdicts on what a mistake answers in a dtype, and the diagnosis of them."""
    answers, verdicts = [], []
    for problem in problems_for(ROWS[quantity], seed):
        with np.errstate(all="ignore"):
            arrays = MISTAKES[name].textbook(problem).answer(quantity)
        arrays = tuple(a if a.dtype.kind in "iu" else a.astype(dtype) for a in arrays)
        verdict = compare(arrays, problem, ROWS[quantity], dtype)
        verdicts.append(verdict)
        if verdict.status is Status.PASS or verdict.answer is not None:
            answers.append(Answered(problem, verdict.answer))
    return verdicts, diagnose(answers, ROWS[quantity], dtype)


@pytest.mark.parametrize("quantity", ROWS)
def test_the_textbook_is_right(quantity):
    """Without a mistake it passes as an implementation, on every case and from every state of the walks."""
    for problem in walked() if ROWS[quantity].of_walks else cases():
        verdict = compare(Textbook(problem).answer(quantity), problem, ROWS[quantity], "float64")
        assert verdict.status is Status.PASS, verdict


LIKELY = sorted(ROWS, key=lambda name: (ROWS[name].of_walks, name not in ("gradient", "kflr", "kfra", "solve_trace")))
"""The rows, those first that show the most mistakes."""


def test_every_quantity_has_an_answer():
    assert set(ANSWERS) == set(ROWS)


def test_the_catalogue():
    assert len(MISTAKES) >= 40
    for mistake in MISTAKES.values():
        assert mistake.says.endswith(".")
        assert mistake.name not in ("", "textbook")


def pytest_generate_tests(metafunc):
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", range(metafunc.config.getoption("seeds")))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("quantity", ROWS)
def test_every_mistake_that_shows_is_named(quantity, seed, dtype):
    """Where it makes a quantity wrong, the diagnosis names it, and nothing that makes nothing wrong."""
    wrong = {name for name in MISTAKES if any(v.status in WRONG for v in judged(name, quantity, seed, dtype)[0])}
    for name in wrong:
        diagnosis = judged(name, quantity, seed, dtype)[1]
        if diagnosis is not None:  # some of its answers are well-formed
            assert name in [m.name for m in diagnosis.mistakes], str(diagnosis)
            for other in diagnosis.mistakes:
                assert other.name in wrong, (name, other.name)


@pytest.mark.parametrize("name", MISTAKES)
def test_every_mistake_is_caught(name):
    """As an implementation it fails in at least one row, in either dtype."""
    for dtype in ("float32", "float64"):
        assert any(v.status in WRONG for q in LIKELY for v in judged(name, q, 0, dtype)[0])
