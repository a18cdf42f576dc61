"""KFAC (59): its mean over the labels of the model is KFLR, except for the mixture (27). Drawn labels, and errors.

The mixture is an exception since its Fisher and Gauss-Newton matrices differ.
"""

import itertools

import numpy as np
import pytest
from kfgn_reference import (
    OBJECTIVES,
    Network,
    draw_labels,
    forward,
    kfac,
    kflr,
    sample_preactivation_gauss_newton,
)

CHAINS = ((), ("tanh",), ("softplus", "logistic"))
ALMOST_1 = np.nextafter(1.0, 0.0)


def all_labels(objective, h):
    """All labels y with p(y | h) by its definition."""
    if objective == "categorical":
        return [(y, np.exp(h[y]) / np.exp(h).sum()) for y in range(len(h))]
    p = 1 / (1 + np.exp(-h))
    if objective == "mixture":
        one = p[0] * p[1] + (1 - p[0]) * p[2]
        return [(0, 1 - one), (1, one)]
    vectors = map(np.array, itertools.product([0.0, 1.0], repeat=len(h)))
    return [(y, np.prod(np.where(y == 1, p, 1 - p))) for y in vectors]


def over_labels(net, X):
    """The mean over the inputs and over all labels of each."""
    total = dict.fromkeys(range(1, net.L + 1), 0)
    for x in X:
        labels = all_labels(net.objective, forward(net, x)[1][net.L])
        assert np.isclose(sum(p for _, p in labels), 1, rtol=1e-14)
        for y, p in labels:
            G = kfac(net, x[None], [[y]])
            total = {l: total[l] + p * G[l] / len(X) for l in G}
    return total


@pytest.mark.parametrize("transfers", CHAINS)
@pytest.mark.parametrize("objective", ["bernoulli", "categorical"])
def test_all_labels_weighted_by_their_probability(objective, transfers, make_problem, relative_error):
    net, X, Y = make_problem(objective, transfers)
    assert relative_error(over_labels(net, X), kflr(net, X, Y)) < 1e-12


@pytest.mark.parametrize("psd", ["project", "scalar"])
@pytest.mark.parametrize("transfers", CHAINS)
def test_the_fisher_matrix_of_the_mixture_is_another(transfers, psd, make_problem, relative_error):
    """The Fisher factor of one datapoint has rank 1. With "scalar", KFLR is the empirical Fisher."""
    net, X, Y = make_problem("mixture", transfers, psd=psd)
    exact = kflr(net, X, Y)
    fisher = over_labels(net, X)
    assert all(relative_error(fisher[l], exact[l]) > 0.1 for l in exact)
    one = over_labels(net, X[:1])[net.L]
    assert np.sum(np.linalg.eigvalsh(one) > 1e-12 * np.max(one)) == 1
    if psd == "scalar":
        assert relative_error(kfac(net, X, Y[:, None]), exact) < 1e-13


@pytest.mark.parametrize("transfers", CHAINS)
def test_squared_error_with_draws_of_unit_covariance(transfers, make_problem, relative_error):
    """D draws sqrt(D) e_i have the second moment of a normal, and (59) needs no more, so S = D labels are exact."""
    net, X, Y = make_problem("squared_error", transfers)
    D = Y.shape[1]
    draws = np.broadcast_to(np.sqrt(D) * np.eye(D), (len(X), D, D))
    assert relative_error(kfac(net, X, draw_labels(net, X, draws)), kflr(net, X, Y)) < 1e-12


