"""The port under JAX's transformations, where traced arrays have no values and no device."""

import numpy as np
import pytest

import kfgn
from kfgn.backends import open_backend

jax = pytest.importorskip("jax")

pytestmark = pytest.mark.parametrize("backend", ["jax"], indirect=True)
OBJECTIVES = ["squared_error", "bernoulli", "categorical", "mixture", "mixture scalar"]


def assert_close(a, b):
    assert jax.tree.structure(a) == jax.tree.structure(b)
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-10, atol=1e-12), a, b)


def test_curvature_is_a_pytree(backend, problem):
    p = problem(backend, "categorical")
    curvature = kfgn.kfra(p.network, p.weights, p.X, p.Y)
    assert len(jax.tree.leaves(curvature)) == 1 + 3 * len(p.weights)
    doubled = jax.tree.map(lambda x: 2 * x, curvature)
    assert isinstance(doubled, kfgn.LossAndFactors)
    assert_close(doubled.Q[0], 2 * curvature.Q[0])


@pytest.mark.parametrize(
    "objective",
    [pytest.param(name, marks=() if name == "mixture" else pytest.mark.thorough) for name in OBJECTIVES],
)
def test_jit(backend, problem, functions, objective):
    # check=True is the default, and must not fail on arrays without values. JAX compiles one program, and
    # NumPy computes the expected results, because JAX would compile every operation separately.
    p, q = (problem(b, objective) for b in (backend, open_backend("numpy")))

    def everything(weights, *arrays):
        return {f.name: f(with_arrays(p, weights, *arrays)) for f in functions()}

    assert_close(jax.jit(everything)(*p[1:]), everything(*q[1:]))


def with_arrays(p, *arrays):
    return type(p)(p.network, *arrays)


def test_network_is_static(backend, problem):
    p = problem(backend, "categorical", widths=(2, 3))
    for name in ("loss", "kfra"):
        arguments = {"network": p.network, "weights": p.weights, "X": p.X, "Y": p.Y}
        compiled = jax.jit(getattr(kfgn, name), static_argnames=("network", "check"))
        assert_close(compiled(**arguments, check=True), getattr(kfgn, name)(**arguments))


def test_jit_checks_what_reads_no_data(backend, problem):
    p = problem(backend, "categorical", widths=(2, 3))
    loss = jax.jit(kfgn.loss, static_argnums=0)
    with pytest.raises(ValueError, match=r"^X: expected shape \(N, 2\), got \(2, 7\)"):
        loss(p.network, p.weights, p.X.T, p.Y)
    with pytest.raises(TypeError, match=r"^Y: expected integer class indices"):
        loss(p.network, p.weights, p.X, p.Y * 1.0)
    loss(p.network, p.weights, p.X * np.nan, p.Y - 5)


def test_jit_kflr_in_chunks(backend, problem):
    p = problem(backend, "categorical")
    compiled = jax.jit(lambda *a: kfgn.kflr(p.network, *a, memory=1500))  # chunks of the 7 datapoints
    assert_close(compiled(p.weights, p.X, p.Y), kfgn.kflr(p.network, p.weights, p.X, p.Y))


CLOSURES = {
    "X": lambda f, W, X, Y: jax.jit(lambda x: f(W, x, Y))(X),
    "the weights": lambda f, W, X, Y: jax.jit(lambda w: f(w, X, Y))(W),
    "one weight": lambda f, W, X, Y: jax.jit(lambda w: f((*W[:-1], w), X, Y))(W[-1]),
    "Y": lambda f, W, X, Y: jax.jit(lambda y: f(W, X, y))(Y),
    "nothing": lambda f, W, X, Y: jax.jit(lambda: f(W, X, Y))(),
}


@pytest.mark.parametrize("traced", CLOSURES)
def test_jit_with_constants(backend, problem, traced):
    # arrays that are not traced are on a device, and traced ones on none; both may be arguments of one call
    p = problem(backend, "categorical", widths=(2, 3))

    def kfra(*arrays):
        return kfgn.kfra(p.network, *arrays)

    assert_close(CLOSURES[traced](kfra, p.weights, p.X, p.Y), kfra(p.weights, p.X, p.Y))


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_sampling_and_kfac_with_constants(backend, problem, objective):
    p = problem(backend, objective)

    def sampled(weights):
        labels = kfgn.sample_labels(p.network, weights, p.X, p.draws)
        return kfgn.kfac(p.network, weights, p.X, p.Y, labels)

    def drawn(weights):
        return kfgn.kfac(p.network, weights, p.X, p.Y, draws=p.draws)

    assert_close(jax.jit(sampled)(p.weights), sampled(p.weights))
    assert_close(jax.jit(drawn)(p.weights), sampled(p.weights))


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_gradient_is_that_of_autodiff(backend, problem, objective):
    # X and Y are constants while jax.grad traces the weights
    p = problem(backend, objective)
    expected = jax.jit(jax.grad(lambda W: kfgn.loss(p.network, W, p.X, p.Y)))(p.weights)
    assert_close(kfgn.gradient(p.network, p.weights, p.X, p.Y), expected)


def test_gradient_without_jit(backend, problem):
    p = problem(backend, "squared_error", widths=(2, 3))
    expected = jax.grad(lambda W: kfgn.loss(p.network, W, p.X, p.Y))(p.weights)
    assert_close(kfgn.gradient(p.network, p.weights, p.X, p.Y), expected)


def test_vmap_over_datapoints(backend, problem):
    # the mean over the results of single datapoints
    p = problem(backend, "categorical")
    each = jax.vmap(lambda x, y: kfgn.kflr(p.network, p.weights, x[None], y[None]).G)
    G = jax.jit(lambda X, Y: jax.tree.map(lambda g: g.mean(0), each(X, Y)))(p.X, p.Y)
    assert_close(G, kfgn.kflr(p.network, p.weights, p.X, p.Y).G)


@pytest.mark.parametrize(
    ("objective", "dtype"),
    [
        pytest.param(objective, dtype, marks=() if (i + j) % 2 == 0 else pytest.mark.thorough)
        for i, objective in enumerate(OBJECTIVES)
        for j, dtype in enumerate(["float32", "float64"])
    ],
)
def test_shapes_and_dtypes(backend, problem, functions, objective, dtype):
    # the shapes are those of NumPy
    p, q = (problem(b, objective, dtype) for b in (backend, open_backend("numpy")))
    for function in functions():
        shapes = jax.eval_shape(lambda *a, f=function: f(with_arrays(p, *a)), *p[1:])
        for s, x in zip(jax.tree.leaves(shapes), jax.tree.leaves(function(q)), strict=True):
            assert s.shape == x.shape
            index = p.Y.dtype if p.network.classes else jax.numpy.arange(1).dtype
            assert s.dtype == (dtype if x.dtype == dtype else index)
