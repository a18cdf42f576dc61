"""Algorithm 1 as a whole: against the functions of its equations, by hand, in balls, and against its own misreadings.

`update` here is a third version, in rows, with the misprints and the likely slips of an implementation as options: the
plain one must agree, and every other must not.
"""

import itertools
from fractions import Fraction

import flint
import kfgn_reference as ref
import numpy as np
import pytest

GAMMA, TAU, ETA = 0.7, 0.2, 0.05
OBJECTIVES = (
    ("squared_error", "project"),
    ("bernoulli", "project"),
    ("categorical", "project"),
    ("mixture", "project"),
    ("mixture", "scalar"),
)
NAMES = ("gradient", "Q", "G", "direction", "weights")


def problem(objective, psd="project", widths=(4, 5, 2, 3), transfers=("tanh", "softplus"), N=5, seed=1):
    rng = np.random.default_rng(seed)
    shapes = [(width, below + 1) for below, width in itertools.pairwise(widths)]
    net = ref.Network(tuple(rng.normal(size=shape) for shape in shapes), transfers, objective, psd)
    D = widths[-1]
    Y = {
        "squared_error": rng.normal(size=(N, D)),
        "bernoulli": rng.uniform(size=(N, D)),
        "categorical": rng.integers(D, size=N),
        "mixture": np.arange(N) % 2,
    }[objective]
    return net, rng.normal(size=(N, widths[0])), Y


def by_equations(net, X, Y, gamma, tau, eta):
    """One datapoint and one equation at a time."""
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
    rounded = ref.algorithm_1(floats, X.astype(float), Y.astype(float), 3.75, 0.75, 0.25)
    assert abs(rounded.alpha + 9107 / 4 * 2900 / 3 / 1036890) < 1e-14
    assert abs(rounded.weights[1][0, 0] - (2 - 238 * 9107 / 4147560)) < 1e-15


def test_dead_units():
    """A layer of dead ReLUs: tr G = 0 below it, omega = 1 there, and the direction is g over k, but for Q."""
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
    """gamma + eta = 0 with one datapoint: Q has rank 1 and cannot be solved with. Either of the two will do."""
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
    """Python's rationals cannot take omega's; FLINT's can where it is rational."""
    net = ref.Network((np.array([[Fraction(2), Fraction(1)]]),), (), "squared_error")
    one = np.array([[Fraction(1)]])
    with pytest.raises(TypeError, match="sqrt"):
        ref.algorithm_1(net, one, one, Fraction(1), Fraction(1), Fraction(0))


SLIPS = (
    "the inverses change sides",
    "no 1/N in g",
    "no 1/N in Q",
    "no 1/N in G_L",
    "no 1/N in A A^T",
    "no mean over v H v",
    "v at the mean datapoint",
    "f' averaged before its outer product",
    "a mean of whole recursions",
    "H_L of the first datapoint",
    "the first column is the bias",
    "the first column is the bias in the R-operator",
    "no L2 in g",
    "no L2 on the bias",
    "L2 twice",
    "k without its root",
    "gamma without eta",
    "omega upside down",
    "omega squared",
    "omega without dimensions",
    "omega is 1",
    "damping of both factors by k",
    "no tau",
    "no eta in alpha",
    "gamma in alpha",
    "downhill",
    "no alpha",
)
FIRST = {"tanh": lambda h: 1 - np.tanh(h) ** 2, "softplus": lambda h: 1 / (1 + np.exp(-h))}
VALUE = {"tanh": np.tanh, "softplus": lambda h: np.log(1 + np.exp(h))}


