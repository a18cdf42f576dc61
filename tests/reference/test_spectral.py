"""The functions with eigenvalues, certified by the eigenvalues of FLINT in balls of 256 bits and by rationals.

The floats of a matrix are rational numbers, which balls represent exactly, so the tests measure the rounding of the
functions alone.
"""

from fractions import Fraction

import flint
import kfgn_reference as ref
import numpy as np
import pytest
from kfgn_reference import _spectral as spectral

EPS = np.finfo(float).eps
SIZES = (1, 2, 3, 5, 8)


def rounding(D):
    """The error bound of LAPACK for eigenvalues and products of eigenvectors, relative to |A|: a few D eps.

    The largest error measured here is 6 eps.
    """
    return 4 * D * EPS


@pytest.fixture(autouse=True)
def bits():
    before = flint.ctx.prec
    flint.ctx.prec = 256
    yield
    flint.ctx.prec = before


def symmetric(D, seed=0):
    A = np.random.default_rng(100 * seed + D).normal(size=(D, D))
    return A + A.T


def definite(D, seed=0):
    A = np.random.default_rng(100 * seed + D).normal(size=(D, D + 2))
    A = A @ A.T
    return (A + A.T) / 2


def certified(A):
    """The eigenvalues as balls in descending order, and V, V^-1 with A = V diag(values) V^-1."""
    values, V = flint.acb_mat([[flint.acb(v) for v in row] for row in A]).eig(right=True)
    assert all(value.imag.contains(0) for value in values)
    return [value.real for value in values], V


def certified_map(f, A):
    """V diag(f(values)) V^-1 as floats. At 256 bits the radius is far below the rounding of float64."""
    values, V = certified(A)
    D = len(A)
    middle = flint.acb_mat([[flint.acb(f(values[i])) if i == j else flint.acb(0) for j in range(D)] for i in range(D)])
    result = V * middle * V.inv()
    assert all(entry.real.rad() < flint.arb(10) ** -50 for entry in result.entries())
    return np.array([float(entry.real.mid()) for entry in result.entries()]).reshape(D, D)


def positive(value):
    assert value > 0 or value < 0  # this is one of the eigenvalues with certainty
    return value if value > 0 else flint.arb(0)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("D", SIZES)
def test_eigenvalues(D, seed):
    A = symmetric(D, seed)
    before = A.copy()
    values, vectors = spectral.eigh(A)
    assert np.array_equal(A, before)
    truth = sorted(float(value.mid()) for value in certified(A)[0])
    norm = max(abs(value) for value in truth)
    assert np.max(np.abs(values - truth)) <= rounding(D) * norm
    assert np.max(np.abs(spectral.eigvalsh(A) - truth)) <= rounding(D) * norm
    assert np.array_equal(A, before)
    assert np.max(np.abs(vectors.T @ vectors - np.eye(D))) <= rounding(D)
    assert np.max(np.abs((vectors * values) @ vectors.T - A)) <= rounding(D) * norm


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("D", SIZES)
def test_projection(D, seed):
    """The error is a few units in the last place of |A|."""
    A = symmetric(D, seed)
    before = A.copy()
    ours = ref.projection(A)
    assert np.array_equal(A, before)
    assert ours.dtype == np.float64
    assert np.max(np.abs(ours - certified_map(positive, A))) <= rounding(D) * np.linalg.norm(A, 2)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("D", SIZES)
def test_projection_root(D, seed):
    """The error is a few times that of A divided by the root of the eigenvalue nearest to 0."""
    A = symmetric(D, seed)
    values = [abs(float(value.mid())) for value in certified(A)[0]]
    ours = ref.projection_root(A)
    truth = certified_map(lambda value: positive(value).sqrt(), A)
    assert np.max(np.abs(ours - truth)) <= rounding(D) * max(values) / np.sqrt(min(values))
    assert np.max(np.abs(ours - ours.T)) <= rounding(D) * np.sqrt(max(values))
    assert np.max(np.abs(ours @ ours - ref.projection(A))) <= rounding(D) * max(values)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("D", SIZES)
def test_projection_is_one(D, seed):
    """The projection is idempotent and semi-definite. P - A is the projection of -A, and orthogonal to P."""
    A = symmetric(D, seed)
    P, M = ref.projection(A), ref.projection(-A)
    allowed = rounding(D) * np.linalg.norm(A, 2)
    assert np.max(np.abs(ref.projection(P) - P)) <= allowed
    assert np.max(np.abs(P - M - A)) <= allowed
    assert np.max(np.abs(P @ M)) <= allowed * np.linalg.norm(A, 2)
    assert np.min(np.linalg.eigvalsh(P)) >= -allowed
    semidefinite = definite(D, seed)
    assert np.max(np.abs(ref.projection(semidefinite) - semidefinite)) <= rounding(D) * np.linalg.norm(semidefinite, 2)
    assert np.max(np.abs(ref.projection(-semidefinite))) == 0


