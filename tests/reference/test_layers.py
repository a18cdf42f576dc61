"""Layers without a bias and leaky ReLUs of another slope, compared with PyTorch and with networks of zero biases."""

import itertools
from fractions import Fraction

import flint
import kfgn_reference as ref
import numpy as np
import pytest

BIASES = [(True, False, True), (False, True, False), (False, False, False)]
TRANSFERS = (("leaky_relu", 0.01), "tanh")
WIDTHS = (2, 5, 4, 3)
TAU, GAMMA, ETA = 0.6, 0.3, 0.02


def network(objective, biases, transfers=TRANSFERS, N=4, seed=1):
    rng = np.random.default_rng(seed)
    shapes = [(above, below + bias) for (below, above), bias in zip(itertools.pairwise(WIDTHS), biases, strict=True)]
    weights = tuple(rng.normal(size=shape) for shape in shapes)
    X = rng.normal(size=(N, WIDTHS[0]))
    Y = rng.normal(size=(N, WIDTHS[-1])) if objective == "squared_error" else np.arange(N) % WIDTHS[-1]
    return ref.Network(weights, transfers, objective, biases=biases), X, Y


# float64, compared with PyTorch


class Truth:
    """The loss, its derivatives and the Jacobians by PyTorch, with every matrix dense."""

    def __init__(self, net, X, Y):
        torch = pytest.importorskip("torch")
        self.net, self.torch = net, torch
        self.theta = torch.tensor(ref.theta(dict(enumerate(net.weights, 1))))
        self.X, self.Y = torch.tensor(X), torch.tensor(Y)
        self.J = [torch.func.jacrev(lambda at, x=x: self.output(at, x))(self.theta).numpy() for x in self.X]
        self.h = [self.preactivations(x) for x in self.X]
        self.H_L = [
            self.hessian(lambda h, y=y: self.error(h, y), h[net.L]) for h, y in zip(self.h, self.Y, strict=True)
        ]

    def hessian(self, f, at):
        func = self.torch.func
        return func.jacrev(func.grad(f))(at).numpy()

    def transfer(self, l, h):
        torch = self.torch
        return torch.nn.functional.leaky_relu(h, negative_slope=0.01) if l == 1 else torch.tanh(h)

    def layer(self, W, l, a):
        return W[:, :-1] @ a + W[:, -1] if self.net.biases[l - 1] else W @ a

    def output(self, at, x):
        parts = self.torch.split(at, [W.size for W in self.net.weights])
        a = x
        for l, (part, W) in enumerate(zip(parts, self.net.weights, strict=True), 1):
            h = self.layer(part.reshape(W.shape[::-1]).T, l, a)
            a = self.transfer(l, h)
        return h

    def onward(self, l, h):
        for m in range(l, self.net.L):
            h = self.layer(self.torch.tensor(self.net.weights[m]), m + 1, self.transfer(m, h))
        return h

    def preactivations(self, x):
        h = {1: self.layer(self.torch.tensor(self.net.weights[0]), 1, x)}
        for l in range(1, self.net.L):
            h[l + 1] = self.layer(self.torch.tensor(self.net.weights[l]), l + 1, self.transfer(l, h[l]))
        return h

    def error(self, h, y):
        F = self.torch.nn.functional
        return F.cross_entropy(h, y) if self.net.objective == "categorical" else ((h - y) ** 2).sum() / 2

    def loss(self, at):
        return sum(self.error(self.output(at, x), y) for x, y in zip(self.X, self.Y, strict=True)) / len(self.X)

    def mean(self, values):
        return sum(values) / len(self.X)

    def J_l(self, n, l):  # noqa: N802
        return self.torch.func.jacrev(lambda h: self.onward(l, h))(self.h[n][l]).numpy()

    def kflr(self):
        return {
            l: self.mean(self.J_l(n, l).T @ H @ self.J_l(n, l) for n, H in enumerate(self.H_L))
            for l in range(1, self.net.L + 1)
        }

    def kfra(self):
        """(26) with an expectation of matrix products at every layer."""
        G = {self.net.L: self.mean(self.H_L)}
        for l in range(self.net.L - 1, 0, -1):
            W = self.net.weights[l][:, : WIDTHS[l]]
            B = [self.torch.func.jacrev(lambda v, l=l: self.transfer(l, v))(h[l]).numpy() for h in self.h]
            G[l] = self.mean(b @ W.T @ G[l + 1] @ W @ b for b in B)
        return G

    def q(self):
        """Q from J_{W_l} = a^T kron I: the units that W_l multiplies."""
        a = [
            [x.numpy(), *(self.transfer(l, h[l]).numpy() for l in (1, 2))] for x, h in zip(self.X, self.h, strict=True)
        ]
        units = [[np.append(v, [1] * bias) for v, bias in zip(row, self.net.biases, strict=True)] for row in a]
        return {l: self.mean(np.outer(row[l - 1], row[l - 1]) for row in units) for l in range(1, self.net.L + 1)}


