"""The optimisers beyond what walks compare: rejected steps, options, draws, tracing, refusals, and PyTorch's own."""

import re
from itertools import pairwise

import numpy as np
import pytest

import kfgn
from kfgn._optimisers import Factors, State

NETWORK = kfgn.Network.dense((3, 5, 4, 2), ("tanh", "softplus"), "bernoulli")
N = 7
HESSIAN_FREE = kfgn.HessianFree(iterations=8)
CURVATURES = [*(kfgn.KroneckerFactored(method) for method in ("kfra", "kflr", "kfac", "rp")), HESSIAN_FREE]
numpy_alone = pytest.mark.parametrize("backend", ["numpy"], indirect=True)


def data(dtype="float64", seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(N, 3)).astype(dtype), rng.uniform(size=(N, 2)).astype(dtype)


def weights(dtype="float64"):
    rng = np.random.default_rng(9)
    return tuple(rng.normal(size=shape).astype(dtype) for shape in NETWORK.weight_shapes)


def started(optimiser, backend, dtype="float64"):
    return optimiser.init(tuple(backend.asarray(W) for W in weights(dtype)))


def run(optimiser, backend, steps, dtype="float64", state=None):
    """The states, and what each step said."""
    state = started(optimiser, backend, dtype) if state is None else state
    states, infos = [state], []
    for t in range(state.t + 1, state.t + steps + 1):
        X, Y = data(dtype, t)
        draws = optimiser.draw(0, t, N)
        draws = None if draws is None else backend.asarray(draws.astype(dtype))
        state, info = optimiser.step(state, backend.asarray(X), backend.asarray(Y), draws)
        states.append(state)
        infos.append(info)
    return states, infos


def leaves(tree):
    return [leaf for part in tree for leaf in leaves(part)] if isinstance(tree, tuple) else [tree]


def equal(a, b):
    pairs = zip(leaves(a), leaves(b), strict=True)
    return all(np.array_equal(np.asarray(x), np.asarray(y)) for x, y in pairs)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("optimiser", [kfgn.GaussNewton(NETWORK), kfgn.Adam(NETWORK)], ids=["gauss_newton", "adam"])
def test_a_batch_with_nan_changes_nothing_but_the_counts(backend, optimiser, dtype):
    with backend.scope(dtype):
        states, _ = run(optimiser, backend, 4, dtype)
        X, Y = data(dtype)
        X[3, 1] = np.nan
        state = states[-1]
        for failures in (1, 2):
            after, info = optimiser.step(state, backend.asarray(X), backend.asarray(Y))
            assert not bool(info.ok)
            assert after.t == state.t + 1
            assert [int(c) for c in after.counts] == [4, failures, failures]
            for a, b in zip(leaves(tuple(after)[1:-1]), leaves(tuple(state)[1:-1]), strict=True):
                np.testing.assert_array_equal(backend.to_numpy(a), backend.to_numpy(b))
            state = after
        (_, state), (info,) = run(optimiser, backend, 1, dtype, state)
        assert bool(info.ok)
        assert [int(c) for c in state.counts] == [5, 2, 0]


@pytest.mark.parametrize("optimiser", [kfgn.GaussNewton(NETWORK), kfgn.SGD(NETWORK, 1.0)], ids=["gauss_newton", "sgd"])
def test_overflow_on_numpy_is_rejected_without_a_warning(optimiser):
    state = optimiser.init(tuple(1e200 * W for W in weights()))
    state, info = optimiser.step(state, *data())
    assert not bool(info.ok)
    assert int(state.counts.rejected) == 1


@numpy_alone
def test_a_matrix_that_is_not_positive_definite_is_rejected(backend):
    """Without damping, the factors of a single datapoint are singular; with some they are not."""
    X, Y = data()
    for gamma, ok in ((0.0, False), (0.1, True)):
        optimiser = kfgn.GaussNewton(NETWORK, eta=0.0, gamma=kfgn.Damping(gamma, None))
        state, info = optimiser.step(started(optimiser, backend), X[:1], Y[:1])
        assert bool(info.ok) is ok
        assert int(state.counts.failures) == (not ok)


