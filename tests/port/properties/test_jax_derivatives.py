"""JAX's derivatives of the port compared with those of the port on NumPy: at kinks, at ties and far from 0."""

import array_api_compat.numpy as xp
import numpy as np
import pytest

import kfgn
from kfgn._network.objectives import OBJECTIVES
from kfgn._network.transfers import TRANSFERS

from ...pairs import each_value

jax = pytest.importorskip("jax")
jnp = jax.numpy

TINY = np.finfo(float).tiny
OUTPUTS = [
    *([0, 0, 0], [1, 1, 1], [2, 2, -1], [-1, 0.5, 0.5], [0.3, -1.2, 0.7], [0, 1, -1], [0, 2, 2]),
    *([30, -30, 0], [-30, 30, 30], [30, 30, 30], [90, 90, -90], [-90, -90, 90], [800, -800, 0], [-800, 800, 800]),
]


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def assert_close(came, expected, rtol=1e-12):
    came, expected = np.asarray(came), np.asarray(expected)
    np.testing.assert_allclose(came, expected, rtol=rtol, atol=rtol * np.abs(expected).max(initial=0) * 1e-3 + TINY)


def labels(objective, N):
    rng = np.random.default_rng(1)
    if OBJECTIVES[objective].classes is None:
        return rng.integers(0, 2, (N, 3)).astype(float)
    return np.arange(N) % OBJECTIVES[objective].classes(3)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_outputs(objective):
    """Value, gradient and Hessian in h_L, and JAX's derivatives of each."""
    ours = OBJECTIVES[objective]
    h, y = np.array(OUTPUTS, dtype=float), labels(objective, len(OUTPUTS))

    def value(h, y):
        return ours.value(jnp, h[None], y[None])[0]

    def gradient(h, y):
        return ours.gradient(jnp, h[None], y[None])[0]

    ways = (jax.grad(value), jax.jacfwd(value), jax.hessian(value), jax.jacrev(jax.grad(value)), jax.jacrev(gradient))
    first, forward, second, reverse, own = jax.jit(jax.vmap(lambda *a: [f(*a) for f in ways]))(h, y)
    expected, H = ours.gradient(xp, h, y), ours.hessian(xp, h, y).matrix()
    for n in range(len(h)):  # relative to the size of each array
        for came in (first, forward):
            assert_close(came[n], expected[n])
        for came in (second, reverse, own):
            assert_close(came[n], H[n])


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_third_derivatives(objective):
    """Derivatives of the Hessian's products equal differences of the port's Hessian, and are finite everywhere."""
    ours = OBJECTIVES[objective]
    h, y = np.array(OUTPUTS, dtype=float), labels(objective, len(OUTPUTS))
    v = np.array([0.5, -1.0, 0.25])

    def product(h, y):
        return ours.hessian(jnp, h[None], y[None]).product(jnp.asarray(v)[None])[0]

    came = np.asarray(jax.jit(jax.vmap(jax.jacrev(product)))(h, y))
    assert np.all(np.isfinite(came))
    near, step = slice(0, 7), 1e-5
    for i, e in enumerate(np.eye(3)):
        up, down = (ours.hessian(xp, h[near] + s * step * e, y[near]).matrix() @ v for s in (1, -1))
        np.testing.assert_allclose(came[near, :, i], (up - down) / (2 * step), rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", TRANSFERS)
def test_transfer_functions(name):
    """f' and f'' by JAX equal those of the port, which are the left derivatives at a kink."""
    h = np.array([0.0, 0.3, -0.7, 2.0, 15.0, -15.0, 30.0, -30.0, 90.0, -90.0, 800.0, -800.0])
    f = TRANSFERS[name]

    def value(x):
        return f.value_and_derivative(jnp, x)[0]

    ways = (
        jax.grad(value),
        jax.jacfwd(value),
        jax.grad(jax.grad(value)),
        jax.grad(lambda x: f.value_and_derivative(jnp, x)[1]),
    )
    came = jax.jit(jax.vmap(lambda x: [way(x) for way in ways]))(h)
    slope, second = f.value_and_derivative(xp, h)[1], f.second_derivative(xp, h)
    for ours, expected in zip(came, (slope, slope, second, second), strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-13, atol=TINY)
    assert np.all(np.isfinite(jax.jit(jax.vmap(jax.grad(lambda x: f.second_derivative(jnp, x))))(h)))


def in_weights_and_input(objective, transfer, W, x, y, V, u):
    """Gradient and Hessian product of one datapoint's loss in its weights and in x, by the port on NumPy.

    x is the bias of a first layer, of which the transfer function is the identity.
    """
    network = kfgn.Network.dense((1, 2, 3, 3), ("identity", transfer), objective)
    first, move = (np.column_stack([np.zeros(2), a]) for a in (x, u))
    arguments = network, (first, *W), np.zeros((1, 1)), y[None]
    g, Hv = kfgn.gradient(*arguments), kfgn.hessian_product(*arguments, (move, *V))
    return [(a[0][:, 1], *a[1:]) for a in (g, Hv)]


POINTS = {"ordinary": 1.0, "zero": 0.0, "far": 60.0}


@each_value(objective=OBJECTIVES, transfer=TRANSFERS)
def test_every_pair(objective, transfer):
    """Without --thorough, each transfer function and each objective, since no formula contains both."""
    network = kfgn.Network.dense((2, 3, 3), (transfer,), objective)
    rng = np.random.default_rng(2)
    W, V = (tuple(rng.standard_normal(shape) for shape in network.weight_shapes) for _ in range(2))
    x, u, y = rng.standard_normal(2), rng.standard_normal(2), labels(objective, 2)[1]

    def loss(x, W):
        return kfgn.loss(network, W, x[None], jnp.asarray(y)[None])

    @jax.jit
    def both(x, W, u, V):
        return jax.jvp(jax.grad(loss, (0, 1)), (x, W), (u, V))

    for scale in POINTS.values():
        at = scale * x, tuple(scale * W_l for W_l in W)
        for came, expected in zip(
            both(*at, u, V), in_weights_and_input(objective, transfer, at[1], at[0], y, V, u), strict=True
        ):
            for a, b in zip(jax.tree.leaves(came), expected, strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10 * np.abs(b).max() + TINY)


@pytest.mark.parametrize("objective", ["bernoulli", "categorical", "mixture", "mixture scalar"])
def test_curvature_has_finite_derivatives(objective):
    """Products with the Gauss-Newton matrix, and both exact and recursive factors, where a root or eigenvalue is 0."""
    objective, _, psd = objective.partition(" ")
    network = kfgn.Network.dense((3, 3), (), objective, psd or "project")
    X, Y = np.array(OUTPUTS, dtype=float)[:, None, :], labels(objective, len(OUTPUTS))[:, None]
    identity, V = (np.eye(3, 4),), (np.linspace(-1, 1, 12).reshape(3, 4),)

    def curvature(W, x, y):
        product = kfgn.gauss_newton_product(network, W, x, y, jax.tree.map(jnp.asarray, V))
        return [jnp.sum(a) for a in (*product, kfgn.kflr(network, W, x, y).G[0], rows(W, x, y))]

    def rows(W, x, y):
        split = OBJECTIVES[objective].gauss_newton[network.psd]
        return split.output_curvature(jnp, x @ W[0][:, :-1].T, y).transposed_root_product(jnp.eye(3)) ** 2

    everywhere = jax.vmap(jax.jacrev(curvature), (None, 0, 0))
    for derivative in jax.tree.leaves(jax.jit(everywhere)(identity, X, Y)):
        assert np.all(np.isfinite(derivative))
