"""Section 3, equations (12)-(25), as equations between rationals."""

import kfgn_reference as ref
import numpy as np
import pytest

from .section_3 import cut, mean


@pytest.fixture(scope="module")
def rational_jacobians(rational_problem, difference_quotient):
    """The exact dh_L/dtheta of each datapoint, and its columns for the biases of each layer, which are dh_L/dh_l."""
    net, found = rational_problem.net, []
    for x in rational_problem.X:
        columns = {
            (l, b, a): difference_quotient(net, x, None, (l, a, b))
            for l, W in enumerate(net.weights, 1)
            for b in range(W.shape[1])
            for a in range(W.shape[0])
        }
        last = {l: net.weights[l - 1].shape[1] - 1 for l in rational_problem.layers}
        biases = {l: [v for (m, b, _), v in columns.items() if (m, b) == (l, last[l])] for l in last}
        found.append((np.stack(list(columns.values()), axis=1), {l: np.stack(v, axis=1) for l, v in biases.items()}))
    return found


def test_equations_12_to_19_between_rationals(rational_problem, rational_jacobians):
    """Every function of the Gauss-Newton matrix gives the same rationals, with H_L = I."""
    net, X, Y = rational_problem
    each = [J.T @ J for J, _ in rational_jacobians]
    blocks = cut(net, mean(each))
    assert all(np.any(block) for block in blocks.values())
    for (x, y), truth in [(rational_problem.pairs[-1], each[-1])]:
        assert np.array_equal(ref.sample_gauss_newton(net, x, y), truth)
        own = ref.sample_gauss_newton_blocks(net, x, y)
        assert all(np.array_equal(own[l], cut(net, truth)[l, l]) for l in rational_problem.layers)
    assert np.array_equal(ref.gauss_newton(net, X, Y), mean(each))
    for ours in (ref.gauss_newton_between(net, X, Y), ref.factored_between(net, X, Y)):
        assert all(np.array_equal(ours[between], truth) for between, truth in blocks.items())
        assert np.array_equal(ref.assembled(net, ours), mean(each))


def test_equations_15_to_25_between_rationals(rational_problem, rational_jacobians):
    net, X, Y = rational_problem
    J = [by_layer for _, by_layer in rational_jacobians]
    for (x, y), j in zip(rational_problem.pairs, J, strict=True):
        between = ref.sample_preactivation_gauss_newton_between(net, x, y)
        own, roots = ref.sample_preactivation_gauss_newton(net, x, y), ref.sample_roots(net, x, y)
        for l in rational_problem.layers:
            assert np.array_equal(own[l], j[l].T @ j[l])
            assert np.array_equal(roots[l], j[l].T)  # the root of H_L = I is I
            assert all(np.array_equal(between[l, m], j[l].T @ j[m]) for m in rational_problem.layers)
    expected = ref.kflr(net, X, Y)
    assert all(np.array_equal(expected[l], mean([j[l].T @ j[l] for j in J])) for l in rational_problem.layers)
