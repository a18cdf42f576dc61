"""Appendix E, equations (63), (64): ranks of Gauss-Newton matrices, between rationals.

There are two routes. One is the exact Jacobian by difference quotients and its singular values, for weights that are
small integers, so that zero singular values are clearly separated. The other is determinants, for any weights. H_L is
any symmetric matrix, so that it may have any rank.
"""

import contextlib
import itertools
from fractions import Fraction

import kfgn_reference as ref
import numpy as np
import pytest
from hypothesis import example, given, settings, strategies as st

PIECEWISE_LINEAR = ("identity", "relu", "leaky_relu")


def exactly(values):
    return np.frompyfunc(Fraction, 1, 1)(np.array(values, dtype=object))


def network(*weights, transfers=()):
    return ref.Network(tuple(map(exactly, weights)), transfers, "squared_error", "raise")


@contextlib.contextmanager
def output_hessian(H_L):
    """A context in which the objective "other" exists, with H_L(h, y) and no other function."""

    def unasked(*_):
        pytest.fail("the Gauss-Newton matrix needs H_L alone")

    other = ref.Objective(unasked, unasked, H_L, unasked, unasked)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(ref.OBJECTIVES, "other", other)
        yield


def determinant(A):
    """The determinant by the sum of Leibniz over permutations."""
    total, D = 0, range(len(A))
    for columns in itertools.permutations(D):
        inversions = sum(columns[i] > columns[j] for i, j in itertools.combinations(D, 2))
        total += (-1) ** inversions * np.prod([A[i][j] for i, j in zip(D, columns, strict=True)])
    return total


def largest_minor(A):
    """The rank as the size of the largest minor of A that is not 0."""
    for size in range(min(A.shape), 0, -1):
        for rows in itertools.combinations(range(A.shape[0]), size):
            for columns in itertools.combinations(range(A.shape[1]), size):
                if determinant(A[np.ix_(rows, columns)]) != 0:
                    return size
    return 0


def singular_values(A):
    """The rank as the number of singular values that are not 0. A gap must separate them from the others."""
    values = np.linalg.svd(np.array(A, dtype=float), compute_uv=False)
    found = int(np.sum(values > 1e-6 * values[0]))
    assert np.all(values[found:] <= 1e-13 * values[0])
    return found


def outputs(net, weights, x):
    a = list(x)
    for W, f in zip(weights, (*net.transfers, "identity"), strict=True):
        h = [sum(w * v for w, v in zip(row, [*a, 1], strict=True)) for row in W]
        left = {"identity": 1, "relu": 0, "leaky_relu": Fraction(1, 10)}[f]
        a = [v if v > 0 else left * v for v in h]
    return np.array(h)


def jacobian(net, x):
    """dh_L/dtheta by difference quotients, which are exact since no unit crosses its kink within the step."""
    step, columns = Fraction(1, 10**6), []
    for l, W in enumerate(net.weights):
        for b, a in itertools.product(*map(range, W.shape[::-1])):
            ahead, back = ([V.copy() for V in net.weights] for _ in range(2))
            ahead[l][a, b] += step
            back[l][a, b] -= step
            columns.append((outputs(net, ahead, x) - outputs(net, back, x)) / (2 * step))
    return np.stack(columns, axis=1)


# Of four units, 4, 3, 2, 0 and 0 are live at the five inputs.
HIDDEN = [[1, 1, 1], [2, -1, 0], [-1, 2, 0], [1, 0, 0]]
X = exactly([[3, 2], [1, -1], [-1, 3], [-1, -1], [-2, -3]])
ALIVE = (4, 3, 2, 0, 0)
THREE = [[1, -1, 2, 1, 0], [2, 1, 0, -1, 1], [-1, 3, 1, 2, -2]]  # three outputs
ONE = [[2, 1, -3, 1, -1]]  # one output
Y = exactly([[1, 0, -2], [0, 2, 1], [5, 1, 0], [-3, 1, 2], [1, 1, 4]])
OF_RANK = {
    0: [[0, 0, 0], [0, 0, 0], [0, 0, 0]],
    1: [[1, 2, -1], [2, 4, -2], [-1, -2, 1]],
    2: [[0, 0, 0], [0, 2, 1], [0, 1, 2]],
    3: [[2, 1, 0], [1, 2, 1], [0, 1, 2]],
}
INDEFINITE = [[0, 1, 1], [1, 0, 1], [1, 1, 0]]
entries = st.integers(-2, 2)


def matrices(rows, columns):
    return st.lists(st.lists(entries, min_size=columns, max_size=columns), min_size=rows, max_size=rows).map(exactly)


