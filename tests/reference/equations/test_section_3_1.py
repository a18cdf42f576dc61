"""Sections 3 and 3.1, equations (11)-(18): the Gauss-Newton matrix and its blocks between layers."""

import kfgn_reference as ref
import numpy as np
import pytest

from .section_3 import Truth, cut, kron, mean


@pytest.fixture(scope="module")
def truths(problem, autodiff):
    return [Truth(autodiff, problem.net, x, y) for x, y in problem.pairs]


def test_equation_11(problem, autodiff, relative_error):
    """Each term separately: the first is the Hessian of g^T h_L for a constant g, and the second has the true H_L."""
    net = problem.net
    for x, y in problem.pairs[-1:]:
        h_L, E, at = autodiff.output(net, x), autodiff.error(net, y), autodiff.theta(net)
        outputs = h_L(at)
        g, J = autodiff.grad(E)(outputs), autodiff.jacobian(h_L, at)
        network_term, output_term = ref.hessian_split(net, x, y)
        truth = autodiff.hessian(lambda at, g=g, h_L=h_L: g @ h_L(at), at)
        assert network_term.shape == truth.shape
        assert np.all(np.abs(network_term - truth) <= 1e-12 * np.max(np.abs(truth)))
        assert np.any(truth) == (net.L > 1)
        assert relative_error(output_term, J.T @ autodiff.hessian(E, outputs) @ J) < 1e-12
        whole = autodiff.hessian(lambda at, E=E, h_L=h_L: E(h_L(at)), at)
        assert relative_error(network_term + output_term, whole) < 1e-12


def test_equation_12(problem, truths, relative_error):
    for t in truths:
        ours = ref.sample_gauss_newton(problem.net, t.x, t.y)
        assert relative_error(ours, t.J_theta.T @ t.G_L @ t.J_theta) < 1e-12
        assert np.min(np.linalg.eigvalsh(ours)) > -1e-12 * np.max(ours)


def test_equation_13(problem, truths, relative_error):
    truth = mean([t.J_theta.T @ t.G_L @ t.J_theta for t in truths])
    assert relative_error(ref.gauss_newton(*problem), truth) < 1e-12


def test_equation_14(problem, truths, relative_error):
    """All blocks, most of which are not square, and J_{W_l} = a^T kron I, from which (16) follows."""
    net = problem.net
    truth = cut(net, mean([t.J_theta.T @ t.G_L @ t.J_theta for t in truths]))
    assert len(truth) == net.L**2
    assert relative_error(ref.gauss_newton_between(*problem), truth) < 1e-12
    for t in truths:
        by_chain_rule = [t.J[l] @ kron(t.a[l - 1][None, :], np.eye(len(t.h[l]))) for l in problem.layers]
        assert relative_error(np.concatenate(by_chain_rule, axis=1), t.J_theta) < 1e-12
        assert relative_error(ref.parameter_jacobian(net, t.x), dict(enumerate(by_chain_rule, 1))) < 1e-12


def test_equation_15(problem, truths, relative_error):
    """J_l^T script G_L J_m (D_l, D_m), with J_l = dh_L/dh_l and not its transpose."""
    for t in truths:
        truth = {(l, m): t.G(l, m) for l in problem.layers for m in problem.layers}
        ours = ref.sample_preactivation_gauss_newton_between(problem.net, t.x, t.y)
        assert relative_error(ours, truth) < 1e-12


def test_equation_16(problem, truths, relative_error):
    """The right side element by element, and the left side, which is the block of (14)."""
    net, layers = problem.net, problem.layers
    ours = ref.factored_between(*problem)
    truth = {
        (l, m): mean([kron(np.outer(t.a[l - 1], t.a[m - 1]), t.G(l, m)) for t in truths])
        for l in layers
        for m in layers
    }
    assert relative_error(ours, truth) < 1e-12
    assert relative_error(ours, cut(net, mean([t.J_theta.T @ t.G_L @ t.J_theta for t in truths]))) < 1e-12


def test_equation_17(problem, truths, relative_error):
    """The Khatri-Rao product of matrices that are neither square nor symmetric, and the matrix of the network."""
    rng = np.random.default_rng(0)
    Q = {(l, m): rng.normal(size=(l + 1, 2 * m)) for l in (1, 2) for m in (1, 2)}
    G = {(l, m): rng.normal(size=(3 * l, m + 4)) for l in (1, 2) for m in (1, 2)}
    assert relative_error(ref.khatri_rao(Q, G), {between: kron(Q[between], G[between]) for between in Q}) < 1e-15
    whole = ref.assembled(problem.net, ref.factored_between(*problem))
    assert relative_error(whole, mean([t.J_theta.T @ t.G_L @ t.J_theta for t in truths])) < 1e-12


def test_equation_18(problem, truths, relative_error):
    for t in truths:
        truth = {
            (l, m): np.array([[b * d for d in t.a[m - 1]] for b in t.a[l - 1]])
            for l in problem.layers
            for m in problem.layers
        }
        assert relative_error(ref.sample_q_between(problem.net, t.x), truth) < 1e-13
