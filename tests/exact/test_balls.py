"""The accuracy of the reference in float64, certified by ball arithmetic, and planted errors that must be found."""

from dataclasses import replace
from unittest import mock

import flint
import kfgn_reference as ref
import numpy as np
import pytest
from kfgn_conformance import QUANTITIES, certified
from kfgn_conformance.certified import accuracy, balls_have_eigenvalues, error_and_width
from kfgn_conformance.oracle import Oracle
from kfgn_conformance.problem_sets.drawn import drawn_problems
from kfgn_conformance.quantities import REFERENCE_ONLY, Quantity
from kfgn_reference import _damping as damping, _spectral as spectral

EVERY = {quantity.name: quantity for quantity in (*QUANTITIES.values(), *REFERENCE_ONLY)}


@pytest.fixture(scope="module")
def problems(thorough):
    """One problem of each objective, with three datapoints and one to four layers, or two more of each."""
    return drawn_problems(5 if thorough else 3, seed_value=18) + (drawn_problems(10, seed_value=0) if thorough else [])


@pytest.fixture
def of_quantity(problems, thorough):
    """A function from the name of a quantity to its problems.

    Quantities of the reference alone are matrices over all weights, and balls take a minute for some of them. They
    have the problem with the fewest weights, unless all problems are run.
    """
    fewest = problems if thorough else sorted(problems, key=lambda problem: problem.parameters)[:1]
    return lambda name: problems if name in QUANTITIES else fewest


@pytest.mark.parametrize("name", EVERY)
def test_float64_is_within_the_rule_of_the_truth(name, of_quantity):
    """float64 is within tolerance on every problem, and the balls are much narrower than any rounding."""
    problems = of_quantity(name)
    found = accuracy(EVERY[name], problems)
    assert found.asked > 0
    assert found.asked + found.loose == len(problems)
    assert found.ratio <= 1, found.problem
    assert found.width < 1e-50


@pytest.mark.parametrize("name", EVERY)
def test_another_precision_gives_balls_that_overlap(name, monkeypatch, of_quantity):
    """Balls of two precisions overlap. If a radius were too small they would not, since the centres differ."""
    problem = of_quantity(name)[:2][-1]
    fine = certified.certified(problem, EVERY[name])
    monkeypatch.setattr(certified, "PRECISION", 128)
    coarse = certified.certified(problem, EVERY[name])
    for a, b in zip(fine, coarse, strict=True):
        assert np.shape(a) == np.shape(b)
        pairs = zip(np.ravel(certified.to_ball(a)), np.ravel(certified.to_ball(b)), strict=True)
        assert all(x.overlaps(y) for x, y in pairs)


PLANTED = {
    "loss": "loss",
    "gradient": "gradient",
    "q": "expected_q",
    "kfra": "kfra",
    "kflr": "kflr",
    "hessian_blocks": "hessian_blocks",
    "jacobian_product": "jacobian_product",
    "kronecker_matvec": "factored_product",
    "curvature_along": "curvature_along",
    "full_gauss_newton": "gauss_newton",
    "solve_exact": "exact_direction",
}


@pytest.mark.parametrize(("name", "function"), PLANTED.items())
def test_an_error_of_the_reference_is_seen(name, function, monkeypatch, of_quantity):
    """A relative error of 1e-13 (1e-11 in a solve) in float64 alone, about 1000 times the rounding, is found."""
    right, error = getattr(ref, function), 1e-11 if name == "solve_exact" else 1e-13

    def wrong(*arguments):
        value = right(*arguments)
        if isinstance(value, dict):
            return {l: spoiled(array) for l, array in value.items()}
        return spoiled(value)

    def spoiled(array):
        return array * (1 + error) if np.asarray(array).dtype == np.float64 else array

    problems = of_quantity(name)
    seen = [replace(p) for p in problems]  # new objects, for which nothing is cached
    assert accuracy(EVERY[name], seen).ratio <= 1
    monkeypatch.setattr(ref, function, wrong)
    assert accuracy(EVERY[name], [replace(p) for p in problems]).ratio > 1