@pytest.mark.parametrize("D", SIZES[1:])
def test_projection_is_the_nearest(D):
    """<A - P, S - P> <= 0 for every semi-definite S, which characterises the nearest point of a convex cone."""
    A, rng = symmetric(D), np.random.default_rng(1)
    P = ref.projection(A)
    for _ in range(50):
        root = rng.normal(size=(D, rng.integers(1, D + 1)))
        S = root @ root.T * rng.exponential()
        assert np.sum((A - P) * (S - P)) <= 1e-12
        assert np.linalg.norm(A - S) > np.linalg.norm(A - P)


HADAMARD = np.array([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]]) / 2


def test_repeated_and_missing_eigenvalues():
    """Eigenvalues 4, 4, 0 and -9, for which the eigenvectors are not unique."""
    A = HADAMARD * np.array([4.0, 4.0, 0.0, -9.0]) @ HADAMARD
    first = HADAMARD * np.array([1.0, 1.0, 0.0, 0.0]) @ HADAMARD
    assert np.max(np.abs(ref.projection(A) - 4 * first)) <= rounding(4) * 9
    # the root of an eigenvalue that is a rounding error is about sqrt(eps) or 0, depending on its sign
    assert np.max(np.abs(ref.projection_root(A) - 2 * first)) <= np.sqrt(rounding(4) * 9)
    assert abs(ref.spectral_norm(4 * first) - 4) <= rounding(4) * 4


def test_by_hand():
    """[[0, 2], [2, 3]] has the eigenvalues 4 and -1, with the eigenvectors (1, 2) and (2, -1)."""
    A = np.array([[0.0, 2.0], [2.0, 3.0]])
    P = np.array([[1.0, 2.0], [2.0, 4.0]])
    assert np.max(np.abs(ref.projection(A) - 4 / 5 * P)) <= rounding(2) * 4
    assert np.max(np.abs(ref.projection_root(A) - 2 / 5 * P)) <= rounding(2) * 4
    assert ref.projection(np.array([[-3.0]])).tolist() == [[0.0]]
    assert ref.projection(np.array([[9.0]])).tolist() == [[9.0]]
    assert ref.projection_root(np.array([[9.0]])).tolist() == [[3.0]]
    assert (
        ref.projection(np.zeros((3, 3))).tolist() == ref.projection_root(np.zeros((3, 3))).tolist() == [[0.0] * 3] * 3
    )
    assert ref.spectral_norm(np.zeros((2, 2))) == 0
    assert ref.spectral_norm(np.diag([3.0, 7.0, 5.0])) == 7
    assert spectral.positive_part(np.array([-1.0, 0.0, 2.0])).tolist() == [0.0, 0.0, 2.0]


@pytest.mark.parametrize("function", [ref.projection, ref.projection_root, ref.spectral_norm])
def test_the_symmetric_part_counts(function):
    """A matrix, its transpose and (A + A^T) / 2 give equal results, to the bit."""
    A = np.random.default_rng(2).normal(size=(4, 4))
    assert np.array_equal(function(A), function(A.T))
    assert np.array_equal(function(A), function((A + A.T) / 2))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("D", SIZES)
def test_spectral_norm(D, seed):
    A = definite(D, seed)
    truth = max(float(value.mid()) for value in certified(A)[0])
    assert abs(ref.spectral_norm(A) - truth) <= rounding(D) * truth


def each(f, A):
    return np.frompyfunc(f, 1, 1)(A)


def to_fmpq(value):
    return flint.fmpq(*float(value).as_integer_ratio())