@pytest.fixture(scope="module", params=BIASES, ids=lambda biases: "".join("01"[b] for b in biases))
def biases(request):
    return request.param


@pytest.fixture(scope="module", params=["squared_error", "categorical"])
def case(request, biases):
    problem = network(request.param, biases)
    return problem, Truth(*problem)


def cut(net, M):
    """{(l, m): the block of M between vec(W_l) and vec(W_m)}."""
    ends = np.cumsum([0, *[W.size for W in net.weights]])
    slices = {l: slice(i, j) for l, (i, j) in enumerate(itertools.pairwise(ends), 1)}
    return {(l, m): M[slices[l], slices[m]] for l in slices for m in slices}


def on_diagonal(net, M):
    return {l: block for (l, m), block in cut(net, M).items() if l == m}


def test_gradient_and_hessian(case, relative_error):
    (net, X, Y), truth = case
    func = truth.torch.func
    assert relative_error(ref.theta(ref.gradient(net, X, Y)), func.grad(truth.loss)(truth.theta).numpy()) < 1e-13
    H = truth.hessian(truth.loss, truth.theta)
    assert relative_error(ref.hessian(net, X, Y), H) < 1e-12
    assert relative_error(ref.hessian_blocks(net, X, Y), on_diagonal(net, H)) < 1e-12


def test_gauss_newton(case, relative_error):
    (net, X, Y), truth = case
    G = truth.mean(J.T @ H @ J for J, H in zip(truth.J, truth.H_L, strict=True))
    assert relative_error(ref.gauss_newton(net, X, Y), G) < 1e-12
    assert relative_error(ref.gauss_newton_blocks(net, X, Y), on_diagonal(net, G)) < 1e-12
    assert relative_error(ref.gauss_newton_between(net, X, Y), cut(net, G)) < 1e-12
    assert relative_error(ref.assembled(net, ref.factored_between(net, X, Y)), G) < 1e-12
    if net.objective == "categorical":  # the Fisher matrix is the same matrix
        assert relative_error(ref.fisher(net, X), G) < 1e-12
    for blocks in (ref.fisher_from_kronecker_vectors, ref.fisher_from_kronecker_products):
        assert relative_error(ref.assembled(net, blocks(net, X)), G) < 1e-12


def test_factors(case, relative_error):
    (net, X, Y), truth = case
    assert relative_error(ref.expected_q(net, X), truth.q()) < 1e-13
    assert relative_error(ref.kflr(net, X, Y), truth.kflr()) < 1e-12
    assert relative_error(ref.kfra(net, X, Y), truth.kfra()) < 1e-12
    assert relative_error(ref.kfra(net, X, Y), truth.kflr()) > 1e-4
    K = WIDTHS[-1]
    units = np.sqrt(K) * np.tile(np.eye(K), (len(X), 1, 1))  # the mean of z z^T is I
    assert relative_error(ref.rp(net, X, Y, units), truth.kflr()) < 1e-12
    assert relative_error(ref.mean_from_gradients(net, X), truth.kflr()) < 1e-12


def test_products(case, relative_error):
    (net, X, Y), truth = case
    rng = np.random.default_rng(3)
    V = {l: rng.normal(size=W.shape) for l, W in enumerate(net.weights, 1)}
    v = ref.theta(V)
    for product, M in ((ref.hessian_product, ref.hessian), (ref.gauss_newton_product, ref.gauss_newton)):
        assert relative_error(ref.theta(product(net, X, Y, V)), M(net, X, Y) @ v) < 1e-12
    u = rng.normal(size=WIDTHS[-1])
    for x, J in zip(X, truth.J, strict=True):
        assert relative_error(ref.jacobian_product(net, x, V), J @ v) < 1e-12
        assert relative_error(ref.theta(ref.transposed_jacobian_product(net, x, u)), J.T @ u) < 1e-12


def test_derivation(case, relative_error):
    """The seven expressions of (28), which differentiate by h_l also where no bias moves it."""
    (net, X, Y), truth = case
    for n, (x, y) in enumerate(zip(X, truth.Y, strict=True)):
        for l in range(1, net.L):
            H = truth.hessian(lambda h, l=l, y=y: truth.error(truth.onward(l, h), y), truth.h[n][l])
            for expression in ref.derivation(net, x, Y[n], l):
                assert relative_error(expression, H) < 1e-12


