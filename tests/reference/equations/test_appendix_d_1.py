"""Appendix D.1, equations (46)-(49): the Fisher matrix."""

from fractions import Fraction

import kfgn_reference as ref
import numpy as np
import pytest

from .appendix_d import APART, CASES, NATURAL, TINY, Case, Exact, blocks, log_p, one_input

torch = pytest.importorskip("torch")


func = torch.func


@pytest.fixture(scope="module", params=CASES, ids=lambda p: "-".join([p[0], *p[1], p[2]]))
def case(request, make_problem, autodiff):
    return Case(autodiff, make_problem(*request.param, N=2))


@pytest.fixture(scope="module")
def exact(make_rational_problem, difference_quotient):
    return Exact(one_input(make_rational_problem(("leaky_relu",), N=2)), difference_quotient)


def smallest_eigenvalue(M):
    """The smallest eigenvalue of M relative to the largest."""
    values = np.linalg.eigvalsh(M)
    return values[0] / values[-1]


def test_equation_46(case, autodiff, relative_error):
    """Each form separately, and one compared with the other. The first shows positive semi-definiteness."""
    net, X, _ = case.problem
    second = -case.mean(lambda d: autodiff.hessian(lambda at: d.mean_log_p(d.output(at)), d.at))
    assert relative_error(second, case.fisher) < TINY
    ours = ref.fisher(net, X)
    assert relative_error(ours, case.fisher) < TINY
    assert relative_error(ref.fisher_from_hessians(net, X), second) < TINY
    assert smallest_eigenvalue(ours) > -TINY


def test_equation_46_with_the_labels_of_the_data(case, relative_error):
    """With the labels of the data the outer products are the empirical Fisher, a different matrix.

    For natural parameters, the Hessian form is F plus the first term of (11), whose mean is 0 under the labels of the
    model and not under the labels of the data. For the mixture it is neither.
    """
    net, X, Y = case.problem
    gradients = [ref.theta(ref.sample_gradient(net, x, y)) for x, y in case.problem.pairs]
    assert relative_error(sum(np.outer(g, g) for g in gradients) / len(X), case.fisher) > APART
    network_term = sum(ref.hessian_split(net, x, y)[0] for x, y in case.problem.pairs) / len(X)
    hessian = ref.hessian(net, X, Y)
    assert relative_error(hessian, case.fisher) > APART
    assert (relative_error(hessian - network_term, case.fisher) < TINY) == case.natural
    d = case.datapoints[0]
    Y, p = (d.Y[[0, -1]], (1 / 2, 1 / 2)) if net.objective == "squared_error" else (d.Y, d.p)  # h_L -+ sqrt 3
    terms = [ref.hessian_split(net, d.x, y)[0] for y in Y]
    size = np.max(np.abs(terms))
    assert size > APART
    assert np.max(np.abs(np.tensordot(p, terms, 1))) < TINY * size


@pytest.mark.parametrize("objective", NATURAL)
def test_equation_46_of_one_layer(objective, make_problem, relative_error):
    """h_L is linear in theta, so the Hessian form is F at every label."""
    net, X, Y = make_problem(objective, ())
    F = ref.fisher(net, X)
    assert relative_error(ref.hessian(net, X, Y), F) < TINY
    assert relative_error(ref.fisher_from_hessians(net, X), F) < TINY


@pytest.mark.parametrize("objective", NATURAL)
def test_equation_46_of_piecewise_linear_networks(objective, make_problem, relative_error):
    """The Hessian and F have equal diagonal blocks, as E[script H_l] = E[script G_l], and different other blocks."""
    net, X, Y = make_problem(objective, ("leaky_relu", "relu"), N=2)
    F, H = blocks(net, ref.fisher(net, X)), blocks(net, ref.hessian(net, X, Y))
    assert all((relative_error(H[l, m], F[l, m]) < TINY) == (l == m) for l, m in F)


def through_probabilities(d):
    """F = E[(grad p / p)(grad p / p)^T] of one datapoint, with the sums over labels in closed form.

    Normal: sum_i grad h_i grad h_i^T. Bernoulli and the mixture: sum_i grad p_i grad p_i^T / (p_i (1 - p_i)).
    Categorical: sum_i grad p_i grad p_i^T / p_i.
    """

    def probabilities(h):
        if d.objective == "mixture":
            return (torch.softmax(torch.stack([h[0], 0 * h[0]]), 0) @ torch.sigmoid(h[1:]))[None]
        return torch.softmax(h, 0) if d.objective == "categorical" else torch.sigmoid(h)

    if d.objective == "squared_error":
        return d.J.T @ d.J
    p = probabilities(torch.tensor(d.h_L)).numpy()
    dp = func.jacrev(lambda at: probabilities(d.output(at)))(d.at).numpy()
    return np.einsum("ia,i,ib->ab", dp, 1 / (p if d.objective == "categorical" else p * (1 - p)), dp)


def test_equation_47(case, relative_error):
    """x is data: an input that is twice in the batch has twice the weight."""
    net, X, _ = case.problem
    each = [through_probabilities(d) for d in case.datapoints]
    assert relative_error(ref.fisher(net, X), (each[0] + each[1]) / 2) < TINY
    assert relative_error(ref.fisher(net, X[[0, 1, 0]]), (2 * each[0] + each[1]) / 3) < TINY


def test_equation_48(case, relative_error):
    """The outer product at two labels of the model and at the label of the data."""
    for d, y in zip(case.datapoints, case.problem.Y, strict=True):
        for label in (d.Y[0], d.Y[-1], y):
            g = func.grad(lambda h, d=d, y=label: log_p(d.objective, h, [y])[0])(torch.tensor(d.h_L)).numpy()
            truth = np.array([[g_i * g_j for g_j in g] for g_i in g])
            assert relative_error(ref.output_fisher(case.net, d.h_L, label), truth) < TINY


def test_equation_48_between_rationals(exact):
    h, y = np.array([Fraction(1, 3), Fraction(-2, 5)]), np.array([Fraction(2), Fraction(1, 7)])
    truth = [[(h[i] - y[i]) * (h[j] - y[j]) for j in range(2)] for i in range(2)]
    assert ref.output_fisher(exact.net, h, y).tolist() == truth


def test_equation_49(case, relative_error):
    """The first line, label by label: grad_theta log p = J^T grad_h log p."""
    net, X, _ = case.problem
    scores = [d.scores_l[net.L] @ d.J for d in case.datapoints]
    truth = sum(d.over_labels(s, s) for d, s in zip(case.datapoints, scores, strict=True)) / len(X)
    assert relative_error(ref.fisher_from_outputs(net, X), truth) < TINY
    assert relative_error(truth, case.fisher) < TINY


def test_equations_46_to_51_between_rationals(exact):
    """Every function gives J^T J, since H_L = I. The Hessian at the labels of the data does not."""
    net, X, Y = exact.problem
    truth = exact.fisher.tolist()
    assert ref.fisher(net, X).tolist() == truth
    assert ref.fisher_from_hessians(net, X).tolist() == truth
    assert ref.fisher_from_outputs(net, X).tolist() == truth
    assert ref.fisher_from_output_hessians(net, X).tolist() == truth
    assert ref.gauss_newton(net, X, Y).tolist() == truth
    assert ref.hessian(net, X, Y).tolist() != truth