@pytest.mark.parametrize("rank", OF_RANK)
@pytest.mark.parametrize("f", PIECEWISE_LINEAR)
def test_equation_63(f, rank):
    """The bound is always attained, even if every unit is dead, since the biases of W_L make J onto.

    The block of W_1 has no such biases, and its rank is smaller if fewer units are live than the rank of H_L.
    """
    net, H_L = network(HIDDEN, THREE, transfers=(f,))._replace(objective="other"), exactly(OF_RANK[rank])
    with output_hessian(lambda h, y: H_L):
        for x, y, alive in zip(X, Y, ALIVE, strict=True):
            J = jacobian(net, x)
            assert ref.sample_ranks(net, x, y) == (singular_values(J.T @ H_L @ J) if rank else 0, largest_minor(H_L))
            assert ref.sample_ranks(net, x, y) == (rank, rank)
            block = ref.rank(ref.sample_gauss_newton_blocks(net, x, y)[1])
            assert block == (min(rank, alive) if f == "relu" else rank)


@settings(deadline=None)
@given(
    matrices(3, 3).map(lambda A: A + A.T),
    matrices(2, 3),
    matrices(3, 3),
    matrices(1, 2),
    st.sampled_from(PIECEWISE_LINEAR),
)
@example(exactly(INDEFINITE), exactly([[1, 0, 0], [0, 1, 0]]), exactly([[0] * 3] * 3), exactly([[1, 1]]), "relu")
def test_equation_63_of_any_network(H_L, below, above, x, f):
    """The bound is attained for any symmetric H_L, since the columns of J for the last biases are the unit matrix."""
    net = ref.Network((below, above), (f,), "other", "raise")
    with output_hessian(lambda h, y: H_L):
        assert ref.sample_ranks(net, x[0], None) == (largest_minor(H_L),) * 2


@pytest.mark.parametrize(
    ("which", "last", "f", "found", "bound"),
    [
        ([0], THREE, "relu", 3, 3),
        ([0, 1], THREE, "relu", 6, 6),  # the bound is attained
        ([0, 1, 2], THREE, "leaky_relu", 9, 9),
        ([0, 1], THREE, "identity", 6, 6),
        ([0, 0], THREE, "relu", 3, 6),  # equal inputs
        ([3, 4], THREE, "relu", 3, 6),  # every unit is dead, so these inputs give equal J
        ([3, 4], THREE, "leaky_relu", 6, 6),
        ([0, 3, 4], THREE, "relu", 6, 9),
        ([0, 1, 2, 3, 4], ONE, "relu", 4, 5),
        ([0, 1, 2, 3, 4], ONE, "identity", 3, 5),
        ([0, 1, 2], ONE, "relu", 3, 3),
    ],
)
def test_equation_64(which, last, f, found, bound):
    """The bound N rank(H_L), and the rank of the mean as the rank of the stacked J_n, for H_L = I."""
    net, D_L = network(HIDDEN, last, transfers=(f,)), len(last)
    assert singular_values(np.concatenate([jacobian(net, x) for x in X[which]])) == found
    assert ref.mean_ranks(net, X[which], Y[which, :D_L]) == (found, bound)


def test_equation_64_where_parameters_are_few():
    """In one layer J_n = (x_n, 1)^T kron I, and only three of the five vectors (x_n, 1) are independent."""
    assert ref.mean_ranks(network([[1, 2, 0], [0, 1, 1], [1, 1, 1]]), X, Y) == (9, 15)
    assert ref.mean_ranks(network([[1, 2, 0], [0, 1, 1], [1, 1, 1]]), X[:3], Y[:3]) == (9, 9)


def test_equation_64_where_ranks_differ():
    """The bound is the sum of N ranks, here of H_L = diag(y_i max(h_i, 0)) for E = sum_i y_i max(h_i, 0)^3 / 6."""
    net = network([[1, 0, 0], [0, 1, 0], [1, 1, 1]])._replace(objective="other")
    X = exactly([[1, 2], [1, -1], [-2, 4], [-3, -3]])  # h_L: (1, 2, 4), (1, -1, 1), (-2, 4, 3), (-3, -3, -5)
    Y = exactly([[1, 1, 1], [1, 5, 0], [7, 1, 1], [1, 1, 1]])
    with output_hessian(lambda h, y: np.diag(y * [max(v, Fraction(0)) for v in h])):
        assert [ref.sample_ranks(net, x, y) for x, y in zip(X, Y, strict=True)] == [(3, 3), (1, 1), (2, 2), (0, 0)]
        assert ref.mean_ranks(net, X, Y) == (6, 6)
        assert ref.mean_ranks(net, X[[3, 1]], Y[[3, 1]]) == (1, 1)
        assert ref.mean_ranks(net, X[[0, 0, 3]], Y[[0, 0, 3]]) == (3, 6)
        assert ref.mean_ranks(net, X[[0, 0]], exactly([[1, 0, 0], [0, 2, 3]])) == (3, 3)


