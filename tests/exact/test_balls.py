"""The reference in ball arithmetic, and float64 held against it; and that an error of the reference would be seen."""

from dataclasses import replace
from unittest import mock

import flint
import kfgn_reference as ref
import numpy as np
import pytest
from kfgn_conformance import QUANTITIES, certified
from kfgn_conformance.certified import PRECISION, accuracy, balls_have_eigenvalues, error_and_width
from kfgn_conformance.oracle import Oracle
from kfgn_conformance.problems.drawn import drawn_problems
from kfgn_conformance.quantities import REFERENCE_ONLY, Quantity
from kfgn_reference import _damping as damping, _spectral as spectral

EVERY = {quantity.name: quantity for quantity in (*QUANTITIES.values(), *REFERENCE_ONLY)}
PROBLEMS = drawn_problems(10, seed_value=0)


def balls(rows):
    """A matrix, or a vector, of balls of radius 0."""
    return np.asarray(certified.to_ball(np.array(rows, dtype=float)), dtype=object)


def contain(ball_array, values):
    """Whether every ball contains its value: a float, or another ball."""
    return all(
        flint.arb(b).contains(v if isinstance(v, flint.arb) else flint.arb(float(v)))
        for b, v in zip(np.ravel(ball_array), np.ravel(values), strict=True)
    )


def widest(ball_array):
    return max(np.ravel(certified.radius(ball_array)))


@pytest.fixture
def precision():
    """In a test that computes with balls itself."""
    with flint.ctx.workprec(PRECISION):
        yield


@pytest.mark.parametrize("name", EVERY)
def test_float64_is_within_the_rule_of_the_truth(name):
    """On every problem: the balls decide all of them, and are narrower than any rounding of float64 by far."""
    found = accuracy(EVERY[name], PROBLEMS)
    assert found.asked > 0
    assert found.asked + found.loose == len(PROBLEMS)
    assert found.ratio <= 1, found.problem
    assert found.width < 1e-50


@pytest.mark.parametrize("name", EVERY)
def test_another_precision_gives_balls_that_overlap(name, monkeypatch):
    """A radius that is too small would show: the centres differ by the rounding of the coarser."""
    fine = certified.certified(PROBLEMS[1], EVERY[name])
    monkeypatch.setattr(certified, "PRECISION", 128)
    coarse = certified.certified(PROBLEMS[1], EVERY[name])
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
def test_an_error_of_the_reference_is_seen(name, function, monkeypatch):
    """One of 1e-13 (1e-11 in a solve), in float64 alone: as if the rounding there were 1000 times what it is."""
    right, error = getattr(ref, function), 1e-11 if name == "solve_exact" else 1e-13

    def wrong(*arguments):
        value = right(*arguments)
        if isinstance(value, dict):
            return {l: spoiled(array) for l, array in value.items()}
        return spoiled(value)

    def spoiled(array):
        return array * (1 + error) if np.asarray(array).dtype == np.float64 else array

    seen = [replace(p) for p in PROBLEMS]  # nothing that is kept for the problems themselves
    assert accuracy(EVERY[name], seen).ratio <= 1
    monkeypatch.setattr(ref, function, wrong)
    assert accuracy(EVERY[name], [replace(p) for p in PROBLEMS]).ratio > 1


def test_what_balls_cannot_decide_is_counted():
    def undecided(problem):
        if problem.X.dtype == object:
            raise ValueError("a tie")
        return (problem.X,)

    found = accuracy(Quantity("tie", "", undecided, elements=lambda p: 1), PROBLEMS)
    assert (found.asked, found.undecided, found.loose) == (0, len(PROBLEMS), 0)


def test_a_ball_that_may_be_anything_decides_nothing():
    """0/0 among good numbers: as an error it is no number, and would be passed over where the largest is sought."""
    ball = flint.arb(0, 1)

    def quotient(problem):
        return (np.array([1.0, 1.0] if problem.X.dtype != object else [flint.arb(1), ball / ball]),)

    found = accuracy(Quantity("quotient", "", quotient, elements=lambda p: 1), PROBLEMS)
    assert (found.asked, found.undecided, found.loose) == (0, len(PROBLEMS), 0)


