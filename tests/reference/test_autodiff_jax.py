"""Every derivative of the reference compared with JAX autodiff in float64. Only the data are shared.

All derivatives are with respect to one vector v. It consists of the columns of all weights, and of a shift of each h_l,
which is zero here and whose derivatives are those of h_l. The Gauss-Newton matrix is the Hessian of E with h_L replaced
by its first-order expansion, which omits a term of (11). For the mixture (27), the expansion is of p(y | h_L), or H_L
is replaced by its projection.
"""

import itertools
from functools import cache

import kfgn_reference as ref
import numpy as np
import pytest

from .conftest import CHAINS, OBJECTIVES

jax = pytest.importorskip("jax")
jnp = jax.numpy

TRANSFERS = {
    "identity": lambda h: h,
    "relu": jax.nn.relu,
    "leaky_relu": lambda h: jax.nn.leaky_relu(h, negative_slope=0.1),
    "tanh": jnp.tanh,
    "logistic": jax.nn.sigmoid,
    "softplus": jax.nn.softplus,
    "elu": jax.nn.elu,
    "silu": jax.nn.silu,
    "gelu": lambda h: jax.nn.gelu(h, approximate=False),
    "gelu_tanh": lambda h: jax.nn.gelu(h, approximate=True),
}
LOSSES = {
    "squared_error": lambda h, y: jnp.linalg.norm(h - y) ** 2 / 2,
    "bernoulli": lambda h, y: -jnp.sum(y * jax.nn.log_sigmoid(h) + (1 - y) * jax.nn.log_sigmoid(-h)),
    "categorical": lambda h, y: -jax.nn.log_softmax(h)[y],
    "mixture": lambda h, y: (
        -jax.nn.logsumexp(jax.nn.log_sigmoid(jnp.stack([h[0], -h[0]])) + jax.nn.log_sigmoid((2 * y - 1) * h[1:]))
    ),
}
LABELS = {
    "squared_error": [(0.3, -1.2, 0.1, 2.0)],
    "bernoulli": [(0.0, 1.0, 0.3, 0.8)],
    "categorical": [2],
    "mixture": [0, 1],
}


def projected(H):
    values, vectors = jnp.linalg.eigh(H)
    return (vectors * jnp.maximum(values, 0)) @ vectors.T


@pytest.fixture(autouse=True)
def x64():
    with jax.enable_x64(True):
        yield


def differentiate(net, X, Y):
    """E, dE/dv, d^2 E/dv^2, dh_L/dv and the Gauss-Newton matrix in v, with the datapoints on the first axis."""
    v = jnp.concatenate([*[W.T.ravel() for W in net.weights], jnp.zeros(sum(len(W) for W in net.weights))])

    def output(v, x):
        cuts = np.cumsum([W.size for W in net.weights] + [len(W) for W in net.weights])
        parts, a = jnp.split(v, cuts[:-1]), x
        for W, columns, shift, f in zip(net.weights, parts, parts[net.L :], (*net.transfers, "identity"), strict=False):
            h = columns.reshape(W.T.shape).T @ jnp.append(a, 1.0) + shift
            a = TRANSFERS[f](h)
        return h

    def derivatives(x, y):
        def error(v):
            return LOSSES[net.objective](output(v, x), y)

        def expanded(step):
            h, change = jax.jvp(lambda v: output(v, x), (v,), (step,))
            if net.objective != "mixture":
                return LOSSES[net.objective](h + change, y)
            if net.psd == "scalar":
                return -jnp.log(sum(jax.jvp(lambda v: jnp.exp(-error(v)), (v,), (step,))))
            return change @ projected(jax.hessian(LOSSES[net.objective])(h, y)) @ change / 2

        J = jax.jacrev(output)(v, x)
        return error(v), jax.grad(error)(v), jax.hessian(error)(v), J, jax.hessian(expanded)(jnp.zeros_like(v))

    # compiled once per problem, since compilation takes most of the time
    compiled = jax.jit(jax.vmap(derivatives), compiler_options={"xla_backend_optimization_level": 0})
    return [np.asarray(d) for d in compiled(X, Y)]


@pytest.fixture(scope="module")
def truths(problem):
    """The values for every datapoint, keyed by the name of the function and by layer."""
    with jax.enable_x64(True):
        E, g, H, J, G = differentiate(*problem)
    sizes = [W.size for W in problem.net.weights] + [len(W) for W in problem.net.weights]
    ends, L = np.cumsum([0, *sizes]), problem.net.L
    weights = {l: slice(ends[l - 1], ends[l]) for l in range(1, L + 1)}
    shifts = {l: slice(ends[L + l - 1], ends[L + l]) for l in range(1, L + 1)}
    columns = {l: g[:, s].reshape(len(g), -1, len(problem.net.weights[l - 1])) for l, s in weights.items()}
    return {
        "loss": {1: E},
        "sample_gradient": {l: c.transpose(0, 2, 1) for l, c in columns.items()},
        "backpropagate": {l: g[:, s] for l, s in shifts.items()},
        "sample_preactivation_hessians": {l: H[:, s, s] for l, s in shifts.items()},
        "sample_hessian_blocks": {l: H[:, s, s] for l, s in weights.items()},
        "jacobians": {l: J[:, :, s] for l, s in shifts.items()},
        "sample_gauss_newton": {1: G[:, : ends[L], : ends[L]]},
        "sample_preactivation_gauss_newton": {l: G[:, s, s] for l, s in shifts.items()},
        "sample_gauss_newton_blocks": {l: G[:, s, s] for l, s in weights.items()},
    }


