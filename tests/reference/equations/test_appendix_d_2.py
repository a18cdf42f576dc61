"""Appendix D.2, equations (50)-(54): the Gauss-Newton and the Fisher matrix, and exponential families."""

import itertools
from fractions import Fraction

import kfgn_reference as ref
import numpy as np
import pytest

from .appendix_d import APART, CASES, NATURAL, TINY, Case, all_labels, log_p

torch = pytest.importorskip("torch")


func = torch.func


@pytest.fixture(scope="module", params=CASES, ids=lambda p: "-".join([p[0], *p[1], p[2]]))
def case(request, make_problem, autodiff):
    return Case(autodiff, make_problem(*request.param, N=2))


OUTPUTS = ((0.3, -1.2, 0.7), (0.0, 0.0, 0.0), (-4.0, 3.0, 5.0))  # values of h_L


def test_equation_50(case, autodiff, relative_error):
    """The inner mean is over p(y | x): the first input has three labels here, and the second has one.

    For natural parameters (50) is the Fisher matrix, for any labels.
    """
    net, X, _ = case.problem
    rng = np.random.default_rng(3)
    Y = {
        "squared_error": rng.normal(size=(4, 3)),
        "bernoulli": rng.uniform(size=(4, 3)),
        "categorical": np.array([0, 2, 1, 0]),
        "mixture": np.array([1, 1, 0, 1]),
    }[net.objective]
    which = [0, 1, 0, 0]

    def inner(n):
        h = case.datapoints[n].h[net.L]
        G_L = [autodiff.output_gauss_newton(net, h, y) for y, i in zip(Y, which, strict=True) if i == n]
        return sum(G_L) / len(G_L)

    truth = sum(
        p_x * d.J.T @ inner(n) @ d.J for n, (d, p_x) in enumerate(zip(case.datapoints, (3 / 4, 1 / 4), strict=True))
    )
    ours = ref.gauss_newton(net, X[which], Y)
    assert relative_error(ours, truth) < TINY
    fisher = 3 / 4 * case.fishers[0] + 1 / 4 * case.fishers[1]
    if case.natural:
        assert relative_error(ours, fisher) < TINY
    else:
        assert relative_error(ours, fisher) > APART


def test_equation_51(case, autodiff, relative_error):
    """The last line, with E[script H_L] of the true H_L, equals the middle line, also for the mixture.

    For the mixture it is not (50), for any replacement of H_L.
    """
    net, X, Y = case.problem

    def inner(d):
        return -autodiff.hessian(d.mean_log_p, d.h[net.L])

    for d in case.datapoints:
        assert relative_error(inner(d), d.over_labels(d.scores_l[net.L], d.scores_l[net.L])) < TINY
    ours = ref.fisher_from_output_hessians(net, X)
    assert relative_error(ours, case.mean(lambda d: d.J.T @ inner(d) @ d.J)) < TINY
    assert relative_error(ours, case.fisher) < TINY
    assert (relative_error(ref.gauss_newton(net, X, Y), ours) < TINY) == case.natural
    if not case.natural:
        for psd in ("project", "scalar"):
            for labels in ([0, 0], [0, 1], [1, 0], [1, 1]):
                assert relative_error(ref.gauss_newton(net._replace(psd=psd), X, np.array(labels)), ours) > APART


def statistics(objective, D):
    """T(y) and log h(y), for all y or on a grid of spacing 1/4, whose sums are the integrals up to 1e-100."""
    if objective == "squared_error":
        grid = np.arange(-25, 25, 1 / 4)
        return grid, -(grid**2) / 2 + np.log(1 / 4) - np.log(2 * np.pi) / 2
    if objective == "bernoulli":
        return np.array(list(itertools.product((0.0, 1.0), repeat=D))), np.zeros(2**D)
    return np.eye(D), np.zeros(D)


def log_partition(objective, h):
    """log Z(h_L) by its definition, the log of the sum or the integral of h(y) e^(T(y)^T h_L)."""
    T, log_base = map(torch.tensor, statistics(objective, len(h)))
    if objective == "squared_error":  # the integral factorises over h_1, ..., h_D
        return torch.sum(torch.logsumexp(log_base[:, None] + T[:, None] * h, 0))
    return torch.logsumexp(log_base + T @ h, 0)


def some_labels(objective):
    if objective == "squared_error":
        return np.array([[0.5, -2.0, 1.5], [0.0, 3.0, -1.0]])
    return np.array([[0.0, 1.0, 1.0], [0.25, 0.5, 1.0]]) if objective == "bernoulli" else np.array([0, 2])


def statistic(objective, y):
    return np.arange(3) == y if objective == "categorical" else y