def test_a_problem_that_proves_nothing_is_counted():
    """A difference of equal numbers that move apart: 0, with a tolerance above it."""
    difference = Quantity("difference", "", lambda p: (p.X[0] - p.X[1],), elements=lambda p: 1)
    twice = replace(PROBLEMS[0], X=np.ones((2, 3)))
    found = accuracy(difference, [twice])
    assert (found.asked, found.undecided, found.loose) == (0, 0, 1)


def test_the_error_is_an_upper_bound():
    """5/4 in float64, 1 +- 1/2 in truth: that may be 3/4 away, known to 2/5 of max|Q|. The worse array counts."""

    def value(problem):
        if problem.X.dtype == object:
            return np.array([flint.arb(1, 0.5)]), np.array([flint.arb(2)])
        return np.array([1.25]), np.array([2.0])

    problem, quantity = PROBLEMS[0], Quantity("by hand", "", value, elements=lambda p: 2)
    oracle = Oracle(problem, quantity)
    ratio, width = error_and_width(oracle)
    tolerance, _ = oracle.tolerances("float64")
    # FLINT rounds a radius up, in 30 bits
    assert 1 - 1e-15 < ratio * tolerance / 0.75 < 1 + 1e-8
    assert 1 - 1e-15 < width / 0.4 < 1 + 1e-8


def test_nothing_allowed_and_nothing_wrong_is_no_error():
    """Where the quantity is 0 and cannot move, its tolerance is the smallest normal number."""

    def constant(of_balls):
        return Quantity(
            "0", "", lambda p: (np.array([of_balls if p.X.dtype == object else 0.0]),), elements=lambda p: 1
        )

    assert error_and_width(Oracle(PROBLEMS[0], constant(flint.arb(0)))) == (0, 0)
    assert error_and_width(Oracle(PROBLEMS[0], constant(flint.arb(1))))[0] == 2.0**1022


def test_what_is_patched_is_restored():
    before, norms = spectral.eigh, dict(ref.NORMS)
    with balls_have_eigenvalues():
        assert spectral.eigh is certified.eigh
        assert damping.NORMS["spectral"] is certified.spectral_norm
    assert (spectral.eigh, ref.NORMS) == (before, norms)
    with pytest.raises(RuntimeError), balls_have_eigenvalues():
        raise RuntimeError
    assert (spectral.eigh, ref.NORMS) == (before, norms)


def test_the_precision_is_restored():
    before = flint.ctx.prec
    certified.certified(PROBLEMS[0], EVERY["solve_spectral"])
    assert flint.ctx.prec == before


def test_a_second_route_is_a_second_route():
    """The dense systems in float64 are the eigenvalues' answers, by other arithmetic."""
    for name, route in certified.OTHER_ROUTES.items():
        for problem in PROBLEMS:
            for ours, theirs in zip(EVERY[name].oracle(problem), route(problem), strict=True):
                np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


RNG = np.random.default_rng(0)
SYMMETRIC = {
    "1x1": [[3.0]],
    "negative 1x1": [[-2.0]],
    "zero 1x1": [[0.0]],
    "1 and 3": [[2, 1], [1, 2]],
    "-1 and 1": [[0, 1], [1, 0]],
    "0 and 5, of rank 1": [[1, 2], [2, 4]],
    "diagonal": np.diag([3, -1, 2]),
    "random": (A := RNG.integers(-8, 9, (5, 5))) + A.T,
    "ill-conditioned": np.array([[1, 1], [1, 1 + 2.0**-40]]),
}
REPEATED = {
    "identity": np.eye(2),
    "zero": np.zeros((3, 3)),
    "one of three": np.diag([1, 2, 1]),
    "rank 1 of three": np.outer([1, 2, 2], [1, 2, 2]),
}


@pytest.mark.usefixtures("precision")
@pytest.mark.parametrize("A", SYMMETRIC.values(), ids=SYMMETRIC)
def test_eigenvectors(A):
    """A U = U diag(v) and U^T U = I, to within balls that are narrow; and NumPy's values among them."""
    A = np.array(A, dtype=float)
    values, vectors = certified.eigh(balls(A))
    assert max(widest(values), widest(vectors)) < 1e-60
    assert contain(balls(A) @ vectors - vectors * values, np.zeros_like(A))
    assert contain(vectors.T @ vectors, np.eye(len(A)))
    centres = np.sort(values.astype(float))
    np.testing.assert_allclose(centres, np.linalg.eigvalsh(A), atol=1e-13 * max(1, np.max(np.abs(A))))


