"""Problems for Appendix C, with f, grad f and the Gauss-Newton matrix by other routes.

On rationals these are exact. In a piecewise linear network, the outputs are an affine function of any one weight as
long as no unit crosses its kink. Difference quotients of the outputs are therefore the exact Jacobian, and with the
squared error the Gauss-Newton matrix follows from it. The other objectives are differentiated by torch.func.
"""

import functools
import itertools
import math
from fractions import Fraction
from typing import NamedTuple

import kfgn_reference as ref
import numpy as np
import pytest

torch = pytest.importorskip("torch")


OBJECTIVES = (
    ("squared_error", "project"),
    ("bernoulli", "project"),
    ("categorical", "project"),
    ("mixture", "project"),
    ("mixture", "scalar"),
)


ROUNDING = 1e-12  # for well-conditioned float64 matrices of a few dozen rows; the measured errors are below 1e-14


def close(ours, truth):
    """True if the error is at most `ROUNDING` times the largest element."""
    ours, truth = np.asarray(ours, dtype=float), np.asarray(truth, dtype=float)
    assert ours.shape == truth.shape
    return np.max(np.abs(ours - truth)) <= ROUNDING * np.max(np.abs(truth))


def rationals(rng, *shape, denominator=7):
    """Random non-zero multiples of 1 / denominator."""
    integers = rng.integers(1, 10, size=shape) * rng.choice((-1, 1), size=shape)
    return np.frompyfunc(lambda k: Fraction(int(k), denominator), 1, 1)(integers)


def is_rational(A):
    return {type(value) for value in np.ravel(np.array(A, dtype=object))} == {Fraction}


def columns(V):
    """vec by its definition: the first column, then the second column, and so on."""
    return [V[a, b] for b in range(V.shape[1]) for a in range(V.shape[0])]


def product(C, v):
    return [sum(C[i, j] * v[j] for j in range(len(v))) for i in range(len(v))]


def inner(u, v):
    return sum(a * b for a, b in zip(u, v, strict=True))


def definite(rng, D, rank=None):
    """A positive semi-definite matrix of rationals of the given rank, or a positive definite one."""
    A = rationals(rng, D, rank or D + 2, denominator=3)
    return A @ A.T


class Rational(NamedTuple):
    """A piecewise linear network with squared error, and the quantities of (32)-(43) by their definitions.

    theta is the list of the weights, layer by layer and column by column. f includes the L2 term.
    """

    shapes: tuple
    slopes: tuple  # of each hidden layer below 0: 0 for ReLU, 1/10 for leaky ReLU, 1 for the identity
    theta: list
    X: np.ndarray
    Y: np.ndarray
    eta: Fraction

    def pairs(self):
        """The indices (l, a, b) of the elements of theta."""
        return [(l, a, b) for l, (rows, below) in enumerate(self.shapes) for b in range(below) for a in range(rows)]

    def outputs(self, theta):
        W = dict(zip(self.pairs(), theta, strict=True))
        h_L = []
        for x in self.X:
            a = list(x)
            for l, (rows, below) in enumerate(self.shapes):
                a = [*a, 1]
                h = [sum(W[l, i, j] * a[j] for j in range(below)) for i in range(rows)]
                a = [v if l == len(self.slopes) or v > 0 else self.slopes[l] * v for v in h]
            h_L.append(a)
        return h_L

    def f(self, theta):
        pairs = zip(self.outputs(theta), self.Y, strict=True)
        errors = [sum((h - y) ** 2 for h, y in zip(h_L, labels, strict=True)) for h_L, labels in pairs]
        return sum(errors) / 2 / len(self.X) + self.eta / 2 * sum(w**2 for w in theta)

    def jacobians(self):
        """[n][k][i] = d h_L,k / d theta_i at datapoint n."""
        step, J = Fraction(1, 10**9), []
        for i in range(len(self.theta)):
            up, down = ([w + s * (i == j) for j, w in enumerate(self.theta)] for s in (step, -step))
            J.append((np.array(self.outputs(up)) - np.array(self.outputs(down))) / (2 * step))
        return np.array(J).transpose(1, 2, 0)

    def gradient(self):
        residuals = np.array(self.outputs(self.theta)) - self.Y
        data = sum(J.T @ r for J, r in zip(self.jacobians(), residuals, strict=True)) / len(self.X)
        return [g + self.eta * w for g, w in zip(data, self.theta, strict=True)]

    def curvature(self, damping):
        """The mean of J^T J, plus damping I."""
        G = sum(J.T @ J for J in self.jacobians()) / len(self.X)
        return G + damping * np.array([[Fraction(i == j) for j in range(len(G))] for i in range(len(G))])

    def matrices(self, theta):
        parts, start = {}, 0
        for l, (rows, below) in enumerate(self.shapes, start=1):
            part = theta[start : start + rows * below]
            parts[l] = np.array([[part[b * rows + a] for b in range(below)] for a in range(rows)])
            start += rows * below
        return parts

    def ours(self):
        """The same problem as (net, X, Y) for the reference."""
        names = tuple({0: "relu", Fraction(1, 10): "leaky_relu", 1: "identity"}[s] for s in self.slopes)
        return ref.Network(tuple(self.matrices(self.theta).values()), names, "squared_error"), self.X, self.Y


def rational_problem(widths, slopes, N=3, seed=5, eta=Fraction(2, 5)):
    rng = np.random.default_rng(seed)
    shapes = tuple((width, below + 1) for below, width in itertools.pairwise(widths))
    theta = list(rationals(rng, sum(rows * below for rows, below in shapes)))
    return Rational(shapes, slopes, theta, rationals(rng, N, widths[0]), rationals(rng, N, widths[-1]), eta)


