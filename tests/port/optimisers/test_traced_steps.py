"""Steps that JAX traces with their t: one program serves every t, and it computes what the host chooses elsewhere."""

import numpy as np
import pytest

import kfgn

NETWORK = kfgn.Network.dense((3, 4, 2), ("tanh",), "bernoulli")
STEPS, N = 12, 7
DAMPINGS = {"tau": kfgn.Damping(1.0, 2), "gamma": kfgn.Damping(1.0, 3)}
KFAC = kfgn.KroneckerFactored("kfac", samples=2, refresh=2)
OPTIMISERS = {
    "kfra": kfgn.GaussNewton(NETWORK, **DAMPINGS),
    "refresh": kfgn.GaussNewton(
        NETWORK, kfgn.KroneckerFactored("kfac", samples=2, refresh=2), momentum=0.3, **DAMPINGS
    ),
    "hessian_free": kfgn.GaussNewton(NETWORK, kfgn.HessianFree(iterations=4), **DAMPINGS),
    "ekfac": kfgn.GaussNewton(NETWORK, kfgn.EigenvalueCorrected(samples=2, refresh=2), **DAMPINGS),
    "kfoc": kfgn.GaussNewton(NETWORK, "kfoc", **DAMPINGS),
    "adam": kfgn.Adam(NETWORK),
    "sgd": kfgn.SGD(NETWORK, 0.1, momentum=0.5),
}
each_optimiser = pytest.mark.parametrize(
    "optimiser",
    [
        # KFOC has the state and the schedule of KFRA, and its program takes long to compile
        pytest.param(optimiser, id=name, marks=pytest.mark.thorough if name == "kfoc" else ())
        for name, optimiser in OPTIMISERS.items()
    ],
)


def batches(optimiser):
    """X, Y and the draws of every step, stacked."""
    rng = np.random.default_rng(3)
    X, Y = rng.normal(size=(STEPS, N, 3)), rng.uniform(size=(STEPS, N, 2))
    draws = [optimiser.draw(5, t, N) for t in range(1, STEPS + 1)]
    return (X, Y) if draws[0] is None else (X, Y, np.stack(draws).astype(X.dtype))


def weights():
    rng = np.random.default_rng(4)
    return tuple(rng.normal(size=shape) for shape in NETWORK.weight_shapes)


def on_numpy(optimiser):
    state, infos = optimiser.init(weights()), []
    for batch in zip(*batches(optimiser), strict=True):
        state, info = optimiser.step(state, *batch)
        infos.append(info)
    return state, infos


def assert_close(jax, a, b):
    assert len(jax.tree.leaves(a)) == len(jax.tree.leaves(b)) > 8
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_allclose(np.asarray(x), np.asarray(y), rtol=1e-8, atol=1e-9)


@each_optimiser
@pytest.mark.parametrize("backend", ["jax"], indirect=True)
def test_one_program_serves_every_t(backend, optimiser):
    """As a user traces it, eagerly from an array t, and by a scan over the steps. All are what NumPy computes."""
    import jax

    expected, infos = on_numpy(optimiser)
    with backend.scope("float64"):
        arrays = tuple(map(jax.numpy.asarray, batches(optimiser)))
        state = first = jax.jit(optimiser.init)(tuple(map(jax.numpy.asarray, weights())))
        step = jax.jit(optimiser.step)
        for t, info in enumerate(infos):
            state, found = step(state, *(array[t] for array in arrays))
            assert_close(jax, (found, found), (info, info))
        assert step._cache_size() == 1
        assert int(state.t) == STEPS
        assert_close(jax, state, expected)
        scanned, _ = jax.lax.scan(lambda state, batch: step(state, *batch), first, arrays)
        assert_close(jax, scanned, expected)


@pytest.mark.parametrize("backend", ["jax"], indirect=True)
def test_an_array_t_after_a_traced_step(backend):
    """JAX has one program for a Python integer, and the same one for an array. t keeps its kind."""
    import jax

    optimiser = OPTIMISERS["kfra"]
    expected, _ = on_numpy(optimiser)
    with backend.scope("float64"):
        X, Y = map(jax.numpy.asarray, batches(optimiser))
        state = optimiser.init(tuple(map(jax.numpy.asarray, weights())))
        assert isinstance(state.t, jax.Array)
        state = state._replace(t=int(state.t))
        for t in range(STEPS):
            state, _ = optimiser.step(state, X[t], Y[t])
            assert state.t == t + 1
            assert isinstance(state.t, int) is (t < STEPS // 2)
            if t == STEPS // 2 - 1:
                state = state._replace(t=jax.numpy.asarray(state.t))
        assert_close(jax, state, expected)


@pytest.mark.parametrize("backend", ["jax"], indirect=True)
def test_a_program_is_compiled_once_for_arrays_of_no_device(backend):
    """JAX compiles again when an argument becomes committed to a device. A first state is committed where W is."""
    import jax

    optimiser = kfgn.Adam(NETWORK)
    state = optimiser.init(tuple(jax.numpy.asarray(W.astype("float32")) for W in weights()))
    assert not any(array.committed for array in jax.tree.leaves(state))
    state = optimiser.init(tuple(backend.asarray(W.astype("float32")) for W in weights()))
    assert all(array.committed for array in jax.tree.leaves(state))


@each_optimiser
@pytest.mark.parametrize("backend", ["jax"], indirect=True)
def test_a_traced_step_is_compiled_once(backend, optimiser):
    """A first state and the state after a step agree in every property of an array for which JAX would compile again.

    The arrays are committed to a device, so an uncommitted t at the start would mean a second program.
    """
    import jax

    batch = tuple(backend.asarray(array[0].astype("float32")) for array in batches(optimiser))
    state = optimiser.init(tuple(backend.asarray(W.astype("float32")) for W in weights()))
    step = jax.jit(optimiser.step)
    for _ in range(3):
        state, _ = step(state, *batch)
    assert step._cache_size() == 1


@pytest.mark.parametrize("backend", ["jax"], indirect=True)
def test_a_t_that_counts_nothing_is_refused(backend):
    import jax.numpy as jnp

    optimiser = kfgn.Adam(NETWORK)
    with backend.scope("float64"):
        state = optimiser.init(tuple(map(jnp.asarray, weights())))
        X, Y = (jnp.asarray(array[0]) for array in batches(optimiser))
        for t in (jnp.asarray(1.0), jnp.asarray(True), jnp.asarray([1]), np.asarray(1), -1):
            with pytest.raises((TypeError, ValueError), match=r"^state\.t: expected"):
                optimiser.step(state._replace(t=t), X, Y)


def test_a_t_of_jax_is_refused_with_arrays_of_numpy():
    jnp = pytest.importorskip("jax.numpy")
    optimiser = kfgn.Adam(NETWORK)
    X, Y = (array[0] for array in batches(optimiser))
    with pytest.raises(TypeError, match=r"^state\.t: expected an array of the library of W_1"):
        optimiser.step(optimiser.init(weights())._replace(t=jnp.asarray(1)), X, Y)