def indefinite(optimiser, W, Q):
    """The state at weights W of one layer where so many batches had this Q that another does not count."""
    state = optimiser.init((W,))
    factors = Factors(state.factors.count + 10**9, (Q,), (np.eye(len(W)),), ())
    return state._replace(factors=factors)


@pytest.mark.parametrize(("decay", "ok"), [(0.5, False), (1e-3, True)])
def test_a_gamma_that_fails_gives_way_to_one_that_does_not(decay, ok):
    """And where all three fail, the step is rejected and gamma is raised by the factor of an adaptation."""
    network = kfgn.Network.dense((1, 1), (), "squared_error")
    W, X, Y = np.array([[1.0, -1.0]]), np.array([[1.0]]), np.array([[3.0]])
    optimiser = kfgn.GaussNewton(
        network, kfgn.KroneckerFactored(average=1.0), eta=0.0, gamma=kfgn.Damping(1e-3, 1, decay=decay)
    )
    state, info = optimiser.step(indefinite(optimiser, W, np.diag([1.0, -0.2])), X, Y)
    assert bool(info.ok) is ok
    assert float(state.gamma) == pytest.approx(1e-3 / decay)
    assert equal(state.weights, (W,)) is not ok


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
    """On the same batch every time."""
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
@pytest.mark.parametrize("inversion", ["trace", "exact"])
def test_between_refreshes_inverses_serve_again(backend, inversion):
    """And what they are made of stays: a step costs no factor, and the direction is that of the last refresh's."""
    optimiser = kfgn.GaussNewton(
        NETWORK,
        kfgn.KroneckerFactored(refresh=3, inversion=inversion),
        gamma=kfgn.Damping(0.5, None),
        tau=kfgn.Damping(1, None),
    )
    states, _ = run(optimiser, backend, 7)
    counts = [int(state.factors.count) for state in states]
    assert counts == [0, 1, 1, 1, 2, 2, 2, 3]
    for t, (a, b) in enumerate(pairwise(states), start=1):
        same = equal(a.factors, b.factors)
        assert same is ((t - 1) % 3 != 0)
    assert isinstance(states[1].factors, Factors)
    assert len(states[1].factors.inverses) == 3
    assert started(kfgn.GaussNewton(NETWORK), backend).factors.inverses == ()


@numpy_alone
def test_a_rejected_first_step_leaves_nothing_to_step_with_until_the_next_refresh(backend):
    optimiser, (X, Y) = kfgn.GaussNewton(NETWORK, kfgn.KroneckerFactored(refresh=3)), data()
    state, told = started(optimiser, backend), []
    for t in range(1, 6):
        before = state
        with np.errstate(all="ignore"):
            state, info = optimiser.step(state, X * (np.inf if t == 1 else 1.0), Y)
        told.append(bool(info.ok))
        assert equal(before.weights, state.weights) is not told[-1]
    assert told == [False, False, False, True, True]
    assert int(state.counts.rejected) == 3


@numpy_alone
def test_the_longest_step(backend):
    free = kfgn.GaussNewton(NETWORK, gamma=kfgn.Damping(50.0, None))
    bound = kfgn.GaussNewton(NETWORK, gamma=kfgn.Damping(50.0, None), max_step_size=1.0)
    (_, (info,)), (_, (cut,)) = run(free, backend, 1), run(bound, backend, 1)
    assert float(info.step_size) < -1
    assert float(cut.step_size) == -1


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