def update(net, X, Y, gamma, tau, eta, slip=None):
    """The new weights by Algorithm 1, right or with one of `SLIPS`. Datapoints are rows; H_L and dE/dh_L are given."""
    assert slip is None or slip in SLIPS

    def unless(name, value, otherwise):
        return otherwise if slip == name else value

    N, L, W = len(X), len(net.weights), net.weights
    ones = np.ones((N, 1))
    a, h = [np.hstack([X, ones])], []
    for l in range(L):
        h.append(a[l] @ W[l].T)
        if l < L - 1:
            a.append(np.hstack([VALUE[net.transfers[l]](h[l]), ones]))
    outputs = list(zip(h[-1], Y, strict=True))
    H = np.array([ref.OBJECTIVES[net.objective].hessian(h_n, y) for h_n, y in outputs])
    d = np.array([ref.OBJECTIVES[net.objective].gradient(h_n, y) for h_n, y in outputs])
    G = unless("no 1/N in G_L", unless("H_L of the first datapoint", H.mean(axis=0), H[0]), H.sum(axis=0))
    each, g, delta = H, [None] * L, [None] * L
    for l in reversed(range(L)):
        L2 = eta * unless("L2 twice", unless("no L2 in g", 1, 0), 2) * W[l]
        L2 = unless("no L2 on the bias", L2, L2 * (np.arange(W[l].shape[1]) < W[l].shape[1] - 1))
        g[l] = np.einsum("na,nb->ab", d, a[l]) / unless("no 1/N in g", N, 1) + L2
        Q = np.einsum("na,nb->ab", a[l], a[l]) / unless("no 1/N in Q", N, 1)
        omega = np.sqrt(np.trace(Q) / len(Q) / (np.trace(G) / len(G)))
        omega = unless("omega without dimensions", omega, np.sqrt(np.trace(Q) / np.trace(G)))
        omega = unless("omega squared", unless("omega upside down", omega, 1 / omega), omega**2)
        omega = unless("omega is 1", omega, 1)
        k = gamma + unless("gamma without eta", eta, 0)
        root = unless("k without its root", np.sqrt(k), k)
        left = np.linalg.inv(G + np.eye(len(G)) * unless("damping of both factors by k", root / omega, k))
        right = np.linalg.inv(Q + np.eye(len(Q)) * unless("damping of both factors by k", root * omega, k))
        delta[l] = right @ g[l] @ left if slip == "the inverses change sides" else left @ g[l] @ right
        if l > 0:
            kernel = unless("the first column is the bias", W[l][:, :-1], W[l][:, 1:])
            A = FIRST[net.transfers[l - 1]](h[l - 1])
            d = (d @ kernel) * A
            outer = np.einsum("na,nb->ab", A, A) / unless("no 1/N in A A^T", N, 1)
            outer = unless("f' averaged before its outer product", outer, np.outer(A.mean(axis=0), A.mean(axis=0)))
            each = np.einsum("na,ia,nij,jb,nb->nab", A, kernel, each, kernel, A)
            G = unless("a mean of whole recursions", (kernel.T @ G @ kernel) * outer, each.mean(axis=0))
    Ra = np.zeros_like(X)
    for l in range(L):
        kernel = unless("the first column is the bias in the R-operator", W[l][:, :-1], W[l][:, 1:])
        v = a[l] @ delta[l].T + Ra @ kernel.T
        if l < L - 1:
            Ra = FIRST[net.transfers[l]](h[l]) * v
    along = np.einsum("na,nab,nb->n", v, H, v)
    curvature = unless("no mean over v H v", along.mean(), along.sum())
    curvature = unless("v at the mean datapoint", curvature, v.mean(axis=0) @ H.mean(axis=0) @ v.mean(axis=0))
    damping = unless("no tau", tau, 0) + unless("no eta in alpha", eta, 0) + unless("gamma in alpha", 0, gamma)
    curvature = curvature + damping * sum(np.sum(part**2) for part in delta)
    alpha = -sum(np.sum(part * slope) for part, slope in zip(delta, g, strict=True)) / curvature
    alpha = unless("no alpha", unless("downhill", alpha, -alpha), -1)
    return {l: W[l - 1] + alpha * delta[l - 1] for l in range(1, L + 1)}


@pytest.fixture(scope="module", params=["squared_error", "bernoulli", "categorical"])
def square(request):
    """All weights are square matrices, so that the inverses fit on both sides."""
    return problem(request.param, widths=(2, 3, 4, 5), N=4, seed=6)


@pytest.fixture(scope="module", params=["squared_error", "bernoulli", "categorical"])
def ragged(request):
    """No two dimensions of a layer are equal, so that omega needs them."""
    return problem(request.param, widths=(3, 6, 2, 5), N=4, seed=6)


def moves(case, slip=None):
    """How far the weights go, here and there."""
    W = dict(enumerate(case[0].weights, start=1))
    here, there = update(*case, GAMMA, TAU, ETA, slip), ref.algorithm_1(*case, GAMMA, TAU, ETA).weights
    return {l: here[l] - W[l] for l in W}, {l: there[l] - W[l] for l in W}


def test_right_reading(square, ragged, relative_error):
    assert relative_error(*moves(square)) < 1e-12
    assert relative_error(*moves(ragged)) < 1e-12


def test_misread_inverses(square, relative_error):
    """By another number only where the layers are square; elsewhere NumPy refuses it."""
    assert relative_error(*moves(square, SLIPS[0])) > 1e-2


@pytest.mark.parametrize("slip", SLIPS[1:])
def test_misreadings(ragged, slip, relative_error):
    """Every slip moves the update by more than a thousandth. One is none for the squared error, with H_L = I."""
    error = relative_error(*moves(ragged, slip))
    if slip == "H_L of the first datapoint" and ragged[0].objective == "squared_error":
        assert error < 1e-12
    else:
        assert error > 1e-3
