"""Random projections: their mean over a design is KFLR, one projection equals loops, and wrong shapes are errors."""

import itertools
from fractions import Fraction

import kfgn_reference as ref
import numpy as np
import pytest

CASES = [
    ("squared_error", "project", 3),
    ("bernoulli", "project", 3),
    ("categorical", "project", 3),
    ("mixture", "project", 3),
    ("mixture", "scalar", 1),
]


def designs(K):
    """Three sets of S vectors whose mean of z z^T is I: sqrt(K) e_k, all vectors of signs, and half of these."""
    signs = np.array(list(itertools.product((-1.0, 1.0), repeat=K)))
    return np.sqrt(K) * np.eye(K), signs, signs[: len(signs) // 2]  # z and -z have the same z z^T


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0]}-{case[1]}")
def case(request, make_problem):
    """A problem of three layers, N = 4, and the K of its root. The labels of the mixture are 0 and 1."""
    objective, psd, K = request.param
    if objective == "mixture":
        problem = make_problem("categorical", ("tanh", "softplus"), N=4)
        return (problem.net._replace(objective=objective, psd=psd), problem.X, np.array([0, 1, 1, 0])), K
    return make_problem(objective, ("tanh", "softplus"), N=4), K


def test_the_mean_over_a_design_is_kflr(case, relative_error):
    problem, K = case
    exact = ref.kflr(*problem)
    for design in designs(K):
        projections = np.array([design] * 4)
        assert relative_error(ref.rp(*problem, projections), exact) < 1e-13
    # each datapoint may have a different design, in a different order
    rng = np.random.default_rng(1)
    turned = [np.linalg.qr(rng.normal(size=(K, K)))[0] * np.sqrt(K) for _ in range(4)]
    assert relative_error(ref.rp(*problem, np.array(turned)), exact) < 1e-13


def test_one_projection_is_not_kflr(case, relative_error):
    """A single z does not give KFLR, except up to its length for a root with one column."""
    problem, K = case
    for z in (np.ones((4, 1, K)) * 1.1, np.random.default_rng(2).normal(size=(4, 3, K))):
        assert relative_error(ref.rp(*problem, z), ref.kflr(*problem)) > 1e-2


def test_loops(case, relative_error):
    """1/(N S) sum_n sum_s sum_jk C_ij z_j C_mk z_k, with different projections at every n and s."""
    (net, X, Y), K = case
    N, S = 4, 2
    z = np.random.default_rng(3).normal(size=(N, S, K))
    roots = [ref.sample_roots(net, x, y) for x, y in zip(X, Y, strict=True)]
    ours = ref.rp(net, X, Y, z)
    assert ours.keys() == {1, 2, 3}
    for l, G in ours.items():
        truth = np.zeros(G.shape)
        for n, s, i, m, j, k in itertools.product(range(N), range(S), range(len(G)), range(len(G)), range(K), range(K)):
            truth[i, m] += roots[n][l][i, j] * z[n, s, j] * roots[n][l][m, k] * z[n, s, k] / (N * S)
        assert relative_error(G, truth) < 1e-13
        assert np.linalg.matrix_rank(G) <= min(N * S, len(G))


def test_signs_do_not_matter_and_lengths_do(case, relative_error):
    problem, K = case
    z = np.random.default_rng(4).normal(size=(4, 3, K))
    ours = ref.rp(*problem, z)
    signs = np.array([1, -1, 1])[:, None]
    assert relative_error(ref.rp(*problem, z * signs), ours) < 1e-14
    assert relative_error(ref.rp(*problem, 3 * z), {l: 9 * ours[l] for l in ours}) < 1e-13
    assert relative_error(ref.rp(*problem, z[:, ::-1]), ours) < 1e-14  # the order of s does not matter either


def test_one_datapoint(case, relative_error):
    (net, X, Y), K = case
    one = net, X[1:2], Y[1:2]
    assert relative_error(ref.rp(*one, np.sqrt(K) * np.eye(K)[None]), ref.kflr(*one)) < 1e-13


def rational(rng, *shape):
    return np.frompyfunc(lambda k: Fraction(int(k), 7), 1, 1)(rng.integers(-9, 10, size=shape))


def test_exact_arithmetic():
    """For squared error with four outputs, signs, a Hadamard matrix and 2 e_k give KFLR exactly in rationals."""
    rng = np.random.default_rng(5)
    net = ref.Network((rational(rng, 2, 4), rational(rng, 4, 3)), ("leaky_relu",), "squared_error")
    X, Y = rational(rng, 3, 3), rational(rng, 3, 4)
    exact = ref.kflr(net, X, Y)
    two = np.array([[1, 1], [1, -1]])
    all_signs = list(itertools.product((-1, 1), repeat=4))
    for design in (np.kron(two, two), 2 * np.eye(4, dtype=int), all_signs):
        ours = ref.rp(net, X, Y, np.array([design] * 3))
        assert {type(value) for l in ours for value in ours[l].flat} == {Fraction}
        assert all(np.array_equal(ours[l], exact[l]) for l in exact)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda N, K: (N, K),
        lambda N, K: (N, 2, K, 1),
        lambda N, K: (N + 1, 2, K),
        lambda N, K: (N - 1, 2, K),
        lambda N, K: (1, 2, K),
        lambda N, K: (N, 2, K + 1),
        lambda N, K: (N, 2, K - 1),
        lambda N, K: (K, 2, N),
        lambda N, K: (N, 0, K),
        lambda N, K: (),
    ],
)
def test_wrong_shapes(case, wrong):
    problem, K = case
    shape = wrong(4, K)
    with pytest.raises(ValueError, match=r"^projections: expected shape \(4, S, \d\) with S of at least 1, got"):
        ref.rp(*problem, np.ones(shape))


def test_the_message_names_both_shapes(case):
    problem, K = case
    expected = rf"^projections: expected shape \(4, S, {K}\) with S of at least 1, got \(4, 5, 9\)$"
    with pytest.raises(ValueError, match=expected):
        ref.rp(*problem, np.ones((4, 5, 9)))


def test_other_errors(case):
    """The errors of every function of a batch, and that of an objective without a root."""
    (net, X, Y), K = case
    with pytest.raises(ValueError, match="X: expected shape"):
        ref.rp(net, X[:, 1:], Y, np.ones((4, 1, K)))
    with pytest.raises(ValueError, match="Y: expected shape"):
        ref.rp(net, X, Y[1:], np.ones((4, 1, K)))
    if net.objective == "mixture":
        with pytest.raises(ValueError, match="indefinite"):
            ref.rp(net._replace(psd="raise"), X, Y, np.ones((4, 1, K)))