RULES = {
    "sgd": (kfgn.SGD(NETWORK, 0.1), lambda torch, p: torch.optim.SGD(p, 0.1)),
    "momentum": (kfgn.SGD(NETWORK, 0.1, momentum=0.9), lambda torch, p: torch.optim.SGD(p, 0.1, momentum=0.9)),
    "nesterov": (
        kfgn.SGD(NETWORK, 0.1, momentum=0.9, nesterov=True),
        lambda torch, p: torch.optim.SGD(p, 0.1, momentum=0.9, nesterov=True),
    ),
    "adam": (kfgn.Adam(NETWORK, 0.01, eta=0.5), lambda torch, p: torch.optim.Adam(p, 0.01, weight_decay=0.5)),
}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("backend", ["torch"], indirect=True)
def test_first_order_rules_are_those_of_pytorch(backend, rule):
    import torch

    optimiser, theirs = RULES[rule]
    parameters = [torch.tensor(W, requires_grad=True) for W in weights()]
    other = theirs(torch, parameters)
    states, _ = run(optimiser, backend, 20)
    for t in range(1, 21):
        X, Y = map(torch.tensor, data(seed=t))
        for parameter, g in zip(parameters, kfgn.gradient(NETWORK, parameters, X, Y), strict=True):
            parameter.grad = g
        other.step()
    for ours, parameter in zip(states[-1].weights, parameters, strict=True):
        torch.testing.assert_close(ours, parameter.detach(), rtol=1e-9, atol=1e-12)


@numpy_alone
def test_the_rate_is_halved(backend):
    _, infos = run(kfgn.Adam(NETWORK, 0.5, halving=3), backend, 8)
    assert [float(info.step_size) for info in infos] == [-x for x in [0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125, 0.125]]
    _, infos = run(kfgn.SGD(NETWORK, 0.5), backend, 4)
    assert [float(info.step_size) for info in infos] == [-0.5] * 4


@pytest.mark.parametrize("backend", ["jax"], indirect=True)
def test_a_step_inside_a_trace(backend):
    """With t outside of it; the same bits as by itself are not promised, the same numbers are."""
    import jax

    optimiser = kfgn.GaussNewton(NETWORK, tau=kfgn.Damping(1.0, 1), gamma=kfgn.Damping(1.0, 1))
    with backend.scope("float64"):
        state = started(optimiser, backend)
        X, Y = map(backend.asarray, data())
        traced = jax.jit(lambda arrays, X, Y: tuple(optimiser.step(State(0, *arrays), X, Y)[0])[1:])
        expected, _ = optimiser.step(state, X, Y)
        for a, b in zip(leaves(traced(tuple(state)[1:], X, Y)), leaves(tuple(expected)[1:]), strict=True):
            np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-10, atol=1e-12)