@pytest.mark.usefixtures("precision")
def test_known_eigenvalues():
    values, vectors = certified.eigh(balls([[2, 1], [1, 2]]))
    order = np.argsort(values.astype(float))
    assert contain(values[order], [1, 3])
    root = 1 / flint.arb(2).sqrt()
    assert all(abs(abs(v) - root).contains(0) for v in vectors.flat)


@pytest.mark.usefixtures("precision")
@pytest.mark.parametrize("A", REPEATED.values(), ids=REPEATED)
def test_a_repeated_eigenvalue_is_undecided(A):
    with pytest.raises(ValueError):  # noqa: PT011  (FLINT's own)
        certified.eigh(balls(A))


POSITIVE = {
    "1x1": ([[3.0]], 3),
    "repeated": (np.diag([7, 7, 1]), 7),
    "identity": (np.eye(4), 1),
    "rank 1": (np.outer([1, 2, 2], [1, 2, 2]), 9),
    "1 and 3": ([[2, 1], [1, 2]], 3),
    "nearly repeated": (np.diag([1, 1 - 2.0**-40]), 1),
    "small": (np.diag([2.0**-300, 2.0**-301]), 2.0**-300),
    "large": (2.0**300 * np.eye(2), 2.0**300),
}


@pytest.mark.usefixtures("precision")
@pytest.mark.parametrize(("A", "norm"), POSITIVE.values(), ids=POSITIVE)
def test_the_spectral_norm(A, norm):
    ball = certified.spectral_norm(balls(A))
    assert contain([ball], [norm])
    assert float(ball.rad()) < 1e-60 * norm


@pytest.mark.usefixtures("precision")
def test_the_spectral_norm_of_0():
    for D in (1, 3):
        assert contain([certified.spectral_norm(balls(np.zeros((D, D))))], [0])


@pytest.mark.usefixtures("precision")
@pytest.mark.parametrize("D", [2, 5, 8])
def test_the_spectral_norm_is_numpy_s(D):
    A = (M := np.random.default_rng(D).integers(-8, 9, (D, D))) @ M.T
    ball = certified.spectral_norm(balls(A))
    assert float(ball) == pytest.approx(np.linalg.norm(A, 2), rel=1e-14)
    assert float(ball.rad()) < 1e-60 * float(ball)


def with_radius(A, radius):
    """A with balls of that radius on its diagonal."""
    wide = balls(A)
    for i in range(len(A)):
        wide[i, i] = flint.arb(float(A[i, i]), radius)
    return wide


@pytest.mark.usefixtures("precision")
@pytest.mark.parametrize("D", [1, 2, 5])
def test_the_spectral_norm_of_a_matrix_that_was_itself_computed(D):
    """Rounded to 256 bits: the norm is known nearly as well. Known to 20 bits: the ball holds the norm of all of it."""
    A = (M := np.random.default_rng(D).integers(-8, 9, (D, D))) @ M.T
    exactly = certified.spectral_norm(balls(A))
    rounded = certified.spectral_norm(with_radius(A, 2.0**-245))
    assert rounded.overlaps(exactly)
    assert float(rounded.rad()) < 1e-60
    wide = certified.spectral_norm(with_radius(A, 2.0**-20))
    assert all(wide.contains(exactly.mid() + s * flint.arb(2) ** -21) for s in (-1, 0, 1))


def test_the_reference_itself_refuses_balls():
    """In float64 alone, unless it is patched: no eigenvalue is ever taken of an array of balls by NumPy."""
    for f in (spectral.eigh, spectral.eigvalsh):
        with pytest.raises(TypeError, match="expected float64 or float32 for eigenvalues, got object"):
            f(balls(np.eye(2)))


def test_the_truth_takes_nothing_from_numpy_s_linear_algebra():
    names = ("eigh", "eigvalsh", "solve", "inv", "cholesky", "svd", "norm")
    broken = {name: mock.Mock(side_effect=AssertionError) for name in names}
    with mock.patch.multiple(np.linalg, **broken):
        for name in EVERY:
            certified.certified(PROBLEMS[1], EVERY[name])
