"""Fixtures of the tests of the 71 equations: small problems, exact problems, and derivatives by PyTorch.

    problem                 every objective, transfer function and `psd` of the mixture (parametrised)
    make_problem            the same for a chosen objective, chain of transfer functions, psd, N and seed
    rational_problem        three networks of Fractions, squared error and piecewise linear transfers (parametrised)
    make_rational_problem   the same for a chosen chain, N and seed
    difference_quotient     exact derivatives of E and h_L of the rational problems
    autodiff                E, h_L and h_l as functions of tensors, and their derivatives as arrays
    relative_error          of arrays and of dictionaries, from the conftest of the parent folder

The first two replace the fixtures of the same names in the parent folder. All widths are odd and different, so no D_l
is D_m or D_m + 1, and no transposed or misplaced matrix has the right shape. N is even. Tests call `ref.name(...)`, so
that `perturb.py` can replace the function.
"""

import itertools
from fractions import Fraction
from types import SimpleNamespace
from typing import NamedTuple

import kfgn_reference as ref
import numpy as np
import pytest

WIDTHS = (1, 7, 5, 3)  # a network of L layers takes the last L + 1
PROBLEMS = (
    ("squared_error", (), "raise"),
    ("squared_error", ("tanh", "leaky_relu"), "raise"),
    ("bernoulli", ("softplus",), "raise"),
    ("bernoulli", ("relu", "logistic"), "raise"),
    ("categorical", ("tanh",), "raise"),
    ("categorical", ("identity", "softplus"), "raise"),
    ("mixture", (), "scalar"),
    ("mixture", ("logistic", "relu"), "project"),
    ("mixture", ("softplus", "tanh"), "scalar"),
)
RATIONAL_CHAINS = (("relu",), ("identity", "leaky_relu"), ("leaky_relu", "relu"))


class Problem(NamedTuple):
    """A network, a batch X (N, D_0) and its labels Y, for `ref.f(*problem)` or `for x, y in problem.pairs`."""

    net: ref.Network
    X: np.ndarray
    Y: np.ndarray

    @property
    def pairs(self):
        return list(zip(self.X, self.Y, strict=True))

    @property
    def layers(self):
        return range(1, self.net.L + 1)


def shapes(transfers):
    widths = WIDTHS[-len(transfers) - 2 :]
    return widths[0], [(width, below + 1) for below, width in itertools.pairwise(widths)]


def assert_off_kinks(problem, distance):
    """No unit of a kinked layer is near its kink, each datapoint has a live unit there, and some unit is dead."""
    for l, f in enumerate(problem.net.transfers, 1):
        if f in ("relu", "leaky_relu"):
            h = np.array([ref.forward(problem.net, x)[1][l] for x in problem.X])
            assert np.all(abs(h) > distance)
            assert np.all(np.any(h > 0, axis=1))
            assert np.any(h < 0)


@pytest.fixture(scope="session")
def make_problem():
    """make_problem(objective, transfers, psd="project", N=4, seed=1): float64, three outputs, off the kinks."""

    def make(objective, transfers, psd="project", N=4, seed=1):
        rng = np.random.default_rng(seed)
        D_0, of_weights = shapes(transfers)
        weights = tuple(rng.normal(size=shape) * 1.5 / np.sqrt(shape[1]) for shape in of_weights)
        X = rng.normal(size=(N, D_0))
        labels = {
            "squared_error": lambda: rng.normal(size=(N, 3)),
            "bernoulli": lambda: rng.uniform(size=(N, 3)),
            "categorical": lambda: rng.permutation(np.arange(N) % 3),
            "mixture": lambda: rng.permutation(np.arange(N) % 2),
        }
        problem = Problem(ref.Network(weights, transfers, objective, psd), X, labels[objective]())
        assert_off_kinks(problem, 1e-3)
        return problem

    return make


@pytest.fixture(scope="session", params=PROBLEMS, ids=lambda p: "-".join([p[0], *p[1], p[2]]))
def problem(request, make_problem):
    return make_problem(*request.param)


@pytest.fixture(scope="session")
def make_rational_problem():
    """make_rational_problem(transfers, N=3, seed=5): Fractions of denominator 7, squared error, off the kinks."""

    def make(transfers, N=3, seed=5):
        rng = np.random.default_rng(seed)
        D_0, of_weights = shapes(transfers)

        def numbers(*shape):
            return np.frompyfunc(lambda k: Fraction(int(k), 7), 1, 1)(rng.integers(-9, 10, size=shape))

        weights = tuple(numbers(*shape) for shape in of_weights)
        net = ref.Network(weights, transfers, "squared_error", "raise")
        problem = Problem(net, numbers(N, D_0), numbers(N, 3))
        assert_off_kinks(problem, 0)
        return problem

    return make


@pytest.fixture(scope="session", params=RATIONAL_CHAINS, ids="-".join)
def rational_problem(request, make_rational_problem):
    return make_rational_problem(request.param)


