"""ldl, solve, rank, definiteness and trace: exact in rationals, compared with NumPy in float64, and in balls.

Rationals are those of Python and FLINT. A ball must contain the solution of the rational system.
"""

import itertools
from fractions import Fraction

import flint
import kfgn_reference as ref
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from kfgn_reference._linear_algebra import ldl


@pytest.fixture(autouse=True)
def bits():
    """Set the precision of all balls, which is global in FLINT, for one test."""
    before = flint.ctx.prec
    flint.ctx.prec = 256
    yield
    flint.ctx.prec = before


def to_fmpq(value):
    return flint.fmpq(value.numerator, value.denominator)


def to_arb(value):
    return flint.arb(to_fmpq(value))


def each(f, A):
    return np.frompyfunc(f, 1, 1)(A)


def numbers(rng, *shape):
    """Random Fractions that are multiples of 1/7."""
    return each(lambda k: Fraction(int(k), 7), rng.integers(-9, 10, size=shape))


def definite(rng, D):
    A = numbers(rng, D, D + 2)
    return A @ A.T


def identity(D):
    return np.array([[Fraction(i == j) for j in range(D)] for i in range(D)])


rational = st.fractions(-3, 3, max_denominator=6)


@st.composite
def matrices(draw, square=False):
    """Small matrices of small numbers, many of which are singular."""
    rows = draw(st.integers(1, 4))
    columns = rows if square else draw(st.integers(1, 4))
    values = draw(st.lists(st.sampled_from([0, 0, 1, -1, 2, 3]) | rational, min_size=rows * columns, max_size=16))
    return np.array([Fraction(v) for v in values[: rows * columns]]).reshape(rows, columns)


SIZES = (1, 2, 3, 6)


@pytest.mark.parametrize("D", SIZES)
def test_ldl_multiplies_out(D):
    rng = np.random.default_rng(D)
    A = definite(rng, D)
    before = A.tolist()
    L, d = ldl(A)
    assert A.tolist() == before
    assert {type(value) for value in [*L.flat, *d]} == {Fraction}
    assert d.shape == (D,)
    assert all(value > 0 for value in d)
    assert all(L[i, i] == 1 for i in range(D))
    assert all(L[i, j] == 0 for i in range(D) for j in range(i + 1, D))
    assert np.array_equal((L * d) @ L.T, A)
    # d are the quotients of leading minors, which need no elimination
    minors = [flint.fmpq(1)]
    minors += [flint.fmpq_mat([[to_fmpq(v) for v in row[:j]] for row in A[:j]]).det() for j in range(1, D + 1)]
    assert [to_fmpq(value) for value in d] == [above / below for below, above in itertools.pairwise(minors)]


