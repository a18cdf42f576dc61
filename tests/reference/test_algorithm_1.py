"""Algorithm 1 compared with the functions of its equations, in float64 and in balls, and with a step by hand."""

from fractions import Fraction

import flint
import kfgn_reference as ref
import numpy as np
import pytest

from .algorithm_1 import ETA, GAMMA, TAU, problem

OBJECTIVES = (
    ("squared_error", "project"),
    ("bernoulli", "project"),
    ("categorical", "project"),
    ("mixture", "project"),
    ("mixture", "scalar"),
)


NAMES = ("gradient", "Q", "G", "direction", "weights")


def by_equations(net, X, Y, gamma, tau, eta):
    """The same update by the functions of one datapoint and one equation at a time."""
    g, Q, G = ref.regularised_gradient(net, X, Y, eta), ref.expected_q(net, X), ref.kfra(net, X, Y)
    direction = ref.factored_direction(Q, G, g, gamma + eta)
    alpha = ref.step_size(net, X, Y, direction, tau, eta)
    there = ref.moved(net, ref.step(net, X, Y, direction, tau, eta))
    return ref.Update(g, Q, G, direction, alpha, dict(enumerate(there.weights, start=1)))


@pytest.mark.parametrize("transfers", [(), ("relu",), ("tanh", "softplus"), ("logistic", "identity", "leaky_relu")])
@pytest.mark.parametrize(("objective", "psd"), OBJECTIVES)
def test_equations(objective, psd, transfers, relative_error):
    case = problem(objective, psd, (*(3, 4, 6, 5, 2)[: len(transfers) + 1], 3), transfers)
    before = [W.copy() for W in case[0].weights], case[1].copy(), case[2].copy()
    ours, truth = ref.algorithm_1(*case, GAMMA, TAU, ETA), by_equations(*case, GAMMA, TAU, ETA)
    for name in NAMES:
        assert relative_error(getattr(ours, name), getattr(truth, name)) < 1e-11
    assert abs(ours.alpha / truth.alpha - 1) < 1e-11
    assert ours.alpha < 0
    assert all(np.array_equal(*pair) for pair in zip(before[0], case[0].weights, strict=True))
    assert np.array_equal(before[1], case[1])
    assert np.array_equal(before[2], case[2])


@pytest.fixture
def bits():
    before = flint.ctx.prec
    flint.ctx.prec = 256
    yield
    flint.ctx.prec = before


def to_balls(A):
    return np.frompyfunc(lambda value: flint.arb(float(value)), 1, 1)(A)


@pytest.mark.parametrize(("objective", "psd"), [case for case in OBJECTIVES if case != ("mixture", "project")])
@pytest.mark.usefixtures("bits")
def test_balls(objective, psd):
    """At 256 bits both routes give balls that overlap and are small, and the float64 result is near their middle.

    The projection of the mixture has no form in balls.
    """
    case = net, X, Y = problem(objective, psd, N=3)
    exact = net._replace(weights=tuple(to_balls(W) for W in net.weights))
    labels = Y if objective in ("categorical", "mixture") else to_balls(Y)
    constants = [flint.arb(c) for c in (GAMMA, TAU, ETA)]
    ours = ref.algorithm_1(exact, to_balls(X), labels, *constants)
    truth = by_equations(exact, to_balls(X), labels, *constants)
    rounded = ref.algorithm_1(*case, GAMMA, TAU, ETA)
    pairs = [(ours.alpha, truth.alpha, rounded.alpha)]
    for name in NAMES:
        assert getattr(ours, name).keys() == {1, 2, 3}
        for l in (1, 2, 3):
            layers = (
                np.broadcast_to(getattr(u, name)[l], getattr(rounded, name)[l].shape) for u in (ours, truth, rounded)
            )
            pairs += zip(*(layer.flat for layer in layers), strict=True)
    assert len(pairs) > 200
    for ball, other, value in pairs:
        if name == "G" and not isinstance(ball, flint.arb):  # an integer zero off the diagonal of H_L
            assert ball == other == value
            continue
        assert ball.overlaps(other)
        assert max(ball.rad(), other.rad()) < flint.arb(10) ** -60
        assert abs(ball - value) < 1e-12 * (1 + abs(value))


