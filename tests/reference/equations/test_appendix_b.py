"""Appendix B, equations (28)-(31): the derivation of the recursion (8), by PyTorch and between rationals."""

import kfgn_reference as ref
import numpy as np
import pytest


@pytest.fixture(scope="module")
def truths(problem, autodiff):
    """x, y, l, B_l = da_l/dh_l, D_l and script H_l by their definitions, for each datapoint and l < L.

    D_l is the second derivative of sum_a c_a [a_l]_a for the constants c = dE/da_l.
    """
    net, found = problem.net, []
    for x, y in problem.pairs:
        h, E = autodiff.preactivation(net, x), autodiff.error(net, y)
        for l in range(1, net.L):
            f, from_a, from_h = autodiff.transfer(net, l), autodiff.above(net, l), autodiff.onward(net, l)
            c = autodiff.grad(lambda a, E=E, from_a=from_a: E(from_a(a)))(f(h[l]))
            B = autodiff.jacobian(f, h[l])
            D = autodiff.hessian(lambda v, c=c, f=f: c @ f(v), h[l])
            H = autodiff.hessian(lambda v, E=E, from_h=from_h: E(from_h(v)), h[l])
            found.append((x, y, l, B, D, H))
    return found


@pytest.fixture(scope="module")
def rational_hessians(rational_problem, difference_quotient):
    """(x, y, l, script H_l) for l < L, by second differences in the biases of the layer, which shift h_l."""
    net, found = rational_problem.net, []
    for x, y in rational_problem.pairs[:2]:
        for l in range(1, net.L):
            D, below = net.weights[l - 1].shape
            biases = [(l, a, below - 1) for a in range(D)]
            found.append((x, y, l, [[difference_quotient(net, x, y, i, j) for j in biases] for i in biases]))
    return found


def test_equation_28(problem, truths, relative_error):
    """Six expressions of (28) and the matrix form (29) are script H_l."""
    for x, y, l, _, _, H in truths:
        lines = ref.derivation(problem.net, x, y, l)
        assert len(lines) == 7
        for line in lines:
            assert relative_error(line, H) < 1e-12


def test_equation_28_between_rationals(rational_problem, rational_hessians):
    for x, y, l, H in rational_hessians:
        lines = ref.derivation(rational_problem.net, x, y, l)
        assert [line.tolist() for line in lines] == [H] * 7


def test_equation_29(problem, truths, relative_error):
    for x, y, l, _, _, H in truths:
        assert relative_error(ref.matrix_form(problem.net, x, y, l), H) < 1e-12


def test_equation_29_between_rationals(rational_problem, rational_hessians):
    for x, y, l, H in rational_hessians:
        assert ref.matrix_form(rational_problem.net, x, y, l).tolist() == H


def test_equation_30(problem, truths, relative_error):
    for x, _, l, B, _, _ in truths:
        ours = ref.elementwise_derivative_matrix(problem.net, x, l)
        assert relative_error(ours, B) < 1e-13
        assert np.array_equal(ours, np.diag(np.diag(ours)))


def test_equation_31(problem, truths):
    """D_l is exactly 0 if f'' = 0."""
    for x, y, l, _, D, _ in truths:
        ours = ref.elementwise_second_derivative_matrix(problem.net, x, y, l)
        assert ours.shape == D.shape
        assert np.all(np.abs(ours - D) <= 1e-12 * np.max(np.abs(D)))
        assert np.any(D) == (problem.net.transfers[l - 1] not in ("identity", "relu", "leaky_relu"))
