"""Appendix D.3, equations (55)-(62): the Fisher approximation to E[script G_l], and KFAC."""

import itertools

import kfgn_reference as ref
import numpy as np
import pytest

from .appendix_d import APART, CASES, NATURAL, TINY, Case, Exact, blocks, one_input


@pytest.fixture(scope="module", params=CASES, ids=lambda p: "-".join([p[0], *p[1], p[2]]))
def case(request, make_problem, autodiff):
    return Case(autodiff, make_problem(*request.param, N=2))


@pytest.fixture(scope="module")
def exact(make_rational_problem, difference_quotient):
    return Exact(one_input(make_rational_problem(("leaky_relu",), N=2)), difference_quotient)


def assert_exactly(ours, truth):
    """Assert equality of rationals, layer by layer or block by block."""
    assert ours.keys() == truth.keys()
    for key in truth:
        assert ours[key].shape == truth[key].shape
        assert ours[key].tolist() == truth[key].tolist()


def gauss_newton_factors(case, autodiff):
    """E[J_l^T script H_L J_l] of each layer, at the labels of the problem."""
    net, pairs = case.net, list(zip(case.datapoints, case.problem.Y, strict=True))
    G_L = [autodiff.output_gauss_newton(net, d.h[net.L], y) for d, y in pairs]
    return {
        l: np.einsum("nia,nij,njb->ab", [d.J_l[l] for d, _ in pairs], G_L, [d.J_l[l] for d, _ in pairs]) / len(pairs)
        for l in case.problem.layers
    }


def fisher_factors(case):
    """E[grad log p grad log p^T] of each layer, with gradients in h_l by autodiff."""
    return case.means(lambda d, l: d.over_labels(d.scores_l[l], d.scores_l[l]))


def test_equation_55(case, autodiff, relative_error):
    """(55) equals (56)-(59) at every layer for natural parameters, and at no layer for the mixture."""
    ours, truth = ref.mean_from_jacobians(*case.problem), gauss_newton_factors(case, autodiff)
    assert relative_error(ours, truth) < TINY
    for l, F in fisher_factors(case).items():
        if case.natural:
            assert relative_error(ours[l], F) < TINY
        else:
            assert relative_error(ours[l], F) > APART


def test_equation_55_is_the_left_side(case, relative_error):
    """(55) is E[script G_l] by the recursion (22) and by KFLR."""
    ours = ref.mean_from_jacobians(*case.problem)
    samples = [ref.sample_preactivation_gauss_newton(case.net, x, y) for x, y in case.problem.pairs]
    assert relative_error(ours, {l: sum(G[l] for G in samples) / len(samples) for l in ours}) < TINY
    assert relative_error(ours, ref.kflr(*case.problem)) < TINY


def test_equation_56(case, relative_error):
    """The inner mean over labels is taken first."""
    net, X, _ = case.problem

    def sample(d, l):
        F_L = d.over_labels(d.scores_l[net.L], d.scores_l[net.L])
        return np.einsum("ia,ij,jb->ab", d.J_l[l], F_L, d.J_l[l])

    ours = ref.mean_from_expected_fisher(net, X)
    assert relative_error(ours, case.means(sample)) < TINY
    assert relative_error(ours, fisher_factors(case)) < TINY


def test_equation_57(case, relative_error):
    """One mean over x and y, with the joint probability p(y) / N."""
    net, X, _ = case.problem

    def sample(d, l):
        each = [d.J_l[l].T @ np.outer(g, g) @ d.J_l[l] for g in d.scores_l[net.L]]
        return sum(p * F for p, F in zip(d.p, each, strict=True))

    ours = ref.mean_from_fisher(net, X)
    assert relative_error(ours, case.means(sample)) < TINY
    assert relative_error(ours, fisher_factors(case)) < TINY


def test_equation_58(case, relative_error):
    net, X, _ = case.problem

    def sample(d, l):
        scores = np.einsum("ia,ki->ka", d.J_l[l], d.scores_l[net.L])
        return d.over_labels(scores, scores)

    ours = ref.mean_from_output_gradients(net, X)
    assert relative_error(ours, case.means(sample)) < TINY
    assert relative_error(ours, fisher_factors(case)) < TINY


def test_equation_59(case, relative_error):
    """The exact mean over labels, and `kfac` at given labels (N, S), which is the mean of N S outer products."""
    net, X, _ = case.problem
    ours = ref.mean_from_gradients(net, X)
    assert relative_error(ours, fisher_factors(case)) < TINY

    S, rng = 5, np.random.default_rng(7)
    drawn = [rng.choice(len(d.Y), size=S, p=d.p) for d in case.datapoints]
    labels = [[d.Y[k] for k in ks] for d, ks in zip(case.datapoints, drawn, strict=True)]
    truth = {
        l: sum(
            np.outer(d.scores_l[l][k], d.scores_l[l][k])
            for d, ks in zip(case.datapoints, drawn, strict=True)
            for k in ks
        )
        / (S * len(X))
        for l in case.problem.layers
    }
    sampled = ref.kfac(net, X, labels)
    assert relative_error(sampled, truth) < TINY
    assert relative_error(sampled, ours) > APART
    one = ref.kfac(net, X, [[row[0]] for row in labels])
    assert relative_error(ref.kfac(net, X, [[row[0]] * 9 for row in labels]), one) < TINY