TAU = Fraction(3, 11)


LINEAR = ((3, 2), ())  # f is a quadratic function of theta


RATIONAL = (LINEAR, ((2, 3, 2), (Fraction(1, 10),)), ((3, 2, 4, 2), (1, 0)))


class Case(NamedTuple):
    """A rational problem, the same for the reference, f, grad f, C-bar with tau = TAU, and a direction."""

    problem: Rational
    ours: tuple
    f: Fraction
    g: list
    C: np.ndarray
    delta: list


@functools.cache
def rational_cases():
    cases = []
    for widths, slopes in RATIONAL:
        problem = rational_problem(widths, slopes)
        C = problem.curvature(TAU + problem.eta)
        values = problem.ours(), problem.f(problem.theta), problem.gradient(), C, rational_direction(problem)
        cases.append(Case(problem, *values))
    return cases


def rational_direction(problem, seed=8):
    return list(rationals(np.random.default_rng(seed), len(problem.theta), denominator=50))


class Floats(NamedTuple):
    """A smooth problem for the reference, and its f, grad f and G-bar by torch.func."""

    net: ref.Network
    X: np.ndarray
    Y: np.ndarray
    f: float
    g: np.ndarray
    G: np.ndarray
    delta: np.ndarray


def torch_loss(objective, h, y):
    if objective == "squared_error":
        return ((h - y) ** 2).sum() / 2
    p = torch.sigmoid(h)
    if objective == "bernoulli":
        return -(y * p.log() + (1 - y) * (1 - p).log()).sum()
    if objective == "categorical":
        return -torch.softmax(h, 0)[int(y)].log()
    q = p[0] * p[1] + (1 - p[0]) * p[2]
    return -(q if y == 1 else 1 - q).log()


def torch_outputs(shapes, theta, x):
    """h_L of a network with tanh in layer 1 and softplus in layer 2. theta stacks columns."""
    start, a = 0, x
    for l, (rows, below) in enumerate(shapes):
        W = theta[start : start + rows * below].reshape(below, rows).T
        start += rows * below
        h = W[:, :-1] @ a + W[:, -1]
        a = (torch.tanh, torch.nn.functional.softplus, None)[l](h) if l < 2 else h
    return a


def smooth_problem(objective, psd, N=4, seed=3, eta=0.3):
    rng = np.random.default_rng(seed)
    shapes = ((2, 5), (4, 3), (3, 5))
    weights = tuple(rng.normal(size=shape) for shape in shapes)
    X = rng.normal(size=(N, 4))
    Y = {
        "squared_error": rng.normal(size=(N, 3)),
        "bernoulli": rng.uniform(size=(N, 3)),
        "categorical": np.array([0, 2, 1, 2]),
        "mixture": np.array([0, 1, 1, 0]),
    }[objective]
    theta = torch.tensor(np.concatenate([columns(W) for W in weights]))
    f, g, G = 0, 0, 0
    for x, y in zip(torch.tensor(X), torch.tensor(Y), strict=True):
        h = torch_outputs(shapes, theta, x)
        J = torch.func.jacrev(lambda t, x=x: torch_outputs(shapes, t, x))(theta)

        def loss(h, y=y):
            return torch_loss(objective, h, y)

        H = torch.func.jacrev(torch.func.grad(loss))(h)
        dE = torch.func.grad(loss)(h)
        if objective == "mixture":
            values, vectors = torch.linalg.eigh(H)
            assert values[0] < -1e-3  # so the projection changes H
            H = (vectors * values.clamp(min=0)) @ vectors.T if psd == "project" else torch.outer(dE, dE)
        f, g, G = f + torch_loss(objective, h, y) / N, g + J.T @ dE / N, G + J.T @ H @ J / N
    f, g = f + eta / 2 * theta @ theta, g + eta * theta
    net = ref.Network(weights, ("tanh", "softplus"), objective, psd)
    return Floats(net, X, Y, float(f), g.numpy(), G.numpy(), rng.normal(size=len(theta)) / 5)


def matrices(net, vector):
    """The matrices per layer whose columns the vector stacks."""
    parts, start = {}, 0
    for l, W in enumerate(net.weights, start=1):
        parts[l] = vector[start : start + W.size].reshape(W.shape[::-1]).T
        start += W.size
    return parts


def kron_loops(Q, G):
    """Q kron G by loops: row b D + a belongs to row a of G and row b of Q."""
    D, rows = len(G), range(len(G) * len(Q))
    return np.array([[Q[i // D, j // D] * G[i % D, j % D] for j in rows] for i in rows])


def dense_factored(Q, G, omega, root_k):
    """(36) by loops."""
    damped_Q = [[q + omega * root_k * (i == j) for j, q in enumerate(row)] for i, row in enumerate(Q)]
    damped_G = [[v + root_k / omega * (i == j) for j, v in enumerate(row)] for i, row in enumerate(G)]
    return kron_loops(np.array(damped_Q), np.array(damped_G))


def dense_norm(A, norm):
    """The norm of any matrix by its singular values: their sum, the root of their sum of squares, or the largest."""
    values = np.linalg.svd(np.array(A, dtype=float), compute_uv=False)
    return {"trace": np.sum(values), "frobenius": np.sqrt(np.sum(values**2)), "spectral": np.max(values)}[norm]


def dense_omega(Q, G, norm):
    """(38) by the norms of the Kronecker products."""
    Q, G = Q.astype(float), G.astype(float)
    above, below = np.kron(Q, np.eye(len(G))), np.kron(np.eye(len(Q)), G)
    return math.sqrt(dense_norm(above, norm) / dense_norm(below, norm))
