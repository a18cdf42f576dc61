"""Layers without a bias and a leaky ReLU with the slope 0.01, compared with PyTorch and dense algebra in float64."""

import itertools

import kfgn_reference as ref
import numpy as np
import pytest

from .layers import BIASES, WIDTHS, network


@pytest.fixture(scope="module", params=BIASES, ids=lambda biases: "".join("01"[b] for b in biases))
def biases(request):
    return request.param


TAU, GAMMA, ETA = 0.6, 0.3, 0.02


class Truth:
    """The loss, its derivatives and the Jacobians by PyTorch, as dense matrices."""

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
        """(26) as an expectation of matrix products per layer."""
        G = {self.net.L: self.mean(self.H_L)}
        for l in range(self.net.L - 1, 0, -1):
            W = self.net.weights[l][:, : WIDTHS[l]]
            B = [self.torch.func.jacrev(lambda v, l=l: self.transfer(l, v))(h[l]).numpy() for h in self.h]
            G[l] = self.mean(b @ W.T @ G[l + 1] @ W @ b for b in B)
        return G

    def q(self):
        """E[a a^T] for the vectors a that each W_l multiplies."""
        a = [
            [x.numpy(), *(self.transfer(l, h[l]).numpy() for l in (1, 2))] for x, h in zip(self.X, self.h, strict=True)
        ]
        units = [[np.append(v, [1] * bias) for v, bias in zip(row, self.net.biases, strict=True)] for row in a]
        return {l: self.mean(np.outer(row[l - 1], row[l - 1]) for row in units) for l in range(1, self.net.L + 1)}


@pytest.fixture(scope="module", params=["squared_error", "categorical"])
def case(request, biases):
    problem = network(request.param, biases)
    return problem, Truth(*problem)


def cut(net, M):
    """The blocks of M between vec(W_l) and vec(W_m), keyed (l, m)."""
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
    """Six expressions of (28), and (29), are the Hessian in h_l, also for a layer without a bias."""
    (net, X, Y), truth = case
    for n, (x, y) in enumerate(zip(X, truth.Y, strict=True)):
        for l in range(1, net.L):
            H = truth.hessian(lambda h, l=l, y=y: truth.error(truth.onward(l, h), y), truth.h[n][l])
            for expression in ref.derivation(net, x, Y[n], l):
                assert relative_error(expression, H) < 1e-12


@pytest.mark.parametrize("method", ["kfra", "kflr", "hessian_free", "hessian_free_blocks"])
def test_optimiser_step(case, method, relative_error):
    """The new weights by dense matrices: the direction solves the damped system, and alpha is (40)."""
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
