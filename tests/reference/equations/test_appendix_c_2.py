"""Appendix C.2, equations (39)-(41): the step size, the step and the curvature along the direction."""

from fractions import Fraction

import kfgn_reference as ref
import numpy as np
import pytest

from .appendix_c import (
    OBJECTIVES,
    RATIONAL,
    TAU,
    close,
    columns,
    inner,
    is_rational,
    matrices,
    product,
    rational_cases,
    rational_direction,
    smooth_problem,
)


@pytest.fixture(scope="module", params=OBJECTIVES, ids="-".join)
def smooth(request):
    return smooth_problem(*request.param)


@pytest.mark.parametrize("case", range(len(RATIONAL)))
def test_equation_39(case):
    """alpha is exactly the vertex of the parabola through three values of the model, and its minimum."""
    problem, (net, X, Y), f, g, C, _ = rational_cases()[case]
    for seed in range(2):
        delta = rational_direction(problem, seed)

        def model(alpha, delta=delta):
            move = [alpha * d for d in delta]
            return f + inner(move, g) + inner(move, product(C, move)) / 2

        alpha = ref.step_size(net, X, Y, problem.matrices(delta), TAU, problem.eta)
        assert type(alpha) is Fraction
        back, here, ahead = (model(Fraction(i)) for i in (-1, 0, 1))
        assert alpha == (back - ahead) / (2 * (back - 2 * here + ahead))
        for step in (Fraction(1, 10**12), Fraction(1, 2), alpha):
            assert model(alpha) < min(model(alpha + step), model(alpha - step))
        # the model of the reference is the same parabola, and tau and eta are not interchangeable
        for value in (Fraction(-3), alpha):
            move = problem.matrices([value * d for d in delta])
            assert ref.model_along(net, X, Y, move, TAU, problem.eta) == model(value)
        assert ref.step_size(net, X, Y, problem.matrices(delta), problem.eta, TAU) != alpha
    assert ref.step_size(net, X, Y, problem.matrices(g), TAU, problem.eta) < 0  # grad f points uphill


def test_equation_40(smooth):
    """At delta_* = alpha delta the gradient of the model is orthogonal to delta, and the model has decreased."""
    for problem, (net, X, Y), _, g, C, delta in rational_cases():
        alpha = ref.step_size(net, X, Y, problem.matrices(delta), TAU, problem.eta)
        assert alpha == -inner(delta, g) / inner(delta, product(C, delta))
        step = ref.step(net, X, Y, problem.matrices(delta), TAU, problem.eta)
        assert all(is_rational(step[l]) for l in step)
        moves = [move for l in sorted(step) for move in columns(step[l])]
        assert moves == [alpha * d for d in delta]
        assert inner(delta, [a + b for a, b in zip(g, product(C, moves), strict=True)]) == 0
        assert inner(moves, g) + inner(moves, product(C, moves)) / 2 == alpha * inner(delta, g) / 2 < 0

    net, X, Y, _, g, G, delta = smooth
    tau, eta = 0.7, 0.3
    alpha = -(delta @ g) / (delta @ G @ delta + (tau + eta) * delta @ delta)
    assert close(ref.step_size(net, X, Y, matrices(net, delta), tau, eta), alpha)
    step = ref.step(net, X, Y, matrices(net, delta), tau, eta)
    assert step.keys() == {1, 2, 3}
    assert all(close(step[l], alpha * part) for l, part in matrices(net, delta).items())


def test_equation_41(smooth):
    """delta^T (G-bar + (tau + eta) I) delta with the dense G-bar, for every objective and N > 1 different H_n."""
    net, X, Y, _, _, G, delta = smooth
    for tau, eta in ((0.7, 0.3), (0.0, 0.3), (0.7, 0.0), (0.0, 0.0)):
        truth = delta @ (G + (tau + eta) * np.eye(len(G))) @ delta
        assert close(ref.curvature_along(net, X, Y, matrices(net, delta), tau, eta), truth)

    for problem, (net, X, Y), _, _, C, delta in rational_cases():
        ours = ref.curvature_along(net, X, Y, problem.matrices(delta), TAU, problem.eta)
        assert type(ours) is Fraction
        assert ours == inner(delta, product(C, delta))
