"""Algorithm 1 compared with a third version in rows, correct and with each likely misreading.

`update` has the misprints of the paper and the likely errors of an implementation as options. Without an option it must
agree with the reference, and with every option it must differ.
"""

import kfgn_reference as ref
import numpy as np
import pytest

from .algorithm_1 import ETA, GAMMA, TAU, problem

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
    """The new weights by Algorithm 1, correct or with one of `SLIPS`. Datapoints are rows."""
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
    """A problem whose kernels with bias are square matrices, so that the inverses fit on both sides."""
    return problem(request.param, widths=(2, 3, 4, 5), N=4, seed=6)


@pytest.fixture(scope="module", params=["squared_error", "bernoulli", "categorical"])
def ragged(request):
    """A problem in which no two dimensions of a layer are equal, so that omega depends on them."""
    return problem(request.param, widths=(3, 6, 2, 5), N=4, seed=6)


def moves(case, slip=None):
    """The changes of the weights by `update` and by the reference."""
    W = dict(enumerate(case[0].weights, start=1))
    here, there = update(*case, GAMMA, TAU, ETA, slip), ref.algorithm_1(*case, GAMMA, TAU, ETA).weights
    return {l: here[l] - W[l] for l in W}, {l: there[l] - W[l] for l in W}


def test_right_reading(square, ragged, relative_error):
    assert relative_error(*moves(square)) < 1e-12
    assert relative_error(*moves(ragged)) < 1e-12


def test_misread_inverses(square, relative_error):
    """Exchanged inverses give a wrong number if the layers are square, and a shape error otherwise."""
    assert relative_error(*moves(square, SLIPS[0])) > 1e-2


@pytest.mark.parametrize("slip", SLIPS[1:])
def test_misreadings(ragged, slip, relative_error):
    """Every slip changes the update by more than a thousandth, except one for the squared error, with H_L = I."""
    error = relative_error(*moves(ragged, slip))
    if slip == "H_L of the first datapoint" and ragged[0].objective == "squared_error":
        assert error < 1e-12
    else:
        assert error > 1e-3
