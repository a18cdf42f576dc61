"""Appendix C.3 and C.4, equations (42)-(45): the reduction ratio, the two models and the moving average."""

from fractions import Fraction

import kfgn_reference as ref
import numpy as np
import pytest

from .appendix_c import (
    LINEAR,
    OBJECTIVES,
    TAU,
    close,
    columns,
    definite,
    inner,
    is_rational,
    matrices,
    product,
    rational_cases,
    rational_direction,
    rational_problem,
    rationals,
    smooth_problem,
    torch_loss,
    torch_outputs,
)

torch = pytest.importorskip("torch")


@pytest.fixture(scope="module", params=OBJECTIVES, ids="-".join)
def smooth(request):
    return smooth_problem(*request.param)


def square(epsilon):
    """h = w_2 w_1 x with w_1 = w_2 = epsilon, x = 1 and zero biases, so h = (epsilon + d)^2 along delta = (d, d)."""
    weights = tuple(np.array([[Fraction(epsilon), Fraction(0)]]) for _ in range(2))
    delta = {l: np.array([[Fraction(1), Fraction(0)]]) for l in (1, 2)}
    return ref.Network(weights, ("identity",), "squared_error"), np.array([[Fraction(1)]]), delta


def test_equation_42():
    """rho = 1 for a quadratic f and tau = 0, rho > 1 for tau > 0, and values by hand for an f of fourth order."""
    problem = rational_problem(*LINEAR)
    net, X, Y = problem.ours()
    for seed in range(3):
        delta = rational_direction(problem, seed)
        assert ref.reduction_ratio(net, X, Y, problem.matrices(delta), Fraction(0), problem.eta) == 1
        step = ref.step(net, X, Y, problem.matrices(delta), Fraction(0), problem.eta)
        assert ref.reduction_ratio(net, X, Y, step, Fraction(0), problem.eta) == 1
        # with tau > 0 the model is too large by tau |delta|^2 / 2
        step = ref.step(net, X, Y, problem.matrices(delta), TAU, problem.eta)
        assert ref.reduction_ratio(net, X, Y, step, TAU, problem.eta) > 1

    for problem, ours, f, g, C, delta in rational_cases():
        moved = [w + d for w, d in zip(problem.theta, delta, strict=True)]
        model = inner(delta, g) + inner(delta, product(C, delta)) / 2
        rho = ref.reduction_ratio(*ours, problem.matrices(delta), TAU, problem.eta)
        assert type(rho) is Fraction
        assert rho == (problem.f(moved) - f) / model

    # E = ((epsilon + d)^2 - y)^2 / 2 without damping. With r = epsilon^2 - y the model is (r + 2 epsilon d)^2 / 2
    #   epsilon   y     r       d_*     E before   E after         model: its minimum is 0   rho
    #   1         0     1      -1/2     1/2        1/32            falls by 1/2              (15/32) / (1/2)
    #   1/2       1    -3/4     3/4     9/32       81/512          falls by 9/32             (63/512) / (9/32)
    #   1/4       1    -15/16   15/8    225/512    225^2 / 8192    falls by 225/512          negative: E grew
    by_hand = (
        (1, 0, Fraction(-1, 2), Fraction(15, 16)),
        (Fraction(1, 2), 1, Fraction(3, 4), Fraction(7, 16)),
        (Fraction(1, 4), 1, Fraction(15, 8), Fraction(-209, 16)),
    )
    none = Fraction(0)
    for epsilon, y, d, rho in by_hand:
        net, X, delta = square(epsilon)
        Y = np.array([[Fraction(y)]])
        step = ref.step(net, X, Y, delta, none, none)
        assert [step[l].tolist() for l in (1, 2)] == [[[d, 0]]] * 2
        assert ref.reduction_ratio(net, X, Y, step, none, none) == rho
    # The third case with eta = 1/2, tau = 1/4 and the same step. The L2 term (d + epsilon)^2 / 2 is 289/128 after the
    # step and 1/32 before it, so f grows by 47025/8192 + 285/128. Both elements of grad f are epsilon r + epsilon / 2,
    # so the model changes by 2 (-7/64) 15/8 + (4/16 + 2 3/4) (15/8)^2 / 2 = -105/256 + 1575/512.
    net, X, delta = square(Fraction(1, 4))
    step, Y = {l: delta[l] * Fraction(15, 8) for l in delta}, np.array([[Fraction(1)]])
    damped = ref.reduction_ratio(net, X, Y, step, Fraction(1, 4), Fraction(1, 2))
    grown = Fraction(47025, 8192) + Fraction(285, 128)
    assert grown == Fraction(65265, 8192)
    assert damped == grown / (Fraction(-105, 256) + Fraction(1575, 512))