def rational_block(Q, G, k):
    """Q kron G + k I in rationals of FLINT."""
    D, size = len(G), len(G) * len(Q)
    return flint.fmpq_mat(
        [
            [to_fmpq(Q[i // D, j // D]) * to_fmpq(G[i % D, j % D]) + (to_fmpq(k) if i == j else 0) for j in range(size)]
            for i in range(size)
        ]
    )


def rational_direction(Q, G, k, V):
    """The solution x of (Q kron G + k I) x = vec(V) in rationals, with rows b D + a, as a matrix of floats."""
    D = len(G)
    right = flint.fmpq_mat([[to_fmpq(V[i % D, i // D])] for i in range(V.size)])
    floats = [int(x.p) / int(x.q) for x in rational_block(Q, G, k).solve(right).entries()]
    return np.array([[floats[b * D + a] for b in range(V.shape[1])] for a in range(D)])


@pytest.mark.parametrize(("D", "width"), [(2, 3), (3, 2), (3, 3), (1, 3), (3, 1), (1, 1)])
def test_exact_direction(D, width):
    """The solution equals the rational one for wide, tall and square layers, with a V without symmetry."""
    Q, G = definite(width, 1), definite(D, 2)
    V = np.random.default_rng(3).normal(size=(D, width))
    for k in (2.0, 0.25, 0.0):
        ours = ref.exact_direction(Q, G, k, V)
        truth = rational_direction(Q, G, k, V)
        assert ours.shape == (D, width)
        condition = np.linalg.cond(np.kron(Q, G) + k * np.eye(D * width))
        assert np.linalg.norm(ours - truth) <= rounding(D * width) * condition * np.linalg.norm(truth)


def test_exact_direction_with_singular_factors():
    """For Q of rank 1, the part of V in the null space of Q is divided by k. For G = 0 all of V is."""
    a = np.array([[1.0], [2.0], [2.0]])  # a a^T has the eigenvalue 9
    V = np.array([[1.0, 0.0, 5.0], [2.0, -1.0, 3.0]])
    ours = ref.exact_direction(a @ a.T, np.eye(2), 0.5, V)
    along = V @ a @ a.T / 9
    assert np.max(np.abs(ours - (along / 9.5 + (V - along) / 0.5))) <= rounding(6) * 10
    assert np.max(np.abs(ref.exact_direction(a @ a.T, np.zeros((2, 2)), 0.5, V) - 2 * V)) <= rounding(6) * 10


@pytest.mark.parametrize(("D", "width"), [(2, 3), (3, 2), (3, 3), (1, 3), (3, 1), (1, 1)])
def test_log_determinants(D, width):
    """log det of (35) and (36) compared with dense determinants in rationals, and for (36) in balls too."""
    Q, G = definite(width, 1), definite(D, 2)
    for k in (2.0, 0.25):
        truth = flint.arb(rational_block(Q, G, k).det()).log()
        condition = np.linalg.cond(np.kron(Q, G) + k * np.eye(D * width))
        assert abs(ref.exact_log_determinant(Q, G, k) - float(truth.mid())) <= rounding(D * width) * condition
    for omega, root_k in ((4.0, 0.5), (0.25, 2.0)):  # quotients of these numbers are exact
        over, under = (  # Q and G plus rational dampings, and so rational
            each(to_fmpq, A) + to_fmpq(value) * np.eye(len(A), dtype=int)
            for A, value in ((Q, omega * root_k), (G, root_k / omega))
        )
        dense = flint.fmpq_mat([list(row) for row in np.kron(over, under)])
        truth = flint.arb(dense.det()).log()
        over, under = (np.array(each(lambda x: int(x.p) / int(x.q), A), dtype=float) for A in (over, under))
        condition = np.linalg.cond(over) * np.linalg.cond(under)
        ours = ref.factored_log_determinant(Q, G, omega, root_k)
        assert abs(ours - float(truth.mid())) <= rounding(D * width) * condition
        balls = (each(lambda value: flint.arb(float(value)), A) for A in (Q, G))
        ball = ref.factored_log_determinant(*balls, flint.arb(omega), flint.arb(root_k))
        assert ball.overlaps(truth)
        assert ball.rad() < flint.arb(10) ** -65


def test_exact_and_factored_damping(relative_error):
    """Exact and factored damping are equal for k = 0, where the residual of (36) is 0, and different for k > 0."""
    Q, G, V = definite(4), definite(3), np.random.default_rng(4).normal(size=(3, 4))
    exact = ref.exact_direction(Q, G, 0.0, V)
    assert relative_error(ref.factored_layer_direction(Q, G, V, 1.0, 0.0), exact) < 1e-11
    assert relative_error(ref.factored_layer_direction(Q, G, V, 1.0, 1.0), ref.exact_direction(Q, G, 1.0, V)) > 1e-2


@pytest.mark.parametrize("dtype", [object, np.float16, int, complex])
def test_other_arithmetic_is_refused(dtype):
    A, V = np.eye(2).astype(dtype), np.eye(2)
    expected = f"^A: expected float64 or float32 for eigenvalues, got {np.dtype(dtype)}$"
    calls = (
        lambda: spectral.eigh(A),
        lambda: spectral.eigvalsh(A),
        lambda: ref.projection(A),
        lambda: ref.projection_root(A),
        lambda: ref.spectral_norm(A),
        lambda: ref.exact_direction(A, V, 1.0, V),
        lambda: ref.exact_direction(V, A, 1.0, V),
        lambda: ref.exact_log_determinant(A, V, 1.0),
        lambda: ref.exact_log_determinant(V, A, 1.0),
    )
    for call in calls:
        with pytest.raises(TypeError, match=expected):
            call()


def test_rationals_and_balls_are_refused():
    for value in (Fraction(1), flint.fmpq(1), flint.arb(1)):
        with pytest.raises(TypeError, match="got object"):
            ref.projection(np.array([[value]], dtype=object))