# h_L, and S labels in which each label occurs S times its probability
WHOLE = {
    "squared_error": ((0.5, -2.0, 1.0), [*(2 * np.eye(3)), *(-2 * np.eye(3)), np.zeros(3), np.zeros(3)]),  # y - h_L
    "bernoulli": (
        (np.log(3), 0.0, -np.log(3)),  # p = 3/4, 1/2, 1/4
        list(itertools.product((0.0, 1.0, 1.0, 1.0), (0.0, 1.0), (0.0, 0.0, 0.0, 1.0))),
    ),
    "categorical": ((0.0, np.log(2), np.log(5)), [0, 1, 1, 2, 2, 2, 2, 2]),
    "mixture": ((np.log(3), np.log(3), -np.log(3)), [1, 1, 1, 1, 1, 0, 0, 0]),  # 3/4 3/4 + 1/4 1/4 = 5/8
}


@pytest.mark.parametrize("objective", WHOLE)
def test_equation_59_with_all_labels_by_their_multiplicity(objective, make_problem, relative_error):
    """KFAC is exact for these labels. The last layer is chosen so that W_L (a_n, 1) = h_L for each of the N inputs."""
    problem = make_problem(objective, ("tanh",))
    h, labels = WHOLE[objective]
    A = np.array([np.append(ref.forward(problem.net, x)[0][1], 1) for x in problem.X])
    across = np.eye(A.shape[1]) - np.linalg.pinv(A) @ A  # the projection onto the complement of all (a_n, 1)
    W = np.random.default_rng(2).normal(size=(3, len(across))) @ across + np.outer(h, np.eye(len(across))[-1])
    net = problem.net._replace(weights=(problem.net.weights[0], W))
    labels = np.array(labels) + (np.array(h) if objective == "squared_error" else 0)
    ours = ref.kfac(net, problem.X, [list(labels)] * len(problem.X))
    truth = ref.mean_from_gradients(net, problem.X)
    assert relative_error(ours, truth) < TINY
    if objective in NATURAL:
        assert relative_error(ours, ref.kflr(net, problem.X, problem.Y)) < TINY


def test_equations_55_to_59_between_rationals(exact):
    """All five are J_l^T J_l, and so is KFAC with eight labels of mean h_L and covariance I."""
    net, X, Y = exact.problem
    truth = exact.factors
    assert_exactly(ref.mean_from_jacobians(net, X, Y), truth)
    assert_exactly(ref.mean_from_expected_fisher(net, X), truth)
    assert_exactly(ref.mean_from_fisher(net, X), truth)
    assert_exactly(ref.mean_from_output_gradients(net, X), truth)
    assert_exactly(ref.mean_from_gradients(net, X), truth)
    moves = np.array([[2, 0], [-2, 0], [0, 2], [0, -2], *[[0, 0]] * 4])
    labels = [[ref.forward(net, x)[1][net.L] + move for move in moves] for x in X]
    assert_exactly(ref.kfac(net, X, labels), truth)


def assert_fisher_blocks(ours, case, relative_error):
    """The blocks between all pairs of layers, with vec(W_l) in the rows and vec(W_m) in the columns."""
    truth = blocks(case.net, case.fisher)
    assert relative_error(ours, truth) < TINY
    for l, m in truth:
        assert ours[l, m].shape == (case.net.weights[l - 1].size, case.net.weights[m - 1].size)
    assert relative_error(ours[1, 2], ours[2, 1].T) < TINY


def test_equation_60(case, relative_error):
    assert_fisher_blocks(ref.fisher_from_weight_gradients(case.net, case.problem.X), case, relative_error)


def test_equation_61(case, relative_error):
    assert_fisher_blocks(ref.fisher_from_kronecker_vectors(case.net, case.problem.X), case, relative_error)


def test_equation_62(case, relative_error):
    assert_fisher_blocks(ref.fisher_from_kronecker_products(case.net, case.problem.X), case, relative_error)


def test_equations_60_to_62_between_rationals(exact):
    """All three are equal to the blocks of J^T J, and so to (16)."""
    net, X, Y = exact.problem
    truth = blocks(net, exact.fisher)
    assert_exactly(ref.fisher_from_weight_gradients(net, X), truth)
    assert_exactly(ref.fisher_from_kronecker_vectors(net, X), truth)
    assert_exactly(ref.fisher_from_kronecker_products(net, X), truth)
    assert_exactly(ref.factored_between(net, X, Y), truth)