@pytest.fixture(scope="session")
def difference_quotient():
    """difference_quotient(net, x, y, *entries): E differentiated by W_l[a, b] for each (l, a, b) of one or two entries.

    difference_quotient(net, x, None, entry) differentiates the outputs h_L. The network is piecewise linear with
    squared error, and the forward pass is separate code. As long as no unit crosses its kink, E is a quadratic and h_L
    an affine function of one weight, for which central differences are the exact derivatives.
    """
    step = Fraction(1, 10**9)
    slopes = {"identity": Fraction(1), "relu": Fraction(0), "leaky_relu": Fraction(1, 10)}  # left of 0

    def forward(net, weights, x):
        signs, a = [], list(x)
        for W, f in zip(weights, (*net.transfers, "identity"), strict=True):
            h = [sum(w * v for w, v in zip(row, [*a, 1], strict=True)) for row in W]
            signs.append([v > 0 for v in h])
            a = [v if v > 0 else slopes[f] * v for v in h]
        return h, signs[:-1]

    def value(net, x, y, moves):
        weights = [W.copy() for W in net.weights]
        for (l, a, b), sign in moves:
            weights[l - 1][a, b] += sign * step
        h, signs = forward(net, weights, x)
        assert signs == forward(net, net.weights, x)[1]
        return np.array(h) if y is None else sum((v - t) ** 2 for v, t in zip(h, y, strict=True)) / 2

    def quotient(net, x, y, *entries):
        total = 0
        for signs in itertools.product((1, -1), repeat=len(entries)):
            total += int(np.prod(signs)) * value(net, x, y, list(zip(entries, signs, strict=True)))
        return total / (2 * step) ** len(entries)

    return quotient


@pytest.fixture(scope="session")
def autodiff():
    """The network in PyTorch. The last four functions return arrays, all others tensors or functions of tensors.

    theta(net)             (vec W_1, ..., vec W_L), columns stacked
    output(net, x)         theta -> h_L
    preactivation(net, x)  {l: h_l}
    onward(net, l, m=L)    h_l -> h_m
    transfer(net, l)       h_l -> a_l
    above(net, l)          a_l -> h_L
    error(net, y)          h_L -> E
    gradient, jacobian, hessian(f, at)
    output_gauss_newton(net, h_L, y)   H_L; for the mixture its projection, or p'(h) p'(h)^T / p^2
    """
    torch = pytest.importorskip("torch")
    F = torch.nn.functional
    transfers = {
        "identity": lambda h: h,
        "relu": torch.relu,
        "leaky_relu": lambda h: F.leaky_relu(h, negative_slope=0.1),
        "tanh": torch.tanh,
        "logistic": torch.sigmoid,
        "softplus": lambda h: F.softplus(h, threshold=1000),
    }

    def probability(h, y):
        s, A, C = torch.sigmoid(torch.stack([h[0], (2 * y - 1) * h[1], (2 * y - 1) * h[2]]))
        return s * A + (1 - s) * C

    losses = {
        "squared_error": lambda h, y: F.mse_loss(h, y, reduction="sum") / 2,
        "bernoulli": lambda h, y: F.binary_cross_entropy_with_logits(h, y, reduction="sum"),
        "categorical": F.cross_entropy,
        "mixture": lambda h, y: -torch.log(probability(h, y)),
    }

    def tensor(values):
        return torch.tensor(np.asarray(values))

    def affine(W, a):
        return W @ torch.cat([a, torch.ones(1, dtype=a.dtype)])

    def theta(net):
        return tensor(np.concatenate([W.ravel(order="F") for W in net.weights]))

    def matrices(net, at):
        parts = torch.split(at, [W.size for W in net.weights])
        return [part.reshape(W.shape[::-1]).T for part, W in zip(parts, net.weights, strict=True)]

    def output(net, x):
        def h_L(at):  # noqa: N802
            weights = matrices(net, at)
            h = affine(weights[0], tensor(x))
            for W, f in zip(weights[1:], net.transfers, strict=True):
                h = affine(W, transfers[f](h))
            return h

        return h_L

    def transfer(net, l):
        return transfers[net.transfers[l - 1]]

    def onward(net, l, m=None):
        def h_m(h):
            for k in range(l, m or net.L):
                h = affine(tensor(net.weights[k]), transfer(net, k)(h))
            return h

        return h_m

    def preactivation(net, x):
        h_1 = affine(tensor(net.weights[0]), tensor(x))
        return {l: onward(net, 1, l)(h_1) for l in range(1, net.L + 1)}

    def above(net, l):
        return lambda a: onward(net, l + 1)(affine(tensor(net.weights[l]), a))

    def error(net, y):
        return lambda h: losses[net.objective](h, tensor(y))

    def gradient(f, at):
        return torch.func.grad(f)(at).numpy()

    def hessian(f, at):
        return torch.func.jacrev(torch.func.grad(f))(at).numpy()

    def output_gauss_newton(net, h, y):
        H = hessian(error(net, y), h)
        if net.objective == "mixture" and net.psd == "scalar":
            dp = gradient(lambda h: probability(h, y), h) / probability(h, y).item()
            return np.outer(dp, dp)
        if net.objective == "mixture":
            values, vectors = np.linalg.eigh(H)
            return sum(c * np.outer(v, v) for c, v in zip(values, vectors.T, strict=True) if c > 0)
        return H

    return SimpleNamespace(
        theta=theta,
        output=output,
        preactivation=preactivation,
        onward=onward,
        transfer=transfer,
        above=above,
        error=error,
        gradient=gradient,
        jacobian=lambda f, at: torch.func.jacrev(f)(at).numpy(),
        hessian=hessian,
        grad=torch.func.grad,
        output_gauss_newton=output_gauss_newton,
    )