@pytest.mark.parametrize("method", ["kfra", "kflr", "hessian_free", "hessian_free_blocks"])
def test_optimiser_step(case, method, relative_error):
    """The new weights from dense matrices: the direction solves the damped block, and alpha is (40)."""
    (net, X, Y), truth = case
    state, info = ref.optimiser_step(ref.Settings(method, ETA), ref.initial_state(net, TAU, GAMMA), X, Y)
    theta = truth.theta.numpy()
    g = truth.torch.func.grad(truth.loss)(truth.theta).numpy() + ETA * theta
    C = truth.mean(J.T @ H @ J for J, H in zip(truth.J, truth.H_L, strict=True))
    bar = C + (TAU + ETA) * np.eye(len(C))
    ends = np.cumsum([W.size for W in net.weights])[:-1]
    if method == "hessian_free":
        delta = np.linalg.solve(bar, g)
    else:
        Q, G = truth.q(), getattr(truth, method if method == "kflr" else "kfra")()
        tilde = []
        for l, block in on_diagonal(net, C).items():
            k, w = GAMMA + ETA, np.sqrt(np.trace(Q[l]) * len(G[l]) / (np.trace(G[l]) * len(Q[l])))
            left, right = Q[l] + w * np.sqrt(k) * np.eye(len(Q[l])), G[l] + np.sqrt(k) / w * np.eye(len(G[l]))
            tilde.append(block + k * np.eye(len(block)) if method == "hessian_free_blocks" else np.kron(left, right))
        delta = np.concatenate([np.linalg.solve(M, part) for M, part in zip(tilde, np.split(g, ends), strict=True)])
    alpha = -(delta @ g) / (delta @ bar @ delta)
    assert abs(info.alpha / alpha - 1) < 1e-10
    assert relative_error(ref.theta(dict(enumerate(state.net.weights, 1))) - theta, alpha * delta) < 1e-10
    assert state.net.biases == net.biases


def test_algorithm_1(case, relative_error):
    (net, X, Y), _ = case
    after, info = ref.optimiser_step(ref.Settings("kfra", ETA), ref.initial_state(net, TAU, GAMMA), X, Y)
    expected = ref.algorithm_1(net, X, Y, GAMMA, TAU, ETA)
    assert relative_error(dict(enumerate(after.net.weights, 1)), expected.weights) < 1e-12
    assert relative_error(after.Q, expected.Q) < 1e-13
    assert relative_error(after.G, expected.G) < 1e-13
    assert abs(info.alpha / expected.alpha - 1) < 1e-12


# Rationals, compared with the same network with biases of zero


def rational(array):
    return np.frompyfunc(lambda v: Fraction(int(np.round(7 * v)), 7), 1, 1)(array)


@pytest.fixture(scope="module")
def exact(biases):
    """A network of Fractions, its batch, and the same network with a zero bias wherever it has none."""
    transfers = (("leaky_relu", Fraction(1, 100)), "relu")
    net, X, Y = network("squared_error", biases, transfers, N=3, seed=4)
    net = net._replace(weights=tuple(rational(W) for W in net.weights))
    return net, rational(X), rational(Y), net._replace(weights=with_zeros(net, net.weights), biases=None)


def with_zeros(net, matrices):
    """The matrices of the layers with a column of zeros for each bias that a layer does not have."""
    pairs = zip(matrices, net.biases, strict=True)
    return tuple(V if bias else np.append(V, V[:, :1] * 0, axis=1) for V, bias in pairs)


def without(net, V):
    """The matrices of the layers without the column of each bias that a layer does not have."""
    return {l: V[l] if net.biases[l - 1] else V[l][:, :-1] for l in V}


