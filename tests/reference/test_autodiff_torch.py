"""Every derivative of the reference compared with torch.func in float64. Only the data are shared."""

from typing import NamedTuple

import kfgn_reference as ref
import numpy as np
import pytest

torch = pytest.importorskip("torch")
F = torch.nn.functional
func = torch.func

# a warning of PyTorch about a function that its own forward mode calls
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.script. is deprecated:DeprecationWarning")

TRANSFERS = {
    "identity": lambda h: h,
    "relu": torch.relu,
    "leaky_relu": lambda h: F.leaky_relu(h, negative_slope=0.1),
    "tanh": torch.tanh,
    "logistic": torch.sigmoid,
    "softplus": lambda h: F.softplus(h, threshold=1000),
    "elu": F.elu,
    "silu": F.silu,
    "gelu": F.gelu,
    "gelu_tanh": lambda h: F.gelu(h, approximate="tanh"),
}
LOSSES = {
    "squared_error": lambda h, y: F.mse_loss(h, y, reduction="sum") / 2,
    "bernoulli": lambda h, y: F.binary_cross_entropy_with_logits(h, y, reduction="sum"),
    "categorical": F.cross_entropy,
    "mixture": lambda h, y: (
        -torch.logsumexp(F.logsigmoid(torch.stack([h[0], -h[0]])) + F.logsigmoid((2 * y - 1) * h[1:]), dim=0)
    ),
}
LABELS = {
    "squared_error": [(0.3, -1.2, 0.0, 2.0)],
    "bernoulli": [(0.0, 1.0, 0.3, 0.8)],
    "categorical": [2],
    "mixture": [0, 1],
}


class Error(NamedTuple):
    """E as a function of h_L, and the matrix that replaces its Hessian in Gauss-Newton matrices."""

    net: ref.Network
    y: torch.Tensor

    def __call__(self, h):
        return LOSSES[self.net.objective](h, self.y)

    def gauss_newton(self, h):
        if self.net.objective != "mixture":
            return func.hessian(self)(h)
        if self.net.psd == "scalar":  # the one output is p(y | h_L)
            dp = func.grad(lambda h: torch.exp(-self(h)))(h)
            return torch.outer(dp, dp) * torch.exp(2 * self(h))
        values, vectors = torch.linalg.eigh(func.hessian(self)(h))
        return vectors @ torch.diag(torch.clamp(values, min=0)) @ vectors.T


def onward(net, weights, h, l):
    """h_L as a function of h_l."""
    for W, f in zip(weights[l:], net.transfers[l - 1 :], strict=True):
        h = W @ torch.cat([TRANSFERS[f](h), torch.ones(1, dtype=h.dtype)])
    return h


def output(net, weights, x):
    """h_L as a function of the weights, at x."""
    return onward(net, weights, weights[0] @ torch.cat([x, torch.ones(1, dtype=x.dtype)]), 1)


def by_weights(definition):
    """The value of a definition per layer, as a function of W_l with the other weights fixed."""

    def evaluate(net, weights, x, y):
        return dict(enumerate(definition(lambda weights: output(net, weights, x), Error(net, y), weights), 1))

    return evaluate


def by_preactivations(definition):
    """The value of a definition per layer, as a function of h_l."""

    def evaluate(net, weights, x, y):
        h = [output(net._replace(transfers=net.transfers[: l - 1]), weights[:l], x) for l in range(1, net.L + 1)]
        h_L = [lambda h, l=l: onward(net, weights, h, l) for l in range(1, net.L + 1)]
        return {l: definition(h_L[l - 1], Error(net, y), h[l - 1]) for l in range(1, net.L + 1)}

    return evaluate


def gradient(h_L, E, at):
    return func.grad(lambda v: E(h_L(v)))(at)


def hessian(h_L, E, at):
    return func.hessian(lambda v: E(h_L(v)))(at)


def hessian_blocks(h_L, E, weights):
    """The block of W_l. vec stacks columns, so element (a, b, c, d) has the row (b, a) and the column (d, c)."""
    blocks = [row[l] for l, row in enumerate(hessian(h_L, E, weights))]
    return [H.permute(1, 0, 3, 2).reshape(W.numel(), -1) for H, W in zip(blocks, weights, strict=True)]


def gauss_newton(h_L, E, at):
    J = func.jacrev(h_L)(at)
    return J.T @ E.gauss_newton(h_L(at)) @ J


def weight_jacobians(h_L, weights):
    return [J.transpose(1, 2).flatten(1) for J in func.jacrev(h_L)(weights)]


