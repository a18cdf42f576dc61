"""Eigenvalues, eigenvectors and the spectral norm in ball arithmetic."""

import flint
import numpy as np
import pytest
from kfgn_conformance import certified
from kfgn_conformance.certified import PRECISION
from kfgn_reference import _spectral as spectral


def balls(rows):
    """A matrix or a vector of balls of radius 0."""
    return np.asarray(certified.to_ball(np.array(rows, dtype=float)), dtype=object)


def contain(ball_array, values):
    """True if every ball contains its value, a float or another ball."""
    return all(
        flint.arb(b).contains(v if isinstance(v, flint.arb) else flint.arb(float(v)))
        for b, v in zip(np.ravel(ball_array), np.ravel(values), strict=True)
    )


def widest(ball_array):
    return max(np.ravel(certified.radius(ball_array)))


@pytest.fixture
def precision():
    """Set the precision for a test that computes with balls directly."""
    with flint.ctx.workprec(PRECISION):
        yield


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
    """A U = U diag(v) and U^T U = I within narrow balls, and the eigenvalues are near those of NumPy."""
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
    """A with balls of this radius on its diagonal."""
    wide = balls(A)
    for i in range(len(A)):
        wide[i, i] = flint.arb(float(A[i, i]), radius)
    return wide


@pytest.mark.usefixtures("precision")
@pytest.mark.parametrize("D", [1, 2, 5])
def test_the_spectral_norm_of_a_matrix_that_was_itself_computed(D):
    """The norm of a matrix rounded to 256 bits is nearly as accurate. At 20 bits the ball covers the uncertainty."""
    A = (M := np.random.default_rng(D).integers(-8, 9, (D, D))) @ M.T
    exactly = certified.spectral_norm(balls(A))
    rounded = certified.spectral_norm(with_radius(A, 2.0**-245))
    assert rounded.overlaps(exactly)
    assert float(rounded.rad()) < 1e-60
    wide = certified.spectral_norm(with_radius(A, 2.0**-20))
    assert all(wide.contains(exactly.mid() + s * flint.arb(2) ** -21) for s in (-1, 0, 1))


def test_the_reference_itself_refuses_balls():
    """The functions accept only floats unless they are patched, so NumPy never computes eigenvalues of balls."""
    for f in (spectral.eigh, spectral.eigvalsh):
        with pytest.raises(TypeError, match=r"^A: expected float64 or float32 for eigenvalues, got object"):
            f(balls(np.eye(2)))