@pytest.mark.parametrize("D", SIZES)
def test_ldl_is_choleskys_factor(D):
    A = definite(np.random.default_rng(D), D).astype(float)
    L, d = ldl(A)
    assert L.dtype == d.dtype == np.float64
    assert np.allclose(L * np.sqrt(d), np.linalg.cholesky(A), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("columns", [None, 0, 1, 3])
@pytest.mark.parametrize("D", SIZES)
def test_solve_exactly(D, columns):
    """A X = B exactly, and X is the solution by FLINT. The arguments are unchanged."""
    rng = np.random.default_rng(10 + D)
    A, B = definite(rng, D), numbers(rng, D) if columns is None else numbers(rng, D, columns)
    before = A.tolist(), B.tolist()
    X = ref.solve(A, B)
    assert X.shape == B.shape
    assert (A.tolist(), B.tolist()) == before
    assert {type(value) for value in X.flat} <= {Fraction}
    assert np.array_equal(A @ X, B)

    X = ref.solve(each(to_fmpq, A), each(to_fmpq, B))
    assert {type(value) for value in X.flat} <= {flint.fmpq}
    if columns != 0:
        system = [flint.fmpq_mat([list(row) for row in each(to_fmpq, M)]) for M in (A, B.reshape(D, -1))]
        assert X.reshape(D, -1).tolist() == system[0].solve(system[1]).tolist()


@pytest.mark.parametrize("columns", [None, 1, 3])
@pytest.mark.parametrize("D", SIZES)
def test_solve_in_floats(D, columns):
    rng = np.random.default_rng(20 + D)
    exact = definite(rng, D), numbers(rng, D) if columns is None else numbers(rng, D, columns)
    A, B = (M.astype(float) for M in exact)
    X = ref.solve(A, B)
    assert X.dtype == np.float64
    bound = 8 * D * np.finfo(float).eps * np.linalg.cond(A)  # of the relative error
    truth = np.linalg.solve(A, B)
    assert np.linalg.norm(X - truth) <= bound * np.linalg.norm(truth)
    truth = ref.solve(*exact).astype(float)
    assert np.linalg.norm(X - truth) <= bound * np.linalg.norm(truth)


@pytest.mark.parametrize("columns", [None, 2])
@pytest.mark.parametrize("D", SIZES)
def test_solve_in_balls(D, columns):
    """The ball contains the solution and is small. 1/7 itself has a radius of about 2^-256."""
    rng = np.random.default_rng(30 + D)
    A, B = definite(rng, D), numbers(rng, D) if columns is None else numbers(rng, D, columns)
    truth, X = ref.solve(A, B), ref.solve(each(to_arb, A), each(to_arb, B))
    assert X.shape == B.shape
    for ball, value in zip(X.flat, truth.flat, strict=True):
        assert ball.contains(to_fmpq(value))
        assert ball.rad() < flint.arb(10) ** -65


def test_solve_by_hand():
    """[[4, 2], [2, 3]] (1, -1) = (2, -1), with the arithmetic of A for an integer B."""
    A = np.array([[Fraction(4), Fraction(2)], [Fraction(2), Fraction(3)]])
    X = ref.solve(A, np.array([2, -1]))
    assert X.tolist() == [1, -1]
    assert {type(value) for value in X} == {Fraction}
    assert ref.solve(np.array([[4.0]]), np.array([2.0])).tolist() == [0.5]
    assert ref.solve(np.array([[4.0]]), np.array([[2.0, 6.0]])).tolist() == [[0.5, 1.5]]
    L, d = ldl(A)
    assert L.tolist() == [[1, 0], [Fraction(1, 2), 1]]
    assert d.tolist() == [4, 2]


@pytest.mark.parametrize(
    ("A", "text"),
    [
        ([[0.0]], "pivot 1 of 1 equal to 0.0"),
        ([[-2.0]], "pivot 1 of 1 equal to -2.0"),
        ([[4.0, 2.0], [2.0, 1.0]], "pivot 2 of 2 equal to 0.0"),
        ([[1.0, 2.0], [2.0, 1.0]], "pivot 2 of 2 equal to -3.0"),
        ([[0.0, 1.0], [1.0, 5.0]], "pivot 1 of 2 equal to 0.0"),
        ([[np.nan, 0.0], [0.0, 1.0]], "pivot 1 of 2 equal to nan"),
        ([[2.0, 0.0, 0.0], [0.0, 3.0, 3.0], [0.0, 3.0, 3.0]], "pivot 3 of 3 equal to 0.0"),
    ],
)
def test_not_positive_definite(A, text):
    A = np.array(A)
    for call in (lambda: ldl(A), lambda: ref.solve(A, A), lambda: ref.solve(A, A[0])):
        with pytest.raises(ValueError, match=rf"^A: expected a positive definite matrix, got {text}$"):
            call()


def test_a_ball_that_may_be_zero_is_no_pivot():
    with pytest.raises(ValueError, match="pivot 1 of 1"):
        ldl(np.array([[flint.arb(1, 2)]]))
    with pytest.raises(ValueError, match="pivot 2 of 2 equal to 0"):
        ldl(each(Fraction, np.array([[4, 2], [2, 1]])))


@settings(deadline=None)
@given(matrices())
def test_rank(A):
    """The rank equals that by FLINT, and that of the transpose and of both Gram matrices."""
    before = A.tolist()
    found = ref.rank(A)
    assert type(found) is int
    assert A.tolist() == before
    assert found == flint.fmpq_mat([[to_fmpq(v) for v in row] for row in A]).rank()
    assert found == ref.rank(A.T) == ref.rank(A @ A.T) == ref.rank(A.T @ A)


@pytest.mark.parametrize(
    ("rows", "columns", "inner"), [(4, 6, 2), (6, 4, 3), (5, 5, 1), (3, 4, 3), (1, 5, 1), (5, 1, 1)]
)
def test_rank_of_a_product(rows, columns, inner):
    rng = np.random.default_rng(40)
    left, right = numbers(rng, rows, inner), numbers(rng, inner, columns)
    assert ref.rank(left @ right) == inner
    assert ref.rank(0 * left @ right) == 0
    assert ref.rank(each(to_fmpq, left @ right)) == inner


def test_rank_by_hand():
    """Matrices with a missing first pivot, a pivot in a later row, and a column of zeros in between."""
    assert ref.rank(each(Fraction, np.array([[0, 0, 1], [0, 0, 2]]))) == 1
    assert ref.rank(each(Fraction, np.array([[0, 1], [1, 0]]))) == 2
    assert ref.rank(each(Fraction, np.array([[1, 2, 3], [2, 4, 6], [0, 0, 5]]))) == 2
    assert ref.rank(each(Fraction, np.array([[0, 1, 1], [1, 0, 1], [1, 1, 2]]))) == 2
    assert ref.rank(np.array([[2.0, 1.0], [1.0, 0.5]])) == 1


def minors(A):
    """All principal minors of A, which is positive semi-definite if none is negative."""
    for size in range(1, len(A) + 1):
        for rows in itertools.combinations(range(len(A)), size):
            yield flint.fmpq_mat([[to_fmpq(A[i, j]) for j in rows] for i in rows]).det()


@settings(deadline=None)
@given(matrices(square=True))
def test_positive_semidefinite(A):
    """The decision is that by all principal minors, without elimination."""
    for S in (A + A.T, A @ A.T, A @ A.T - identity(len(A)) / 9):
        before = S.tolist()
        ours = ref.is_positive_semidefinite(S)
        assert S.tolist() == before
        assert ours is all(minor >= 0 for minor in minors(S))
        assert ref.is_positive_semidefinite(each(to_fmpq, S)) is ours
    assert ref.is_positive_semidefinite(A @ A.T)


@pytest.mark.parametrize(
    ("A", "expected"),
    [
        ([[0]], True),
        ([[-1]], False),
        ([[3]], True),
        ([[0, 0], [0, 0]], True),
        ([[0, 1], [1, 0]], False),
        ([[0, 1], [1, 9]], False),
        ([[0, 0], [0, -1]], False),
        ([[0, 0], [0, 4]], True),
        ([[4, 2], [2, 1]], True),
        ([[4, 2], [2, Fraction(99, 100)]], False),
        ([[1, 1, 0], [1, 1, 1], [0, 1, 5]], False),  # a zero pivot in between, with a non-zero element in its row
        ([[1, 1, 0], [1, 1, 0], [0, 0, 5]], True),
        ([[1, 1, 0], [1, 1, 0], [0, 0, -5]], False),  # a zero pivot in between, with a zero row
    ],
)
def test_positive_semidefinite_by_hand(A, expected):
    A = each(Fraction, np.array(A, dtype=object))
    assert ref.is_positive_semidefinite(A) is expected
    assert ref.is_positive_semidefinite(A.astype(float)) is expected


@pytest.mark.parametrize("D", SIZES)
def test_definite_of_low_rank(D):
    """G G^T for one column G has rank 1 and is semi-definite. It is not after subtracting a small multiple of I."""
    column = numbers(np.random.default_rng(50 + D), D, 1) + Fraction(1, 3)  # not 0
    A = column @ column.T
    assert ref.rank(A) == 1
    assert ref.is_positive_semidefinite(A)
    assert ref.is_positive_semidefinite(-A) is False
    assert ref.is_positive_semidefinite(A - identity(D) / 10**6) is (D == 1)
    if D > 1:
        with pytest.raises(ValueError, match=f"pivot 2 of {D} equal to 0"):
            ref.solve(A, A)


def test_trace():
    """2 + 5 + 11 for a square matrix with other numbers off its diagonal."""
    A = np.array([[2, 100, 1000], [200, 5, 3000], [4, 7, 11]])
    assert ref.trace(A) == 18
    assert ref.trace(each(lambda k: Fraction(int(k), 3), A)) == 6
    ball = ref.trace(each(lambda k: to_arb(Fraction(int(k), 7)), A))
    assert ball.contains(flint.fmpq(18, 7))
    assert ball.rad() < flint.arb(10) ** -70
    assert ref.trace(np.array([[-4.5]])) == -4.5


@pytest.mark.parametrize("f", ["ldl", "rank", "is_positive_semidefinite"])
def test_integers_are_refused(f):
    with pytest.raises(TypeError, match=r"^A: expected float64, float32 or objects that divide exactly, got int64$"):
        getattr(ref, f)(np.array([[2, 1], [1, 2]]))


def test_an_integer_right_hand_side_is_solved_for():
    assert np.array_equal(ref.solve(np.array([[2.0, 0], [0, 4]]), np.array([1, 1])), [0.5, 0.25])
