"""Random numbers of a step: reproducible from seed and step, and of the stated distribution."""

import numpy as np
import pytest

import kfgn
from kfgn.backends import BACKENDS

from ...pairs import each_pair
from .runs import METHODS, NETWORK


def test_draws_are_those_of_seed_and_step():
    kfac, rp = (kfgn.GaussNewton(NETWORK, kfgn.KroneckerFactored(method, samples=2)) for method in ("kfac", "rp"))
    uniforms, normals = kfac.draw(3, 5, 1000), rp.draw(3, 5, 1000)
    assert uniforms.shape == normals.shape == (1000, 2, 2)
    assert uniforms.dtype == normals.dtype == np.float32
    np.testing.assert_array_equal(uniforms, kfac.draw(3, 5, 1000))
    assert np.mean(uniforms == kfac.draw(3, 6, 1000)) < 0.01
    assert np.mean(uniforms == kfac.draw(4, 5, 1000)) < 0.01
    assert np.min(uniforms) >= 0
    assert np.max(uniforms) < 1
    assert abs(np.mean(uniforms) - 0.5) < 5 * np.sqrt(1 / 12 / uniforms.size)
    assert abs(np.mean(normals)) < 5 / np.sqrt(normals.size)
    assert abs(np.mean(normals**2) - 1) < 5 * np.sqrt(2 / normals.size)
    assert kfgn.GaussNewton(NETWORK).draw(3, 5, 10) is None
    assert kfgn.Adam(NETWORK).draw(3, 5, 10) is None


SAMPLING = ("kfac", "rp")


@each_pair(backend=BACKENDS, method=SAMPLING, dtype=["float32", "float64"])
def test_draws_of_numpy_on_every_library(backend, method, dtype):
    """A step with the result of `draw` equals the step with these numbers in the library and dtype of the weights."""
    optimiser = kfgn.GaussNewton(NETWORK, method)
    with backend.scope(dtype):
        rng = np.random.default_rng(0)
        weights = tuple(backend.asarray(rng.standard_normal(shape).astype(dtype)) for shape in NETWORK.weight_shapes)
        X, Y = (backend.asarray(rng.random((5, D)).astype(dtype)) for D in (NETWORK.inputs, NETWORK.widths[-1]))
        draws = optimiser.draw(seed=3, t=1, N=5)
        given = [
            optimiser.step(optimiser.init(weights), X, Y, d) for d in (draws, backend.asarray(draws.astype(dtype)))
        ]
        for a, b in zip(given[0][0].weights, given[1][0].weights, strict=True):
            np.testing.assert_array_equal(backend.to_numpy(a), backend.to_numpy(b))
        assert bool(given[0][1].ok)


def test_an_inexact_conversion_is_refused(backend):
    optimiser = kfgn.GaussNewton(NETWORK, "kfac")
    with backend.scope("float32"):
        weights = tuple(backend.asarray(np.ones(shape, "float32")) for shape in NETWORK.weight_shapes)
        X, Y = (backend.asarray(np.ones((5, D), "float32")) for D in (NETWORK.inputs, NETWORK.widths[-1]))
        draws = optimiser.draw(seed=3, t=1, N=5).astype("float64")
        with pytest.raises(TypeError, match=r"^draws: "):
            optimiser.step(optimiser.init(weights), X, Y, draws)


OTHERS = {"hessian_free": kfgn.HessianFree(), "ekfac": kfgn.EigenvalueCorrected()}


@pytest.mark.parametrize("name", [*METHODS, *OTHERS])
def test_a_name_is_a_short_form(name):
    long = OTHERS.get(name) or kfgn.KroneckerFactored(name)
    assert kfgn.GaussNewton(NETWORK, name) == kfgn.GaussNewton(NETWORK, long)
    assert kfgn.GaussNewton(NETWORK, curvature=name).curvature == long


@pytest.mark.parametrize("method", SAMPLING)
@pytest.mark.parametrize("make", ["key", "PRNGKey"])
def test_a_key_gives_draws_of_jax_in_a_traced_program(method, make):
    """The numbers depend on the key and on t alone. A traced t gives the same numbers."""
    jax = pytest.importorskip("jax")
    optimiser, key = kfgn.GaussNewton(NETWORK, method), getattr(jax.random, make)(0)
    draws = optimiser.draw(seed=key, t=1, N=5)
    assert isinstance(draws, jax.Array)
    assert draws.shape == optimiser.draw(seed=0, t=1, N=5).shape
    assert draws.dtype == np.float32
    traced = jax.jit(lambda key, t: optimiser.draw(key, t, 5))
    np.testing.assert_array_equal(draws, traced(key, 1))
    for other in (traced(key, 2), traced(getattr(jax.random, make)(1), 1)):
        assert np.mean(np.asarray(draws == other)) < 0.1
    if method == "kfac":
        assert np.min(np.asarray(draws)) >= 0
        assert np.max(np.asarray(draws)) < 1


def test_jit_of_a_step_that_draws():
    jax = pytest.importorskip("jax")
    network = kfgn.Network.dense((2, 1), (), "bernoulli")
    optimiser = kfgn.GaussNewton(network, "kfac")
    X, Y = jax.numpy.ones((4, 2)), jax.numpy.ones((4, 1))
    state, key = optimiser.init((jax.numpy.zeros((1, 3)),)), jax.random.key(0)

    @jax.jit
    def step(key, state, X, Y):
        return optimiser.step(state, X, Y, optimiser.draw(key, state.t + 1, 4))

    after, info = step(key, state, X, Y)
    expected, _ = optimiser.step(state, X, Y, optimiser.draw(key, 1, 4))
    assert bool(info.ok)
    np.testing.assert_allclose(after.weights[0], expected.weights[0], rtol=1e-5)


@pytest.mark.parametrize("seed", [-1, 1.5, "0", None])
def test_a_wrong_seed(seed):
    with pytest.raises((TypeError, ValueError), match=r"^seed: expected an integer of at least 0"):
        kfgn.GaussNewton(NETWORK, "kfac").draw(seed, 1, 5)


def test_an_array_t_of_jax_is_a_number():
    """The counter of a state of JAX is an array. NumPy and JAX draw the numbers of its value."""
    jax = pytest.importorskip("jax")
    optimiser, t = kfgn.GaussNewton(NETWORK, "kfac"), jax.numpy.asarray(3)
    for seed in (0, jax.random.key(0)):
        np.testing.assert_array_equal(optimiser.draw(seed, t, 5), optimiser.draw(seed, 3, 5))
        for wrong in (jax.numpy.asarray(0), jax.numpy.asarray(3.0), jax.numpy.asarray(True), t[None]):
            with pytest.raises((TypeError, ValueError), match=r"^t: expected a positive integer"):
                optimiser.draw(seed, wrong, 5)