@pytest.mark.parametrize("h", OUTPUTS)
@pytest.mark.parametrize("objective", NATURAL)
def test_equation_52(objective, h, relative_error):
    """log p equals that of torch.distributions, (52) with Z by its definition, and -E. Probabilities add up to 1.

    log h(y) and E omit the factor (2 pi)^(-D/2) of the normal distribution.
    """
    h = np.array(h)
    left_out = 3 / 2 * np.log(2 * np.pi) if objective == "squared_error" else 0
    for y in some_labels(objective):
        ours = ref.log_likelihood(objective, h, y)
        assert relative_error(ours, log_p(objective, torch.tensor(h), [y])[0].numpy() + left_out) < TINY
        log_base = -(y @ y) / 2 if objective == "squared_error" else 0
        truth = log_base + statistic(objective, y) @ h - log_partition(objective, torch.tensor(h)).numpy()
        assert relative_error(ours, truth) < TINY
        assert relative_error(ours, -ref.OBJECTIVES[objective].value(h, y)) < TINY
    if objective == "squared_error":
        grid = np.arange(-25, 25, 1 / 4)
        masses = [np.exp(ref.log_likelihood(objective, h[:1], np.array([y]))) / 4 for y in grid]
        assert abs(sum(masses) - np.sqrt(2 * np.pi)) < TINY
    else:
        labels = np.array(list(itertools.product((0.0, 1.0), repeat=3))) if objective == "bernoulli" else range(3)
        assert abs(sum(np.exp(ref.log_likelihood(objective, h, y)) for y in labels) - 1) < TINY


@pytest.mark.parametrize("h", OUTPUTS)
@pytest.mark.parametrize("objective", NATURAL)
def test_equation_53(objective, h, relative_error):
    """The gradient by autodiff of log p and of log Z, and its mean over the labels of the model, which is 0."""
    h = np.array(h)
    for y in some_labels(objective):
        ours = ref.log_likelihood_gradient(objective, h, y)
        by_log_p = func.grad(lambda v, y=y: log_p(objective, v, [y])[0])(torch.tensor(h)).numpy()
        assert relative_error(ours, by_log_p) < TINY
        by_log_z = func.grad(lambda v: log_partition(objective, v))(torch.tensor(h)).numpy()
        assert relative_error(ours, statistic(objective, y) - by_log_z) < TINY
        assert relative_error(ours, -ref.OBJECTIVES[objective].gradient(h, y)) < TINY
    Y, p = all_labels(objective, h)
    assert (
        np.max(np.abs(sum(p_y * ref.log_likelihood_gradient(objective, h, y) for y, p_y in zip(Y, p, strict=True))))
        < TINY
    )


@pytest.mark.parametrize("h", OUTPUTS)
@pytest.mark.parametrize("objective", NATURAL)
def test_equation_54(objective, h, relative_error):
    """H_L by autodiff of log Z, as -grad grad log p at two labels, and as the covariance of T(y)."""
    h = np.array(h)
    ours = ref.log_partition_hessian(objective, h)
    by_log_z = func.jacrev(func.grad(lambda v: log_partition(objective, v)))(torch.tensor(h)).numpy()
    assert relative_error(ours, by_log_z) < TINY
    for y in some_labels(objective):
        by_log_p = -func.jacrev(func.grad(lambda v, y=y: log_p(objective, v, [y])[0]))(torch.tensor(h)).numpy()
        assert relative_error(ours, by_log_p) < TINY
        assert relative_error(ours, ref.OBJECTIVES[objective].hessian(h, y)) < TINY
    Y, p = all_labels(objective, h)
    T = np.array([statistic(objective, y) for y in Y], dtype=float)
    centred = T - p @ T
    assert relative_error(ours, np.einsum("k,ki,kj->ij", p, centred, centred)) < TINY


def test_equations_52_to_54_between_rationals():
    h = np.array([Fraction(1, 3), Fraction(-2, 5), Fraction(4)])
    y = np.array([Fraction(2), Fraction(1, 7), Fraction(0)])
    assert ref.log_likelihood("squared_error", h, y) == -sum((y[i] - h[i]) ** 2 for i in range(3)) / 2
    assert ref.log_likelihood_gradient("squared_error", h, y).tolist() == [y[i] - h[i] for i in range(3)]
    assert ref.log_partition_hessian("squared_error", h).tolist() == [[int(i == j) for j in range(3)] for i in range(3)]


def test_the_mixture_is_no_exponential_family():
    """In natural parameters log p(1) - log p(0) would be linear in h_L, and H_L equal for both labels."""

    def log_odds(*h):
        return np.log(ref.mixture_probability(np.array(h), 1)) - np.log(ref.mixture_probability(np.array(h), 0))

    assert abs(log_odds(0.0, 0.0, 0.0)) < TINY
    assert abs(log_odds(1.0, 2.0, -1.0) - log_odds(1.0, 0.0, 0.0) - log_odds(0.0, 2.0, -1.0)) > APART
    H = [ref.OBJECTIVES["mixture"].hessian(np.array([1.0, 2.0, -1.0]), y) for y in (0, 1)]
    assert np.max(np.abs(H[0] - H[1])) > APART
    for of_family in (ref.log_likelihood, ref.log_likelihood_gradient):
        with pytest.raises(KeyError):
            of_family("mixture", np.zeros(3), 1)
    with pytest.raises(KeyError):
        ref.log_partition_hessian("mixture", np.zeros(3))
