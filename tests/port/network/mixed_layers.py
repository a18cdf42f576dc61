"""Problems on networks that mix layers with and without a bias, and their derivatives by PyTorch."""

import itertools
from typing import Any, NamedTuple

import numpy as np
import pytest

import kfgn

torch = pytest.importorskip("torch")

OBJECTIVES = ["squared_error", "bernoulli", "categorical", "mixture", "mixture scalar"]
SLOPE = 0.01
N, S = 5, 3


class Problem(NamedTuple):
    """A network with a bias in some layers, and arguments of the public functions in NumPy's float64."""

    network: Any
    weights: Any
    X: Any
    Y: Any
    V: Any


def problem(biases, objective):
    """Layers of 4, 7, 2, 5 and 3 units: KFLR restarts at the layer of 2 units, where K is 3."""
    rng = np.random.default_rng([*biases, 15])
    objective, _, psd = objective.partition(" ")
    transfers = (("leaky_relu", SLOPE), "tanh", ("leaky_relu", SLOPE), "identity")
    layers = tuple(kfgn.Dense(*layer) for layer in zip((7, 2, 5, 3), transfers, biases, strict=True))
    network = kfgn.Network(4, layers, objective, psd or "project")
    weights, V = (tuple(rng.standard_normal(shape) for shape in network.weight_shapes) for _ in range(2))
    classes = network.classes
    Y = rng.random((N, 3)) if classes is None else rng.integers(0, classes, N)
    return Problem(network, weights, rng.standard_normal((N, 4)), Y, V)


def unravel(network, theta):
    """The weights of a vector of their columns, one layer after the other."""
    parts = torch.split(theta, [m * n for m, n in network.weight_shapes])
    return [part.reshape(n, m).T for part, (m, n) in zip(parts, network.weight_shapes, strict=True)]


def ravel(arrays):
    """vec of each layer, columns stacked, one after the other."""
    return np.concatenate([np.asarray(a).T.ravel() for a in arrays])


def outputs(network, theta, x):
    a = x
    for layer, W in zip(network.layers, unravel(network, theta), strict=True):
        h = W[:, : len(a)] @ a
        if layer.bias:
            h = h + W[:, -1]
        a = {"tanh": torch.tanh, "identity": lambda h: h}.get(
            layer.transfer, lambda h: torch.where(h > 0, h, SLOPE * h)
        )(h)
    return a


def objective_value(network, h, y):
    log_sigma = torch.nn.functional.logsigmoid
    if network.objective == "squared_error":
        return ((h - y) ** 2).sum() / 2
    if network.objective == "bernoulli":
        return -(y * log_sigma(h) + (1 - y) * log_sigma(-h)).sum()
    if network.objective == "categorical":
        return torch.logsumexp(h, 0) - h[y]
    t = 2.0 * y - 1
    return -torch.logaddexp(log_sigma(h[0]) + log_sigma(t * h[1]), log_sigma(-h[0]) + log_sigma(t * h[2]))


class Autodiff(NamedTuple):
    """The mean gradient (P,), J (N, D_L, P), and the Gauss-Newton matrix and the Hessian (P, P), by PyTorch."""

    loss: Any
    gradient: Any
    J: Any
    G: Any
    H: Any


def hessian(f, x):
    """The Hessian by reverse mode over reverse mode, since forward mode warns of a deprecated compiler."""
    return torch.func.jacrev(torch.func.grad(f))(x)


def autodiff(p):
    theta, X, Y = torch.tensor(ravel(p.weights)), torch.tensor(p.X), torch.tensor(p.Y)

    def mean_loss(theta):
        return sum(objective_value(p.network, outputs(p.network, theta, x), y) for x, y in zip(X, Y, strict=True)) / N

    J, H_L = [], []
    for x, y in zip(X, Y, strict=True):
        J.append(torch.func.jacrev(lambda t, x=x: outputs(p.network, t, x))(theta).numpy())
        h = outputs(p.network, theta, x)
        M = hessian(lambda h, y=y: objective_value(p.network, h, y), h).numpy()
        if p.network.psd == "scalar":
            g = torch.func.grad(lambda h, y=y: objective_value(p.network, h, y))(h).numpy()
            M = np.outer(g, g)
        elif p.network.objective == "mixture":
            eigenvalues, vectors = np.linalg.eigh(M)
            M = (vectors * np.maximum(eigenvalues, 0)) @ vectors.T
        H_L.append(M)
    J = np.stack(J)
    G = np.einsum("ndp,nde,neq->pq", J, np.stack(H_L), J) / N
    H = hessian(mean_loss, theta).numpy()
    return Autodiff(mean_loss(theta).item(), torch.func.grad(mean_loss)(theta).numpy(), J, G, H)


def diagonal_blocks(network, M):
    ends = np.cumsum([0, *(m * n for m, n in network.weight_shapes)])
    return [M[i:j, i:j] for i, j in itertools.pairwise(ends)]


def close(actual, expected):
    expected = np.asarray(expected)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-12 * (1 + np.abs(expected).max()))