@settings(deadline=None)
@given(matrices(2, 3), matrices(2, 3), matrices(3, 2), st.sampled_from(PIECEWISE_LINEAR))
def test_equation_64_is_a_bound(below, above, x, f):
    net = ref.Network((below, above), (f,), "squared_error", "raise")
    for N in (1, 2, 3):
        found, bound = ref.mean_ranks(net, x[:N], exactly(np.zeros((N, 2), dtype=int)))
        assert 2 <= found <= bound == 2 * N


# The bounds for the matrices of each method, with N = 2


def leaky(last):
    """A network and a batch with different live units at the two inputs."""
    return network(HIDDEN, last, transfers=("leaky_relu",)), X[[1, 2]], Y[[1, 2], : len(last)]


def test_the_factor_of_kflr():
    """The factor of KFLR attains the bound N rank(H_L)."""
    net, X, Y = leaky(ONE)
    assert singular_values(ref.kflr(net, X, Y)[1]) == ref.rank(ref.kflr(net, X, Y)[1]) == 2
    net, X, Y = leaky(THREE)
    assert [singular_values(ref.kflr(net, X[:n], Y[:n])[1]) for n in (1, 2)] == [3, 4]  # the factor has four rows


def test_the_factor_of_kfac():
    """The factor of KFAC has rank N S, and so has the unfactored matrix of the same gradients. KFLR has full rank."""
    net, X, _ = leaky(THREE)
    labels = Y[:4].reshape(2, 2, 3)
    for N, S in ((1, 1), (1, 2), (2, 1), (2, 2)):
        G = ref.kfac(net, X[:N], labels[:N, :S])
        assert singular_values(G[1]) == ref.rank(G[1]) == N * S
        assert singular_values(G[2]) == min(N * S, 3)
        gradients = [ref.theta(ref.sample_gradient(net, X[n], labels[n, s])) for n in range(N) for s in range(S)]
        assert singular_values(sum(np.outer(g, g) for g in gradients)) == N * S
    assert singular_values(ref.kfac(net, X[:1], np.repeat(labels[:1, :1], 5, axis=1))[1]) == 1


def test_the_kronecker_product_has_a_greater_rank():
    """The rank of Q kron G is the product of two ranks N, and so above the bound."""
    net, X, Y = leaky(ONE)
    _, bound = ref.mean_ranks(net, X, Y)
    assert bound == 2
    assert singular_values(ref.gauss_newton_blocks(net, X, Y)[1]) == bound
    Q, G = ref.expected_q(net, X), ref.kflr(net, X, Y)
    assert (singular_values(Q[1]), singular_values(G[1])) == (2, 2)
    assert singular_values(ref.factored_blocks(Q, G)[1]) == 4


def test_the_factor_of_kfra_has_a_greater_rank():
    """The elementwise product with a mean of rank N multiplies the rank at each layer of the recursion of KFRA."""
    net, X, Y = leaky([[1, -2, 0, 1, 1], [-1, 1, 1, 2, -1], [0, 1, -1, 1, 2], [3, -1, 1, 0, 0]])
    net = net._replace(weights=(*net.weights, exactly(ONE)), transfers=("leaky_relu", "leaky_relu"))
    Y = Y[:, :1]
    G, exact = ref.kfra(net, X, Y), ref.kflr(net, X, Y)
    assert ref.mean_ranks(net, X, Y)[1] == 2
    assert [singular_values(exact[l]) for l in (1, 2, 3)] == [2, 2, 1]
    assert [singular_values(G[l]) for l in (1, 2, 3)] == [4, 2, 1]


# Section 2.2.3: dead units


@pytest.mark.parametrize(("last", "D_L"), [(THREE, 3), (ONE, 1)])
def test_ranks_of_preactivation_hessians(last, D_L):
    """rank H_l <= min(rank H_{l+1}, the number of units with f' != 0)."""
    net = network(HIDDEN, last, transfers=("relu",))
    for x, y, alive in zip(X, Y[:, :D_L], ALIVE, strict=True):
        assert ref.rank(ref.sample_preactivation_hessians(net, x, y)[1]) == min(D_L, alive)


def test_one_dead_unit_of_ten():
    """Section 2.2.3 says that f' = 0 lowers the rank. It need not: nine live units are enough for the rank of H_L."""
    rng = np.random.default_rng(1)
    net = network([[1, k - 1] for k in range(10)], rng.integers(-3, 4, size=(3, 11)), transfers=("relu",))
    x, y = exactly([Fraction(1, 2)]), exactly([1, 2, 3])
    assert sum(ref.forward(net, x)[1][1] < 0) == 1
    assert singular_values(ref.sample_preactivation_hessians(net, x, y)[1]) == 3
    assert ref.rank(ref.sample_preactivation_hessians(net, x, y)[1]) == 3


@settings(deadline=None)
@given(matrices(3, 4))
@example(exactly([[0, 0, 0], [0, 1, 2], [0, 2, 4]]))
@example(exactly([[0, 1], [1, 0]]))
def test_rank(A):
    assert ref.rank(A) == ref.rank(A.T) == largest_minor(A)
