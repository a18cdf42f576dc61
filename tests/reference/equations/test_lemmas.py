"""Appendix F: the convexity that Lemma 2 rests on, the lemmas in float64, and networks for which they fail."""

from fractions import Fraction

import kfgn_reference as ref
import numpy as np
import pytest
from hypothesis import example, given, strategies as st

from .appendix_f import EXAMPLES, GENERAL, NEGATIVE, Point, any_point, arrays, exactly, quadratic, semidefinite


@EXAMPLES
@given(any_point)
@example(GENERAL)
def test_midpoint(p):
    """(E(W_l + V) + E(W_l - V)) / 2 - E(W_l) is half the quadratic form of the block, for a V that crosses no kink."""
    for l, V in p.V.items():
        with quadratic(p.A):
            gap = ref.midpoint_gap(p.net, p.x[None], p.y[None], l, V / 10**9)
        assert gap == p.second_of_weights(l, V, V) / 10**18 / 2
        assert gap >= 0 or not semidefinite(p.A)


def test_midpoint_of_a_batch(make_rational_problem):
    """The gap is the mean over the datapoints of half the quadratic form of each block."""
    net, X, Y = make_rational_problem(("leaky_relu", "relu"))
    identity = exactly(np.eye(3, dtype=int))
    for l, W in enumerate(net.weights, 1):
        V = exactly(np.arange(W.size).reshape(W.shape) % 5 - 2) / 10**9
        forms = [Point(net, identity, x, y, {}).second_of_weights(l, V, V) for x, y in zip(X, Y, strict=True)]
        gap = ref.midpoint_gap(net, X, Y, l, V)
        assert gap == sum(forms) / 2 / len(X)
        assert gap > 0


def test_midpoint_of_smooth_transfer_functions():
    """E is larger at the midpoint than at both neighbours, in a direction V that changes h_1."""
    V = exactly([[Fraction(1, 100), 0]])
    with quadratic(NEGATIVE.A):
        gap = ref.midpoint_gap(NEGATIVE.net, NEGATIVE.x[None], NEGATIVE.y[None], 1, V)
    ends = [(Fraction(100 + sign, 100) ** 2 - 8) ** 2 / 2 for sign in (1, -1)]
    assert gap == sum(ends) / 2 - Fraction(49, 2) < 0


@pytest.mark.parametrize("transfers", [("relu",), ("leaky_relu",), ("identity", "leaky_relu"), ("leaky_relu", "relu")])
@pytest.mark.parametrize("objective", ["squared_error", "bernoulli", "categorical"])
def test_lemma_1_in_floating_point(objective, transfers, make_problem):
    """No eigenvalue of a block is negative, except for rounding, and E is not larger at the midpoints."""
    net, X, Y = make_problem(objective, transfers)
    for x, y in zip(X, Y, strict=True):
        for H in ref.sample_hessian_blocks(net, x, y).values():
            values = np.linalg.eigvalsh(H)
            assert values[0] >= -1e-12 * values[-1]
            assert values[-1] > 0
        assert ref.lemma_2(net, x, y)
    rng = np.random.default_rng(5)
    for l, W in enumerate(net.weights, 1):
        V = rng.normal(size=W.shape) * 1e-4
        assert ref.midpoint_gap(net, X, Y, l, V) > 0


@pytest.mark.parametrize("transfers", [(), ("identity",), ("leaky_relu",)])
def test_the_mixture_does_not_meet_the_assumption(transfers, make_problem):
    """For every datapoint H_L has a negative eigenvalue, and so the block of W_L has one."""
    net, X, Y = make_problem("mixture", transfers)
    for x, y in zip(X, Y, strict=True):
        values = np.linalg.eigvalsh(ref.sample_hessian_blocks(net, x, y)[net.L])
        assert values[0] < -1e-3 * values[-1]
        assert ref.lemma_1(net, x, y) is False


def test_tanh():
    """One unit per layer and E = (2 tanh(w_1 + b_1) - y)^2 / 2, which is concave in h_1 at h_1 = 1 and y = 0.

    With t = tanh(1), script H_1 = 4 (1 - t^2)^2 - 4 t (1 - t^2) (2 t - y) is negative at y = 0, and (66) gives
    4 (1 - t^2)^2. The block of (w_1, b_1) is script H_1 (1, 1; 1, 1), and that of (w_2, b_2) is (t^2, t; t, 1).
    """
    net = ref.Network((np.array([[1.0, 0.0]]), np.array([[2.0, 0.0]])), ("tanh",), "squared_error")
    x, y, t = np.array([1.0]), np.array([0.0]), np.tanh(1)
    H_1 = 4 * (1 - t**2) ** 2 - 4 * t * (1 - t**2) * (2 * t)
    assert H_1 < -1
    assert ref.lemma_1(net, x, y) is False
    assert ref.definiteness_is_inherited(net, x, y) is False
    assert abs(ref.recursion_without_second_term(net, x, y)[1].item() - 4 * (1 - t**2) ** 2) < 1e-14
    forms = ref.quadratic_forms(net, x, y, 1, np.array([1.0]))
    assert abs(forms[0] - H_1) < 1e-14
    assert abs(forms[1] - 4 * (1 - t**2) ** 2) < 1e-14
    assert abs(ref.carried_up(net, x, 1, np.array([3.0])).item() - 6 * (1 - t**2)) < 1e-14
    trace = 2 * H_1 + t**2 + 1
    assert np.max(np.abs(np.array(ref.traces(net, x, y)) - trace)) < 1e-14
    assert trace < 0
    assert ref.lemma_2(net, x, y) is False
    gap = ref.midpoint_gap(net, x[None], y[None], 1, np.array([[0.125, 0.0]]))
    ends = [(2 * np.tanh(1 + move)) ** 2 / 2 for move in (0.125, -0.125)]
    assert abs(gap - (sum(ends) / 2 - (2 * t) ** 2 / 2)) < 1e-14
    assert gap < -1e-3


def test_tanh_where_nothing_fails():
    """With y = 4 both dE/da and f'' are negative, and the lemmas hold."""
    net = ref.Network((np.array([[1.0, 0.0]]), np.array([[2.0, 0.0]])), ("tanh",), "squared_error")
    x, y = np.array([1.0]), np.array([4.0])
    assert ref.definiteness_is_inherited(net, x, y) is True
    assert ref.lemma_2(net, x, y) is True


@EXAMPLES
@given(st.integers(1, 3).flatmap(lambda D: arrays(D, D)), st.booleans())
@example(exactly([[0, 0], [0, 1]]), True)
@example(exactly([[0, 1], [1, 5]]) / 2, False)
@example(exactly([[0, 0, 0], [0, 0, 1], [0, 1, 0]]) / 2, False)
def test_is_positive_semidefinite(R, definite):
    A = R.T @ R if definite else R + R.T
    assert ref.is_positive_semidefinite(A) is semidefinite(A)
    assert semidefinite(A) or not definite