COMPILED = (
    ("squared_error", ("tanh", "identity")),
    ("bernoulli", ("relu", "logistic")),
    ("categorical", ("logistic", "leaky_relu", "tanh")),
    ("mixture", ("softplus",)),
    ("mixture", ("relu", "logistic")),
)
"""Problems with every objective, both values of `psd` and every transfer function. JAX compiles each for a second."""

on_problems = pytest.mark.parametrize(
    "problem",
    [
        pytest.param(given, marks=() if given in COMPILED else pytest.mark.thorough, id="-".join([given[0], *given[1]]))
        for given in itertools.product(OBJECTIVES, CHAINS)
    ],
    indirect=True,
    scope="session",
)


SAMPLES = (
    "sample_gradient",
    "backpropagate",
    "sample_preactivation_hessians",
    "sample_hessian_blocks",
    "jacobians",
    "sample_gauss_newton",
    "sample_preactivation_gauss_newton",
    "sample_gauss_newton_blocks",
)
MEANS = {
    "loss": "loss",
    "gradient": "sample_gradient",
    "hessian_blocks": "sample_hessian_blocks",
    "gauss_newton_blocks": "sample_gauss_newton_blocks",
    "kflr": "sample_preactivation_gauss_newton",
}


@on_problems
@pytest.mark.parametrize("name", SAMPLES)
def test_one_datapoint(name, problem, truths, relative_error):
    for n, (x, y) in enumerate(zip(problem.X, problem.Y, strict=True)):
        ours = getattr(ref, name)(*(problem.net, x, y)[: 2 if name == "jacobians" else 3])
        truth = {l: value[n] for l, value in truths[name].items()}
        assert relative_error({1: ours} if name == "sample_gauss_newton" else ours, truth) < 1e-12


@on_problems
@pytest.mark.parametrize("name", MEANS)
def test_mean_over_the_batch(name, problem, truths, relative_error):
    truth = {l: value.mean(axis=0) for l, value in truths[MEANS[name]].items()}
    ours = getattr(ref, name)(*problem)
    assert relative_error({1: ours} if name == "loss" else ours, truth) < 1e-12


@pytest.mark.parametrize("name", ref.TRANSFERS)
def test_transfer_functions(name, relative_error):
    h = np.linspace(-6, 6, 24 if name in ("relu", "leaky_relu", "elu") else 25)  # 24 points do not include 0
    f = TRANSFERS[name]
    f, first, second = (np.asarray(jax.vmap(d)(h)) for d in (f, jax.grad(f), jax.grad(jax.grad(f))))
    ours = ref.TRANSFERS[name]
    assert relative_error(ours.f(h), f) < 1e-12
    assert relative_error(ours.first(h), first) < 1e-12
    assert np.max(np.abs(ours.second(h) - second)) <= 1e-12 * np.max(np.abs(second))


@cache
def with_derivatives(name):
    """E, dE/dh_L and H_L in one compiled program for all scales."""
    E = LOSSES[name]
    return jax.jit(lambda h, y: (E(h, y), jax.grad(E)(h, y), jax.hessian(E)(h, y)))


@pytest.mark.parametrize("scale", [0, 1, 5])
@pytest.mark.parametrize("name", ref.OBJECTIVES)
def test_objectives(name, scale, relative_error):
    """E, dE/dh_L, H_L and the root R with R R^T = H_L. The indefinite H_L of the mixture has no root."""
    h, ours = scale * np.array([1.1, -0.4, 0.7, -1.3][: 3 if name == "mixture" else 4]), ref.OBJECTIVES[name]
    for y in map(np.array, LABELS[name]):
        value, gradient, hessian = map(np.asarray, with_derivatives(name)(h, y))
        assert relative_error(ours.value(h, y), value) < 1e-12
        assert relative_error(ours.gradient(h, y), gradient) < 1e-12
        assert relative_error(ours.hessian(h, y), hessian) < 1e-12
        if name == "mixture":
            assert ours.root is None
            root, hessian = ref.output_root(ref.Network((), (), name), h, y), np.asarray(projected(hessian))
        else:
            root = ours.root(h, y)
        assert relative_error(root @ root.T, hessian) < 1e-12