def blocks_without(net, blocks):
    """Q, or the blocks of a matrix, without the rows and columns of each bias that a layer does not have."""
    kept = {}
    for l, M in blocks.items():
        size = len(M) - (0 if net.biases[l - 1] else len(M) // (WIDTHS[l - 1] + 1))
        kept[l] = M[:size, :size]
    return kept


def assert_equal(ours, truth):
    assert ours.keys() == truth.keys()
    for key in truth:
        assert ours[key].tolist() == truth[key].tolist()
        assert {type(v) for v in np.ravel(ours[key])} <= {Fraction, int}


def test_rational_forward(exact):
    """h_L and the loss by loops."""
    net, X, Y, _ = exact
    total = 0
    for x, y in zip(X, Y, strict=True):
        a = list(x)
        for W, bias, slope in zip(net.weights, net.biases, (Fraction(1, 100), 0, 1), strict=True):
            h = [sum(w * v for w, v in zip(row, [*a, 1] if bias else a, strict=True)) for row in W]
            a = [v if v > 0 else slope * v for v in h]
        assert ref.forward(net, x)[1][net.L].tolist() == h
        total += sum((v - t) ** 2 for v, t in zip(h, y, strict=True))
    assert ref.loss(net, X, Y) == total / 2 / len(X)


def test_rational_curvature(exact):
    net, X, Y, wide = exact
    assert_equal(ref.gradient(net, X, Y), without(net, ref.gradient(wide, X, Y)))
    assert_equal(ref.expected_q(net, X), blocks_without(net, ref.expected_q(wide, X)))
    for factor in (ref.kfra, ref.kflr):
        assert_equal(factor(net, X, Y), factor(wide, X, Y))
    for blocks in (ref.hessian_blocks, ref.gauss_newton_blocks):
        assert_equal(blocks(net, X, Y), blocks_without(net, blocks(wide, X, Y)))


def test_rational_products(exact):
    net, X, Y, wide = exact
    V = {l: W * 0 + 1 + np.arange(W.size).reshape(W.shape) % 5 for l, W in enumerate(net.weights, 1)}
    U = dict(enumerate(with_zeros(net, V.values()), 1))
    for product in (ref.hessian_product, ref.gauss_newton_product):
        assert_equal(product(net, X, Y, V), without(net, product(wide, X, Y, U)))
    assert ref.curvature_along(net, X, Y, V, Fraction(1, 3), 0) == ref.curvature_along(wide, X, Y, U, Fraction(1, 3), 0)


def test_rational_optimiser_step(exact):
    """delta solves (G-bar + (tau + eta) I) delta = grad f, and the weights move by alpha delta, exactly."""
    net, X, Y, _ = exact
    tau, eta = Fraction(3, 5), Fraction(1, 50)
    start = ref.initial_state(net, tau, Fraction(1))
    state, info = ref.optimiser_step(ref.Settings("hessian_free", eta), start, X, Y)
    moved = ref.theta({l: W - net.weights[l - 1] for l, W in enumerate(state.net.weights, 1)})
    g = ref.theta(ref.regularised_gradient(net, X, Y, eta))
    assert info.alpha == -1  # the minimiser of the model that alpha is measured under
    assert (ref.damped(ref.gauss_newton(net, X, Y), tau + eta) @ moved == -g).all()


# The parameter of a transfer function


@pytest.mark.parametrize("number", [float, np.float32, Fraction, flint.fmpq, flint.arb], ids=lambda f: f.__name__)
@pytest.mark.parametrize("slope", [0.25, Fraction(1, 4)])
def test_slope(number, slope):
    """1/4 is exact in every arithmetic, and the type of the numbers is kept."""
    f = ref.transfer(("leaky_relu", slope))
    h = np.array([number(-2), number(0), number(3)])
    for ours, truth in ((f.f(h), (-0.5, 0, 3)), (f.first(h), (0.25, 0.25, 1)), (f.second(h), (0, 0, 0))):
        assert ours.dtype == h.dtype
        assert [float(v.p) / float(v.q) if number is flint.fmpq else float(v) for v in ours] == list(truth)
        assert h.dtype != object or {type(v) for v in ours} == {number}


def test_slope_in_floating_point():
    """A float is its binary value: the product with h is rounded once. The default is h / 10, to the bit."""
    h = -np.random.default_rng(0).exponential(size=1000)
    assert (ref.transfer(("leaky_relu", 0.01)).f(h) == 0.01 * h).all()
    assert (ref.transfer(("leaky_relu", 0.01)).first(h) == 0.01).all()
    assert (ref.transfer("leaky_relu").f(h) == h / 10).all()
    assert (ref.transfer(("leaky_relu", Fraction(1, 10))).f(h) == h / 10).all()
    exact = np.array([Fraction(-3)])
    assert ref.transfer(("leaky_relu", 0.01)).f(exact).tolist() == [-3 * Fraction(0.01)]


def test_only_leaky_relu_has_a_parameter():
    with pytest.raises(ValueError, match=r"^transfers: expected a parameter only for leaky_relu, got \('relu', 0.1\)$"):
        ref.transfer(("relu", 0.1))
    net, X, Y = network("squared_error", (True, True, True), (("tanh", 2), "tanh"))
    with pytest.raises(ValueError, match="expected a parameter only for leaky_relu"):
        ref.loss(net, X, Y)