def test_equation_43(smooth):
    """The three values by definition, and their differences, which are 0 or known powers of delta in exact cases."""
    for problem, batch, f, g, C, delta in rational_cases():
        tilde = definite(np.random.default_rng(9), len(delta))

        def model(C, f=f, g=g, delta=delta):
            return f + inner(delta, g) + inner(delta, product(C, delta)) / 2

        moved = [w + d for w, d in zip(problem.theta, delta, strict=True)]
        ours = ref.models(*batch, problem.matrices(delta), tilde, TAU, problem.eta)
        assert is_rational(ours)
        assert ours == (problem.f(moved), model(C), model(tilde))
        # equal matrices give equal values
        middle, last = ref.models(*batch, problem.matrices(delta), C, TAU, problem.eta)[1:]
        assert middle == last
        # tau multiplies delta^T delta / 2 in the second value only
        undamped = ref.models(*batch, problem.matrices(delta), tilde, Fraction(0), problem.eta)
        assert tuple(a - b for a, b in zip(ours, undamped, strict=True)) == (0, TAU * inner(delta, delta) / 2, 0)

    # for a quadratic f the model has no error
    problem = rational_problem(*LINEAR)
    delta = problem.matrices(rational_direction(problem))
    first, second, _ = ref.models(*problem.ours(), delta, problem.curvature(0), Fraction(0), problem.eta)
    assert first == second

    # If the outputs equal the labels, the Hessian is the Gauss-Newton matrix. With two linear layers f is of fourth
    # order, so the error of the model at s delta is c_3 s^3 + c_4 s^4.
    problem = rational_problem((2, 3, 2), (1,))
    problem = problem._replace(Y=np.array(problem.outputs(problem.theta)))
    delta, C = rational_direction(problem), problem.curvature(problem.eta)

    def lost(s):
        move = problem.matrices([s * d for d in delta])
        first, second, _ = ref.models(*problem.ours(), move, C, Fraction(0), problem.eta)
        return first - second

    plus, minus = lost(Fraction(1)), lost(Fraction(-1))
    third, fourth = (plus - minus) / 2, (plus + minus) / 2
    assert third != 0
    assert fourth > 0
    for s in (Fraction(2), Fraction(-1, 3)):
        assert lost(s) == third * s**3 + fourth * s**4

    net, X, Y, f, g, G, delta = smooth
    tau, eta = 0.7, 0.3
    bar, tilde = G + (tau + eta) * np.eye(len(G)), np.diag(np.arange(1.0, len(G) + 1))
    first, second, third = ref.models(net, X, Y, matrices(net, delta), tilde, tau, eta)
    assert close(second, f + delta @ g + delta @ bar @ delta / 2)
    assert close(third, f + delta @ g + delta @ tilde @ delta / 2)
    theta = np.concatenate([columns(W) for W in net.weights]) + delta
    shapes = [W.shape for W in net.weights]
    pairs = zip(torch.tensor(X), torch.tensor(Y), strict=True)
    losses = [torch_loss(net.objective, torch_outputs(shapes, torch.tensor(theta), x), y) for x, y in pairs]
    assert close(first, float(sum(losses)) / len(X) + eta / 2 * theta @ theta)


def weight(t):
    """beta_t of (45), for t > 0."""
    return min(Fraction(19, 20), 1 - Fraction(1, t))


def test_equation_44():
    """The average is the exact mean up to t = 20. After that each weight decreases by a twentieth at every step."""
    rng = np.random.default_rng(10)
    values = [{1: rationals(rng, 2, 3), 2: rationals(rng, 1)} for _ in range(30)]
    average = {
        1: np.full((2, 3), Fraction(10**6)),
        2: np.full(1, Fraction(-7)),
    }  # the value before the first has no weight
    for t, new in enumerate(values, start=1):
        average = ref.moving_average(average, new, weight(t))
        assert average.keys() == {1, 2}
        shares = [Fraction(1, min(t, 20)) * Fraction(19, 20) ** max(0, t - 20)] * min(t, 20)
        shares += [Fraction(1, 20) * Fraction(19, 20) ** (t - i) for i in range(21, t + 1)]
        assert sum(shares) == 1
        for l in average:
            assert is_rational(average[l])
            truth = sum(share * value[l] for share, value in zip(shares, values, strict=False))
            assert np.array_equal(average[l], truth)
    # 3/4 of 8 and 1/4 of 4
    by_hand = ref.moving_average({1: np.array([8.0])}, {1: np.array([4.0])}, 0.75)
    assert by_hand[1].tolist() == [7.0]


def test_equation_45():
    """beta_t is 0, 1/2, ..., 18/19, and then 19/20. With 9/10, as for the factors, it is constant from t = 10."""
    weights = [ref.average_weight(t, Fraction(19, 20)) for t in range(1, 41)]
    assert is_rational(weights)
    assert weights == [Fraction(t - 1, t) for t in range(1, 20)] + [Fraction(19, 20)] * 21
    assert weights == [weight(t) for t in range(1, 41)]
    assert [ref.average_weight(t, Fraction(9, 10)) for t in (1, 2, 9, 10, 11)] == [
        0,
        Fraction(1, 2),
        Fraction(8, 9),
        Fraction(9, 10),
        Fraction(9, 10),
    ]
    assert [ref.average_weight(t, 0.95) for t in (1, 2, 4, 100)] == [0.0, 0.5, 0.75, 0.95]
    assert [ref.average_weight(t, Fraction(0)) for t in (1, 2, 3)] == [0, 0, 0]  # old values have no weight