@pytest.mark.usefixtures("bits")
def test_by_hand():
    """One layer, one unit, N = 2, in rationals whose roots are rational.

    W = (2, -1), x = 3 and 5, y = 4 and 6, eta = 1/4, gamma = 15/4, tau = 3/4.

    h = 5 and 9, so d = 1 and 3, and H_L = 1.
    g = (1 (3, 1) + 3 (5, 1)) / 2 + (2, -1) / 4 = (9, 2) + (1/2, -1/4) = (19/2, 7/4)
    Q = ((9, 3; 3, 1) + (25, 5; 5, 1)) / 2 = (17, 4; 4, 1), G = 1
    omega = sqrt(18 1 / (1 2)) = 3, and the root of gamma + eta = 4 is 2
    Q + 6 I = (23, 4; 4, 7) has the determinant 145 and the inverse (7, -4; -4, 23) / 145; G + 2/3 = 5/3
    direction = 3/5 (19/2, 7/4) (7, -4; -4, 23) / 145 = 3/725 (119/2, 9/4) = 3/2900 (238, 9)
    With c = 3/2900, and tau + eta = 1:
        v = c (3 238 + 9, 5 238 + 9) = c (723, 1199), the mean of v^2 is c^2 980165, |direction|^2 = c^2 56725
        direction . g = c (2261 + 63/4) = c 9107/4
    alpha = -(9107/4) / (c 1036890)
    """

    def q(numerator, denominator=1):
        return flint.fmpq(numerator, denominator)

    net = ref.Network((np.array([[q(2), q(-1)]]),), (), "squared_error")
    X, Y = np.array([[q(3)], [q(5)]]), np.array([[q(4)], [q(6)]])
    ours = ref.algorithm_1(net, X, Y, gamma=q(15, 4), tau=q(3, 4), eta=q(1, 4))
    c = q(3, 2900)
    assert ours.gradient[1].tolist() == [[q(19, 2), q(7, 4)]]
    assert ours.Q[1].tolist() == [[17, 4], [4, 1]]
    assert ours.G[1].tolist() == [[1]]
    assert ours.direction[1].tolist() == [[238 * c, 9 * c]]
    assert ours.alpha == -q(9107, 4) / (c * 1036890)
    assert ours.weights[1].tolist() == [[2 - q(238 * 9107, 4147560), -1 - q(9 * 9107, 4147560)]]
    assert set(ours.weights) == {1}

    floats = ref.Network((np.array([[2.0, -1.0]]),), (), "squared_error")
    rounded = ref.algorithm_1(floats, np.array([[3.0], [5.0]]), np.array([[4.0], [6.0]]), 3.75, 0.75, 0.25)
    assert abs(rounded.alpha + 9107 / 4 * 2900 / 3 / 1036890) < 1e-14
    assert abs(rounded.weights[1][0, 0] - (2 - 238 * 9107 / 4147560)) < 1e-15


def test_dead_units():
    """In a layer of dead ReLUs G = 0, so omega = 1, and the direction is g (Q + sqrt(k) I)^-1 / sqrt(k)."""
    net, X, Y = problem("squared_error", widths=(2, 3, 2), transfers=("relu",))
    W = net.weights[0].copy()
    W[:, -1] = -100
    net = net._replace(weights=(W, net.weights[1]))
    ours = ref.algorithm_1(net, X, Y, GAMMA, TAU, ETA)
    assert np.all(ours.G[1] == 0)
    root_k = np.sqrt(GAMMA + ETA)
    truth = ETA * W @ np.linalg.inv(ours.Q[1] + root_k * np.eye(3)) / root_k
    assert np.allclose(ours.direction[1], truth, rtol=1e-13, atol=0)


def test_no_damping():
    """With gamma + eta = 0 and one datapoint, Q is singular. A positive gamma or eta is enough."""
    net, X, Y = problem("squared_error", widths=(1, 1), transfers=(), N=1)
    X = np.array([[1.0]])
    with pytest.raises(ValueError, match="positive definite matrix, got pivot 2 of 2"):
        ref.algorithm_1(net, X, Y, 0.0, TAU, 0.0)
    assert ref.algorithm_1(net, X, Y, 0.5, TAU, 0.0).alpha < 0
    assert ref.algorithm_1(net, X, Y, 0.0, TAU, 0.5).alpha < 0


def test_bad_input():
    net, X, Y = problem("categorical")
    with pytest.raises(ValueError, match="X: expected shape"):
        ref.algorithm_1(net, X[:, 1:], Y, GAMMA, TAU, ETA)
    with pytest.raises(ValueError, match="Y: expected shape"):
        ref.algorithm_1(net, X, Y[1:], GAMMA, TAU, ETA)
    mixture = problem("mixture", "raise")
    with pytest.raises(ValueError, match="indefinite"):
        ref.algorithm_1(*mixture, GAMMA, TAU, ETA)


def test_rationals_have_no_root():
    """Fractions of Python have no square root for omega. Those of FLINT have it if the root is rational."""
    net = ref.Network((np.array([[Fraction(2), Fraction(1)]]),), (), "squared_error")
    one = np.array([[Fraction(1)]])
    with pytest.raises(TypeError, match="sqrt"):
        ref.algorithm_1(net, one, one, Fraction(1), Fraction(1), Fraction(0))


def test_inputs_of_zeros_without_a_bias(relative_error):
    """tr Q = 0, for which the choice at (38) is omega = 1."""
    net = ref.Network((np.ones((2, 2)),), (), "squared_error", biases=(False,))
    batch = np.zeros((3, 2)), np.ones((3, 2))
    ours, truth = ref.algorithm_1(net, *batch, GAMMA, TAU, ETA), by_equations(net, *batch, GAMMA, TAU, ETA)
    assert relative_error(ours.direction, truth.direction) < 1e-14
