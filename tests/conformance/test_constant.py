"""Constant factors that are the same on every problem, and the names of factors that depend on the problem."""

from fractions import Fraction

import numpy as np
import pytest
from kfgn_conformance import QUANTITIES, Conventions, check
from kfgn_conformance.diagnosis import MISTAKES
from kfgn_conformance.diagnosis.constant import root, simple
from kfgn_conformance.problems.cases import cases

from ..pairs import each_pair

pytestmark = pytest.mark.usefixtures("shared_oracles")

DTYPES = ("float32", "float64")


def times(quantity, factor, dtype="float64", textbook=None):
    """Return a function whose answers are the right answers, or those of a textbook, times factor(problem)."""

    def mine(problem):
        arrays = QUANTITIES[quantity].value(problem) if textbook is None else textbook(problem).answer(quantity)
        return [np.asarray(factor(problem) * array, dtype) for array in arrays]

    return mine


def of_softmax(factor):
    """A factor for the softmax alone."""
    return lambda problem: factor if problem.objective == "categorical" else 1


def text(result):
    """The printed result on one line."""
    return " ".join(str(result).split())


@each_pair(quantity=("gradient", "kfra", "loss"), factor=(2, 1 / 2, -1, 1 / 3, 3 / 2), dtype=DTYPES)
def test_a_factor_on_every_problem_is_named(quantity, factor, dtype):
    result = check(quantity, times(quantity, lambda _: factor, dtype), dtype=dtype)
    assert result.mistakes == ("constant-factor",)
    assert f"Every answer is multiplied by {simple(factor)}, on all " in text(result)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_factor_of_one_objective_is_named_with_its_convention(dtype):
    mine = times("kflr", of_softmax(2), dtype)
    result = check("kflr", mine, dtype=dtype)
    assert result.mistakes == ("constant-factor",)
    assert "problems with the objective categorical." in text(result)
    assert 'Conventions(loss={"categorical": "2"})' in text(result)
    assert check("kflr", mine, dtype=dtype, conventions=Conventions(loss={"categorical": "2"})).passed


def test_the_convention_is_that_of_the_loss():
    """The G of KFAC is of the second degree in the loss."""
    result = check("kfac", times("kfac", of_softmax(1 / 4)))
    assert 'declare Conventions(loss={"categorical": "1/2"})' in text(result)
    assert check("kfac", times("kfac", of_softmax(1 / 4)), conventions=Conventions(loss={"categorical": "1/2"})).passed
    assert "Conventions" not in text(check("kfac", times("kfac", of_softmax(2))))  # no fraction has the square 2


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("factor", [lambda _: 2, of_softmax(2)])
@pytest.mark.parametrize(("quantity", "name"), [("kfra", "slope-twice"), ("kflr", "summed-over-datapoints")])
def test_a_factor_and_a_mistake_are_named(quantity, name, factor, dtype):
    result = check(quantity, times(quantity, factor, dtype, MISTAKES[name].textbook), dtype=dtype)
    assert f"{name} and constant-factor" in result.mistakes
    assert f"First: {MISTAKES[name].description} Second: Every answer is multiplied by 2" in text(result)


@pytest.mark.parametrize("factor", [1.37, 1 + 1e-9, 0.0, 100.0])
def test_any_other_factor_has_no_name(factor):
    """The description states on how many problems the factor is the same."""
    result = check("kfra", times("kfra", lambda _: factor))
    assert result.mistakes == ()
    assert factor == 0 or "times the right array, as on all 76 problems with a wrong answer" in text(result)


def test_a_factor_that_differs_between_problems_has_no_name():
    result = check("kfra", times("kfra", lambda problem: 2 + problem.N % 2))
    assert result.mistakes == ()
    assert "times the right array" in text(result)
    assert "as on all" not in text(result)


def test_one_problem_is_no_evidence_of_a_constant():
    (problem,) = (problem for problem in cases() if problem.id == "case-bernoulli-tanh")
    assert check("loss", times("loss", lambda _: 2), problems=[problem]).mistakes == ()


@pytest.mark.parametrize(
    ("factor", "name"),
    [
        (lambda p: p.N * p.labels.shape[1], "N S"),
        (lambda p: 1 / p.labels.shape[1], "1/(S)"),
    ],
)
def test_a_symbol_is_named_if_it_is_the_factor_on_every_problem(factor, name):
    assert f"times the right array, and this factor is {name};" in text(check("q", times("q", factor)))


def test_a_symbol_that_fits_one_problem_only_is_not_named():
    """On the worst answer of the other problems, the factor is N S."""
    result = check("q", times("q", lambda problem: problem.N * problem.labels.shape[1] if problem.N > 9 else 7))
    assert "which is" not in text(result)


def test_fractions():
    assert simple(2.0000001) == 2
    assert simple(0.33333) == Fraction(1, 3)
    assert simple(-1.5) == Fraction(-3, 2)
    assert simple(0) is simple(1e9) is simple(float("inf")) is None
    assert (root(Fraction(4), 2), root(Fraction(1, 9), 2), root(Fraction(2), 2)) == (2, Fraction(1, 3), None)
    assert root(Fraction(-1), 1) is None