NUMBERS = [
    (lambda: kfgn.GaussNewton("net"), TypeError, "network: expected a kfgn.Network"),
    (
        lambda: kfgn.GaussNewton(NETWORK, "kfra"),
        TypeError,
        "curvature: expected KroneckerFactored or HessianFree, got 'kfra'",
    ),
    (lambda: kfgn.GaussNewton(NETWORK, eta=-1), ValueError, "eta: expected a finite number of at least 0, got -1"),
    (lambda: kfgn.GaussNewton(NETWORK, eta=True), TypeError, "eta: expected a finite number of at least 0, got True"),
    (lambda: kfgn.GaussNewton(NETWORK, tau=1.0), TypeError, "tau: expected a Damping, got 1.0"),
    (lambda: kfgn.GaussNewton(NETWORK, thresholds=0.75), TypeError, "thresholds: expected a pair of numbers, got 0.75"),
    (
        lambda: kfgn.GaussNewton(NETWORK, thresholds=(0.8, 0.2)),
        ValueError,
        "thresholds: expected a finite number of at least 0.8, got 0.2",
    ),
    (
        lambda: kfgn.GaussNewton(NETWORK, max_step_size=0),
        ValueError,
        "max_step_size: expected a finite number above 0, got 0",
    ),
    (lambda: kfgn.GaussNewton(NETWORK, momentum=2), ValueError, "momentum: expected a number from 0 to 1, got 2"),
    (lambda: kfgn.Damping(1.0, 0), ValueError, "period: expected a positive integer or None, got 0"),
    (lambda: kfgn.Damping(1.0, 2.5), TypeError, "period: expected a positive integer or None, got 2.5"),
    (lambda: kfgn.Damping(1.0, 5, upper=0.5), ValueError, "initial: expected a number from 0 to 0.5, got 1.0"),
    (lambda: kfgn.Damping(1.0, 5, decay=0.0), ValueError, "decay: expected a number above 0 and at most 1, got 0.0"),
    (lambda: kfgn.Damping(float("nan"), 5), ValueError, "initial: expected a number from 0 to 1e+10, got nan"),
    (lambda: kfgn.KroneckerFactored("kfaq"), ValueError, "method: expected one of kflr, kfra, kfac, rp, got 'kfaq'"),
    (
        lambda: kfgn.KroneckerFactored(inversion="L1"),
        ValueError,
        "inversion: expected one of trace, frobenius, spectral, exact, got 'L1'",
    ),
    (lambda: kfgn.KroneckerFactored(samples=0), ValueError, "samples: expected a positive integer, got 0"),
    (lambda: kfgn.KroneckerFactored(refresh=1.5), TypeError, "refresh: expected a positive integer, got 1.5"),
    (lambda: kfgn.HessianFree(blocks=1), TypeError, "blocks: expected True or False, got 1"),
    (
        lambda: kfgn.HessianFree(tolerance=-1.0),
        ValueError,
        "tolerance: expected a finite number of at least 0, got -1.0",
    ),
    (lambda: kfgn.SGD(NETWORK, 0.0), ValueError, "learning_rate: expected a finite number above 0, got 0.0"),
    (lambda: kfgn.SGD(NETWORK, 0.1, nesterov=True), ValueError, "nesterov: expected momentum above 0 with it, got 0"),
    (lambda: kfgn.Adam(NETWORK, halving=0), ValueError, "halving: expected a positive integer or None, got 0"),
    (
        lambda: kfgn.Adam(NETWORK, beta_1=1.5),
        ValueError,
        "beta_1: expected a number of at least 0 and below 1, got 1.5",
    ),
    (
        lambda: kfgn.GaussNewton(kfgn.Network.dense((2, 3), (), "mixture", psd="raise")),
        ValueError,
        "psd: expected 'project' or 'scalar'",
    ),
]


@pytest.mark.parametrize(("make", "error", "message"), NUMBERS)
def test_constants_are_refused(make, error, message):
    with pytest.raises(error, match=re.escape(message)):
        make()


@numpy_alone
def test_arguments_are_refused(backend):
    optimiser = kfgn.GaussNewton(NETWORK)
    state, (X, Y) = started(optimiser, backend), data()
    sampling = kfgn.GaussNewton(NETWORK, kfgn.KroneckerFactored("kfac"))

    def refused(error, message, call):
        with pytest.raises(error, match=re.escape(message)):
            call()

    refused(ValueError, "X: expected shape (N, 3), got (7, 2)", lambda: optimiser.step(state, X[:, :2], Y))
    refused(ValueError, "Y: expected shape (7, 2) for bernoulli", lambda: optimiser.step(state, X, Y[:3]))
    refused(TypeError, "expected the dtype of X, float32", lambda: optimiser.step(state, X.astype("f4"), Y))
    refused(ValueError, "draws: expected None for kfra", lambda: optimiser.step(state, X, Y, Y))
    refused(ValueError, "draws: expected None for Adam", lambda: run_adam(X, Y))
    refused(ValueError, "draws: expected the random numbers of kfac", lambda: sampling.step(state, X, Y))
    refused(ValueError, "draws: expected shape (7, 1, 2)", lambda: sampling.step(state, X, Y, Y[:3, None, :]))
    refused(ValueError, "W_2: expected shape (4, 6)", lambda: optimiser.init((*weights()[:1], *weights()[:2])))
    refused(ValueError, "W_1: expected finite values", lambda: optimiser.init(tuple(W * np.nan for W in weights())))
    refused(TypeError, "weights: expected a tuple or list", lambda: optimiser.init(weights()[0]))
    refused(ValueError, "weights: expected 3 arrays", lambda: optimiser.init(()))
    refused(TypeError, "state.t: expected a Python integer", lambda: optimiser.step(state._replace(t=1.5), X, Y))


def run_adam(X, Y):
    adam = kfgn.Adam(NETWORK)
    adam.step(adam.init(weights()), X, Y, X)
