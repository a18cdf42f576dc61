"""The factors that autodiff does not give: E[Q_l] of (21), and KFRA (26) in cases that differ from KFLR."""

from fractions import Fraction

import numpy as np
import pytest
from kfgn_reference import Network, expected_q, kfra

TRANSFERS = {  # f and f'
    "identity": (lambda h: h, lambda h: np.ones_like(h)),
    "relu": (lambda h: np.maximum(h, 0), lambda h: np.heaviside(h, 0)),
    "leaky_relu": (lambda h: np.maximum(h / 10, h), lambda h: np.where(h < 0, 0.1, 1)),
    "tanh": (np.tanh, lambda h: 1 - np.tanh(h) ** 2),
    "logistic": (lambda h: 1 / (1 + np.exp(-h)), lambda h: np.exp(-h) / (1 + np.exp(-h)) ** 2),
    "softplus": (lambda h: np.log(1 + np.exp(h)), lambda h: 1 / (1 + np.exp(-h))),
}


def mixture_hessian(psd, h, y):
    """p' p'^T / p^2 - p'' / p of (27) without its negative eigenvalues, or the first term alone."""
    s, A, C = 1 / (1 + np.exp(-h * [1, 2 * y - 1, 2 * y - 1]))
    t = 2 * y - 1
    p = s * A + (1 - s) * C
    first = np.array([s * (1 - s) * (A - C), t * s * A * (1 - A), t * (1 - s) * C * (1 - C)]) / p
    if psd == "scalar":
        return np.outer(first, first)
    by_1_2, by_1_3 = t * s * (1 - s) * A * (1 - A), -t * s * (1 - s) * C * (1 - C)
    second = np.array([[0, by_1_2, by_1_3], [by_1_2, 0, 0], [by_1_3, 0, 0]])
    np.fill_diagonal(
        second, [first[0] * (1 - 2 * s) * p, first[1] * (1 - 2 * A) * t * p, first[2] * (1 - 2 * C) * t * p]
    )
    values, vectors = np.linalg.eigh(np.outer(first, first) - second / p)
    return vectors @ np.diag(np.maximum(values, 0)) @ vectors.T


def output_hessian(net, h, y):
    objective = net.objective
    if objective == "mixture":
        return mixture_hessian(net.psd, h, y)
    if objective == "squared_error":
        return np.eye(len(h))
    p = np.exp(h) / (np.exp(h).sum() if objective == "categorical" else 1 + np.exp(h))
    return np.diag(p) - (np.outer(p, p) if objective == "categorical" else np.diag(p**2))


def batch_pass(net, X):
    """a_0, ..., a_{L-1} and h_1, ..., h_L of the whole batch, (N, D_l)."""
    a, h = [X], []
    for W, f in zip(net.weights, (*net.transfers, "identity"), strict=True):
        h.append(a[-1] @ W[:, :-1].T + W[:, -1])
        a.append(TRANSFERS[f][0](h[-1]))
    return a[:-1], h


def test_q(problem, relative_error):
    """E[Q_l] = A_{l-1} A_{l-1}^T / N with a last row of ones in A_{l-1}, neither centred nor divided by N - 1."""
    net, X, _ = problem
    activations = [np.vstack([a.T, np.ones(len(X))]) for a in batch_pass(net, X)[0]]
    truth = {l: A @ A.T / len(X) for l, A in enumerate(activations, 1)}
    assert relative_error(expected_q(net, X), truth) < 1e-12


def test_kfra(problem, relative_error):
    """E[G_l] = E[B_l W^T E[G_{l+1}] W B_l] with a dense diagonal matrix B_l per datapoint."""
    net, X, Y = problem
    h = batch_pass(net, X)[1]
    G = np.mean([output_hessian(net, output, y) for output, y in zip(h[-1], Y, strict=True)], axis=0)
    truth = {net.L: G}
    for l in range(net.L - 1, 0, -1):
        W, derivative = net.weights[l][:, :-1], TRANSFERS[net.transfers[l - 1]][1]
        B = map(np.diag, derivative(h[l - 1]))
        truth[l] = G = np.mean([b @ W.T @ G @ W @ b for b in B], axis=0)
    assert relative_error(kfra(*problem), truth) < 1e-12


@pytest.mark.parametrize("number", [float, Fraction])
def test_kfra_by_hand(number):
    """One unit per layer, squared error, two datapoints, with f' = (1, 0) in layer 1 and (1, 1/10) in layer 2.

    G_3 = 1, G_2 = 2^2 (1 + 1/100) / 2 = 101/50 and G_1 = 3^2 (101/50) (1 + 0) / 2 = 909/100. KFLR, which keeps the
    derivatives of a datapoint together, has G_1 = 2^2 3^2 (1 + 0) / 2 = 18.
    """
    weights = tuple(np.array([[number(w), number(b)]]) for w, b in [(1, 0), (3, -1), (2, 5)])
    net = Network(weights, ("relu", "leaky_relu"), "squared_error")
    X, Y = np.array([[number(1)], [number(-1)]]), np.array([[number(4)], [number(0)]])
    G = kfra(net, X, Y)
    assert [G[l].shape for l in (1, 2, 3)] == [(1, 1)] * 3
    expected = [Fraction(909, 100), Fraction(101, 50), 1]
    if number is float:
        expected = pytest.approx([float(value) for value in expected], rel=1e-15)
    assert [G[l][0, 0] for l in (1, 2, 3)] == expected
