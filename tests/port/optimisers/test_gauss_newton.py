"""The steps of `GaussNewton`: pure, repeatable, downhill, bounded, and traced by JAX."""

import numpy as np
import pytest

import kfgn
from kfgn._optimisers import State

from .runs import NETWORK, N, data, equal, leaves, numpy_alone, run, started

HESSIAN_FREE = kfgn.HessianFree(iterations=8)
CURVATURES = [*(kfgn.KroneckerFactored(method) for method in ("kfra", "kflr", "kfac", "rp")), HESSIAN_FREE]


def test_at_a_stationary_point_the_step_is_zero_and_right():
    network = kfgn.Network.dense((2, 2), (), "squared_error")
    W, X = np.ones((2, 3)), np.ones((4, 2))
    optimiser = kfgn.GaussNewton(network, eta=0.0, tau=kfgn.Damping(1.0, 1))
    state, info = optimiser.step(optimiser.init((W,)), X, np.full((4, 2), 3.0))
    assert bool(info.ok)
    assert float(info.step_size) == 0
    np.testing.assert_array_equal(state.weights[0], W)
    assert float(state.tau) == 1.0  # rho is 0/0, which is neither large nor small


@numpy_alone
@pytest.mark.parametrize("curvature", CURVATURES, ids=str)
def test_steps_are_pure_and_repeat(backend, curvature):
    optimiser = kfgn.GaussNewton(NETWORK, curvature, tau=kfgn.Damping(1.0, 2), gamma=kfgn.Damping(1.0, 3))
    first, infos = run(optimiser, backend, 6)
    second, _ = run(optimiser, backend, 6)
    assert equal(first[-1], second[-1])
    for array in leaves(tuple(first[3])[1:]):
        if isinstance(array, np.ndarray):
            array.flags.writeable = False
    third, _ = run(optimiser, backend, 3, state=first[3])
    assert equal(third[-1], first[-1])
    assert [not np.isnan(info.rho) for info in infos] == [False, True, False, True, False, True]
    assert [int(c) for c in first[-1].counts] == [6, 0, 0]
    assert float(infos[-1].loss) < float(infos[-1].f)


@numpy_alone
@pytest.mark.parametrize("method", ["kfra", "kflr", "kfac", "rp"])
def test_every_method_descends(backend, method):
    """The loss falls when every step has the same batch."""
    optimiser = kfgn.GaussNewton(NETWORK, kfgn.KroneckerFactored(method, samples=3), tau=kfgn.Damping(0.1, 5))
    state, (X, Y) = started(optimiser, backend), data()
    losses = []
    for t in range(1, 41):
        state, info = (
            optimiser.step(state, X, Y, optimiser.draw(0, t, N))
            if method in ("kfra", "kflr")
            else (optimiser.step(state, X, Y, optimiser.draw(0, t, N).astype(float)))
        )
        losses.append(float(info.loss))
    floor = float(np.mean(np.sum(-Y * np.log(Y) - (1 - Y) * np.log(1 - Y), axis=1)))
    assert losses[-1] - floor < 0.2 * (losses[0] - floor)
    averaged = float(kfgn.loss(NETWORK, state.average, X, Y))
    assert averaged - floor < 0.4 * (losses[0] - floor)


@numpy_alone
def test_the_longest_step(backend):
    free = kfgn.GaussNewton(NETWORK, gamma=kfgn.Damping(50.0, None))
    bound = kfgn.GaussNewton(NETWORK, gamma=kfgn.Damping(50.0, None), max_step_size=1.0)
    (_, (info,)), (_, (cut,)) = run(free, backend, 1), run(bound, backend, 1)
    assert float(info.step_size) < -1
    assert float(cut.step_size) == -1


@pytest.mark.parametrize("backend", ["jax"], indirect=True)
def test_a_step_inside_a_trace(backend):
    """A step under jax.jit, with t outside the trace, gives the same numbers up to rounding errors."""
    import jax

    optimiser = kfgn.GaussNewton(NETWORK, tau=kfgn.Damping(1.0, 1), gamma=kfgn.Damping(1.0, 1))
    with backend.scope("float64"):
        state = started(optimiser, backend)
        X, Y = map(backend.asarray, data())
        traced = jax.jit(lambda arrays, X, Y: tuple(optimiser.step(State(0, *arrays), X, Y)[0])[1:])
        expected, _ = optimiser.step(state, X, Y)
        for a, b in zip(leaves(traced(tuple(state)[1:], X, Y)), leaves(tuple(expected)[1:]), strict=True):
            np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-10, atol=1e-12)