def deviations(objective, net, x, y):
    """The standard deviation of each entry of dE/dh_l dE/dh_l^T for labels drawn at x, by layer."""
    if objective == "squared_error":  # dE/dh_l is normal with covariance G: fourth moments by the theorem of Isserlis
        G = sample_preactivation_gauss_newton(net, x, y)
        return {l: np.sqrt(np.outer(np.diag(G[l]), np.diag(G[l])) + G[l] ** 2) for l in G}
    labels = [(kfac(net, x[None], [[y]]), p) for y, p in all_labels(objective, forward(net, x)[1][net.L])]
    mean = {l: sum(p * G[l] for G, p in labels) for l in range(1, net.L + 1)}
    return {l: np.sqrt(sum(p * (G[l] - mean[l]) ** 2 for G, p in labels)) for l in mean}


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_sampled_labels_converge(objective, make_problem):
    """Every entry is within 7 standard deviations of KFLR, or of the mean over all labels for the mixture.

    The N S terms are independent. If their mean is normal, an entry is outside with probability 2.6e-12, and one of
    the 4 x 29 entries tested here with a probability below 3e-10. The seed is fixed.
    """
    net, X, Y = make_problem(objective, ("softplus", "tanh"))
    S, N, D = 1000, len(X), len(net.weights[-1])
    rng = np.random.default_rng(20170614)
    shape = (N, S) if objective in ("categorical", "mixture") else (N, S, D)
    draws = rng.normal(size=shape) if objective == "squared_error" else rng.uniform(size=shape)
    G = kfac(net, X, draw_labels(net, X, draws))
    exact = over_labels(net, X) if objective == "mixture" else kflr(net, X, Y)
    each = [deviations(objective, net, x, y) for x, y in zip(X, Y, strict=True)]
    for l in exact:
        deviation = np.sqrt(sum(d[l] ** 2 for d in each) / S) / N
        assert np.all(np.abs(G[l] - exact[l]) < 7 * deviation + 1e-12)
        assert np.max(deviation) < 0.05 * np.max(np.abs(exact[l]))  # so 7 of them distinguish 1 from 3/2


def outputs(h, objective):
    """A network with one input unit and these h_L for every input."""
    return Network((np.array([[0.0, value] for value in h]),), (), objective)


@pytest.mark.parametrize(
    ("h", "u", "label"),
    [
        ([0, 0, 0], [0.0, 0.25, 0.75], [1, 1, 0]),
        ([0, 0, 0], [np.nextafter(0.5, 0), 0.5, np.nextafter(0.5, 1)], [1, 0, 0]),
        ([800, -800, 800], [0.0, 0.0, ALMOST_1], [1, 0, 1]),
        ([np.log(3), -np.log(3), 0], [0.7, 0.3, 0.4], [1, 0, 1]),
    ],
)
def test_bernoulli_draws(h, u, label):
    """y_i = 1 if u_i < p_i, else 0."""
    drawn = draw_labels(outputs(h, "bernoulli"), np.ones((1, 1)), np.array([[u]]))
    assert [[y.tolist() for y in row] for row in drawn] == [[label]]


@pytest.mark.parametrize(
    ("h", "u", "label"),
    [
        *[([0, 0, 0, 0], u, y) for u, y in [(0.0, 0), (0.25, 1), (0.5, 2), (0.75, 3), (ALMOST_1, 3)]],
        *[([0, 0, 0, 0], np.nextafter(edge, 0), y) for edge, y in [(0.25, 0), (0.5, 1), (0.75, 2)]],
        *[([0, np.log(2), np.log(5)], u, y) for u, y in [(0.12, 0), (0.13, 1), (0.37, 1), (0.38, 2)]],
        *[([800, 0, -800], u, 0) for u in (0.0, 0.5, ALMOST_1)],
        *[([-800, 0, 800], u, 2) for u in (0.0, 0.5, ALMOST_1)],
        ([0] * 10, ALMOST_1, 9),  # ten times 1/10 sums to ALMOST_1, which is not above u
    ],
)
def test_categorical_draws(h, u, label):
    """The first class whose cumulative probability exceeds u."""
    drawn = draw_labels(outputs(h, "categorical"), np.ones((1, 1)), np.array([[u]]))
    assert drawn == [[label]]


def test_draws_belong_to_their_datapoint():
    """The labels are N lists of S labels, with y = h + z for the squared error."""
    net = Network((np.array([[1.0, 0.5], [-2.0, 0.0]]),), (), "squared_error")
    draws = np.arange(12.0).reshape(2, 3, 2)
    drawn = draw_labels(net, np.array([[1.0], [10.0]]), draws)
    assert [len(row) for row in drawn] == [3, 3]
    expected = np.array([1.5, -2.0]) + draws[0], np.array([10.5, -20.0]) + draws[1]
    assert np.array_equal(drawn, expected)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_labels_of_the_data_give_another_matrix(objective, make_problem, relative_error):
    """The labels of the data give the empirical Fisher, which is not KFLR."""
    net, X, Y = make_problem(objective, ("softplus", "tanh"))
    fisher, exact = kfac(net, X, [[y] for y in Y]), kflr(net, X, Y)
    assert all(relative_error(fisher[l], exact[l]) > 0.1 for l in exact)