def test_what_balls_cannot_decide_is_counted(problems):
    def undecided(problem):
        if problem.X.dtype == object:
            raise ValueError("a tie")
        return (problem.X,)

    found = accuracy(Quantity("tie", "", undecided, elements=lambda p: 1), problems)
    assert (found.asked, found.undecided, found.loose) == (0, len(problems), 0)


def test_a_ball_that_may_be_anything_decides_nothing(problems):
    """A ball for 0/0 gives an error of NaN, which a search for the largest error would ignore."""
    ball = flint.arb(0, 1)

    def quotient(problem):
        return (np.array([1.0, 1.0] if problem.X.dtype != object else [flint.arb(1), ball / ball]),)

    found = accuracy(Quantity("quotient", "", quotient, elements=lambda p: 1), problems)
    assert (found.asked, found.undecided, found.loose) == (0, len(problems), 0)


def test_a_problem_that_proves_nothing_is_counted(problems):
    """The difference of two equal inputs is 0, and its tolerance is larger, so it proves nothing."""
    difference = Quantity("difference", "", lambda p: (p.X[0] - p.X[1],), elements=lambda p: 1)
    twice = replace(problems[0], X=np.ones((2, 3)))
    found = accuracy(difference, [twice])
    assert (found.asked, found.undecided, found.loose) == (0, 0, 1)


def test_the_error_is_an_upper_bound(problems):
    """For 5/4 in float64 and a ball 1 +- 1/2 the error is at most 3/4. The worse of two arrays counts."""

    def value(problem):
        if problem.X.dtype == object:
            return np.array([flint.arb(1, 0.5)]), np.array([flint.arb(2)])
        return np.array([1.25]), np.array([2.0])

    problem, quantity = problems[0], Quantity("by hand", "", value, elements=lambda p: 2)
    oracle = Oracle(problem, quantity)
    ratio, width = error_and_width(oracle)
    tolerance, _ = oracle.tolerances("float64")
    # FLINT rounds a radius up, in 30 bits
    assert 1 - 1e-15 < ratio * tolerance / 0.75 < 1 + 1e-8
    assert 1 - 1e-15 < width / 0.4 < 1 + 1e-8


def test_nothing_allowed_and_nothing_wrong_is_no_error(problems):
    """The tolerance of a quantity that is constantly 0 is the smallest normal number."""

    def constant(of_balls):
        return Quantity(
            "0", "", lambda p: (np.array([of_balls if p.X.dtype == object else 0.0]),), elements=lambda p: 1
        )

    assert error_and_width(Oracle(problems[0], constant(flint.arb(0)))) == (0, 0)
    assert error_and_width(Oracle(problems[0], constant(flint.arb(1))))[0] == 2.0**1022


def test_what_is_patched_is_restored():
    before, norms = spectral.eigh, dict(ref.NORMS)
    with balls_have_eigenvalues():
        assert spectral.eigh is certified.eigh
        assert damping.NORMS["spectral"] is certified.spectral_norm
    assert (spectral.eigh, ref.NORMS) == (before, norms)
    with pytest.raises(RuntimeError), balls_have_eigenvalues():
        raise RuntimeError
    assert (spectral.eigh, ref.NORMS) == (before, norms)


def test_the_precision_is_restored(problems):
    before = flint.ctx.prec
    certified.certified(problems[0], EVERY["solve_spectral"])
    assert flint.ctx.prec == before


def test_a_second_route_is_a_second_route(problems):
    """The dense systems in float64 give the results by eigenvalues, without sharing their code."""
    assert set(certified.OTHER_ROUTES) - set(EVERY) == {"kfoc_blocks"}  # test_nearest_products.py
    for name in set(certified.OTHER_ROUTES) & set(EVERY):
        route = certified.OTHER_ROUTES[name]
        for problem in problems:
            for ours, theirs in zip(EVERY[name].oracle(problem), route(problem), strict=True):
                np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


def test_the_truth_takes_nothing_from_numpy_s_linear_algebra(of_quantity):
    names = ("eigh", "eigvalsh", "solve", "inv", "cholesky", "svd", "norm")
    broken = {name: mock.Mock(side_effect=AssertionError) for name in names}
    with mock.patch.multiple(np.linalg, **broken):
        for name in EVERY:
            certified.certified(of_quantity(name)[:2][-1], EVERY[name])