def gauss_newton_matrix(h_L, E, weights):
    J = torch.cat(weight_jacobians(h_L, weights), dim=1)
    return [J.T @ E.gauss_newton(h_L(weights)) @ J]


def gauss_newton_blocks(h_L, E, weights):
    H = E.gauss_newton(h_L(weights))
    return [J.T @ H @ J for J in weight_jacobians(h_L, weights)]


SAMPLES = {
    "sample_gradient": by_weights(gradient),
    "backpropagate": by_preactivations(gradient),
    "sample_preactivation_hessians": by_preactivations(hessian),
    "sample_hessian_blocks": by_weights(hessian_blocks),
    "jacobians": by_preactivations(lambda h_L, E, h: func.jacrev(h_L)(h)),
    "sample_gauss_newton": by_weights(gauss_newton_matrix),
    "sample_preactivation_gauss_newton": by_preactivations(gauss_newton),
    "sample_gauss_newton_blocks": by_weights(gauss_newton_blocks),
}
MEANS = {
    "gradient": "sample_gradient",
    "hessian_blocks": "sample_hessian_blocks",
    "gauss_newton_blocks": "sample_gauss_newton_blocks",
    "kflr": "sample_preactivation_gauss_newton",
}


@pytest.fixture(scope="module")
def truths(problem):
    """The values by autodiff for each datapoint, keyed by the name of the function."""
    weights = tuple(map(torch.tensor, problem.net.weights))
    pairs = list(zip(map(torch.tensor, problem.X), map(torch.tensor, problem.Y), strict=True))
    samples = {name: [definition(problem.net, weights, x, y) for x, y in pairs] for name, definition in SAMPLES.items()}
    return {name: [{l: d[l].numpy() for l in d} for d in samples[name]] for name in samples}


@pytest.mark.parametrize("name", SAMPLES)
def test_one_datapoint(name, problem, truths, relative_error):
    for x, y, truth in zip(problem.X, problem.Y, truths[name], strict=True):
        ours = getattr(ref, name)(*(problem.net, x, y)[: 2 if name == "jacobians" else 3])
        assert relative_error({1: ours} if name == "sample_gauss_newton" else ours, truth) < 1e-12


@pytest.mark.parametrize("name", MEANS)
def test_mean_over_the_batch(name, problem, truths, relative_error):
    samples = truths[MEANS[name]]
    truth = {l: np.mean([sample[l] for sample in samples], axis=0) for l in samples[0]}
    assert relative_error(getattr(ref, name)(*problem), truth) < 1e-12


@pytest.mark.parametrize("name", ref.TRANSFERS)
def test_transfer_functions(name, relative_error):
    h = np.linspace(-6, 6, 24 if name in ("relu", "leaky_relu", "elu") else 25)  # 24 points do not include 0
    first = func.grad(TRANSFERS[name])
    f, first, second = (torch.vmap(d)(torch.tensor(h)).numpy() for d in (TRANSFERS[name], first, func.grad(first)))
    ours = ref.TRANSFERS[name]
    assert relative_error(ours.f(h), f) < 1e-12
    assert relative_error(ours.first(h), first) < 1e-12
    assert np.max(np.abs(ours.second(h) - second)) <= 1e-12 * np.max(np.abs(second))


@pytest.mark.parametrize("scale", [0, 1, 5])
@pytest.mark.parametrize("name", ref.OBJECTIVES)
def test_objectives(name, scale, relative_error):
    """E, dE/dh_L, H_L, its replacement, and a root R of the replacement, compared as R R^T."""
    h, ours = scale * np.array([1.1, -0.4, 0.7, -1.3][: 3 if name == "mixture" else 4]), ref.OBJECTIVES[name]
    at = torch.tensor(h)
    assert (ours.root is None) == (name == "mixture")
    for y in map(np.array, LABELS[name]):
        E = Error(ref.Network((), (), name), torch.tensor(y))
        assert relative_error(ours.value(h, y), E(at).numpy()) < 1e-12
        assert relative_error(ours.gradient(h, y), func.grad(E)(at).numpy()) < 1e-12
        assert relative_error(ours.hessian(h, y), func.hessian(E)(at).numpy()) < 1e-12
        for psd in ("project", "scalar"):
            net = ref.Network((), (), name, psd)
            truth, root = E._replace(net=net).gauss_newton(at).numpy(), ref.output_root(net, h, y)
            assert relative_error(ref.output_gauss_newton(net, h, y), truth) < 1e-12
            assert relative_error(root @ root.T, truth) < 1e-12
