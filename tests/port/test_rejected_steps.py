"""Rejected steps: no run rejects all its steps, tau ignores rounding errors, and wrong targets move no weights."""

import numpy as np
import pytest

import kfgn
from kfgn._optimisers import Factors, gauss_newton_step

INVERSIONS = ("trace", "frobenius", "spectral", "exact")
METHODS = ("kfra", "kflr", "kfac", "rp")
numpy_alone = pytest.mark.parametrize("backend", ["numpy"], indirect=True)


def start(network, dtype, seed=0):
    rng = np.random.default_rng(seed)
    return tuple((rng.normal(size=s) / np.sqrt(s[1])).astype(dtype) for s in network.weight_shapes)


def targets(network, N, dtype, rng):
    D = network.widths[-1]
    if network.objective == "squared_error":
        return rng.normal(size=(N, D)).astype(dtype)
    if network.objective == "bernoulli":
        return rng.uniform(size=(N, D)).astype(dtype)
    return rng.integers(0, D if network.objective == "categorical" else 2, N)


def run(optimiser, weights, X, Y, steps):
    """On one batch all the time."""
    state, infos = optimiser.init(weights), []
    for t in range(1, steps + 1):
        draws = optimiser.draw(0, t, len(X))
        state, info = optimiser.step(state, X, Y, None if draws is None else draws.astype(X.dtype))
        infos.append(info)
    return state, infos


SATURATED = kfgn.Network.dense((4, 5, 3), ("tanh",), "bernoulli")


@pytest.mark.parametrize("N", [2, 9])
@pytest.mark.parametrize("inputs", [1e4, 1e6, 1e12])
@pytest.mark.parametrize("inversion", INVERSIONS)
@pytest.mark.parametrize("method", METHODS)
def test_saturated_units_do_not_stop_a_run(method, inversion, inputs, N):
    """G_1 is 0, Q_1 is singular, and in float32 the damping of (36) is lost when it is added to Q_1."""
    X = np.full((N, 4), inputs, dtype=np.float32)
    Y = targets(SATURATED, N, np.float32, np.random.default_rng(1))
    optimiser = kfgn.GaussNewton(SATURATED, kfgn.KroneckerFactored(method, samples=3, inversion=inversion))
    state, infos = run(optimiser, start(SATURATED, np.float32), X, Y, 60)
    assert not np.any(kfgn.kfra(SATURATED, start(SATURATED, np.float32), X, Y).G[0])
    assert int(state.counts.rejected) == 0
    assert float(infos[-1].loss) < float(infos[0].loss) - 0.1


@pytest.mark.parametrize("curvature", [kfgn.HessianFree(), kfgn.HessianFree(blocks=True)], ids=str)
def test_saturated_units_do_not_stop_hessian_free(curvature):
    X, Y = np.full((9, 4), 1e4, dtype=np.float32), targets(SATURATED, 9, np.float32, np.random.default_rng(1))
    state, infos = run(kfgn.GaussNewton(SATURATED, curvature), start(SATURATED, np.float32), X, Y, 60)
    assert int(state.counts.rejected) == 0
    assert float(infos[-1].loss) < float(infos[0].loss) - 0.1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("D", [2, 5, 20, 100, 300])
def test_the_floor_of_a_damping_makes_singular_factors_positive_definite(D, dtype):
    """The damping is enough for factors of every rank, and it is a small part of the factor."""
    from kfgn._algebra.damping import visible
    from kfgn.backends import cholesky

    rng = np.random.default_rng(D)
    for rank in {1, 2, D // 3, D - 1} - {0}:
        for rows in (np.ones((rank, D)), rng.normal(size=(rank, D)), 1e8 * (1 + 1e-3 * rng.normal(size=(rank, D)))):
            a = rows[rng.integers(0, rank, 3 * D)].astype(dtype)
            Q = a.T @ a / np.asarray(len(a), dtype=dtype)
            k = visible(np, Q, np.asarray(1e-30, dtype=dtype))
            assert k < 0.01 * np.trace(Q)
            assert cholesky(Q + k * np.eye(D, dtype=dtype))[1]


def with_factors(optimiser, weights, Q, G):
    """The state at the start where so many batches had these factors that another does not count."""
    state = optimiser.init(weights)
    return state._replace(factors=Factors(state.factors.count + 10**9, Q, G, ()))


ONE_LAYER = kfgn.Network.dense((2, 2), (), "squared_error")


@pytest.mark.parametrize("inversion", INVERSIONS)
@pytest.mark.parametrize("gamma", [kfgn.Damping(1e-2, 20), kfgn.Damping(1e-2, 3), kfgn.Damping(0.0, 20)], ids=str)
def test_a_matrix_that_is_not_positive_definite_raises_gamma_until_it_is(inversion, gamma):
    weights, rng = start(ONE_LAYER, "float64"), np.random.default_rng(3)
    X, Y = rng.normal(size=(7, 2)), rng.normal(size=(7, 2))
    optimiser = kfgn.GaussNewton(
        ONE_LAYER, kfgn.KroneckerFactored(average=1.0, inversion=inversion), eta=0.0, gamma=gamma
    )
    state = with_factors(optimiser, weights, (np.diag([1.0, 1.0, -0.125]),), (np.eye(2),))
    rejected = 0
    while True:
        before = state
        state, info = optimiser.step(state, X, Y)
        if bool(info.ok):
            break
        rejected += 1
        expected = max(float(before.gamma) / gamma.omega, 2.0**-53)
        assert float(state.gamma) == pytest.approx(expected, rel=1e-14)
        assert float(info.step_size) == 0
        assert float(state.tau) == float(before.tau)
        for a, b in zip(state.weights + state.average + state.factors.Q, weights * 2 + before.factors.Q, strict=True):
            np.testing.assert_array_equal(a, b)
        assert [int(c) for c in state.counts] == [0, rejected, rejected]
    assert 0 < rejected < 60
    assert not np.array_equal(state.weights[0], weights[0])


def test_a_gamma_at_its_ceiling_and_one_without_a_period_are_not_raised():
    weights, rng = start(ONE_LAYER, "float64"), np.random.default_rng(3)
    X, Y = rng.normal(size=(7, 2)), rng.normal(size=(7, 2))
    for gamma in (kfgn.Damping(1e-2, 20, upper=1e-2), kfgn.Damping(1e-2, None)):
        optimiser = kfgn.GaussNewton(ONE_LAYER, kfgn.KroneckerFactored(average=1.0), gamma=gamma)
        state = with_factors(optimiser, weights, (np.diag([1.0, 1.0, -9.0]),), (np.eye(2),))
        for failures in (1, 2):
            state, info = optimiser.step(state, X, Y)
            assert not bool(info.ok)
            assert float(state.gamma) == 1e-2
            assert int(state.counts.failures) == failures


@pytest.mark.parametrize("inversion", INVERSIONS)
@pytest.mark.parametrize("method", ["kfra", "kflr"])
def test_a_step_size_that_overflows_raises_tau_and_not_gamma(method, inversion):
    """A sure and wrong unit has a curvature of 1e-35 and a gradient of 1; alpha delta~ is the same for any gamma."""
    network = kfgn.Network.dense((1, 1), (), "bernoulli")
    weights = (np.array([[0.0, 80.0]], dtype="float32"),)
    X, Y = np.ones((3, 1), dtype="float32"), np.zeros((3, 1), dtype="float32")
    curvature = kfgn.KroneckerFactored(method, inversion=inversion)
    optimiser = kfgn.GaussNewton(network, curvature, eta=0.0, tau=kfgn.Damping(0.0, 5))
    state, infos = run(optimiser, weights, X, Y, 4)
    assert [bool(info.ok) for info in infos[:2]] == [False, True]
    assert [float(info.tau) for info in infos[:2]] == [0.0, 2.0**-24]
    assert float(infos[1].gamma) == float(infos[0].gamma)
    assert int(state.counts.rejected) == 1


@pytest.mark.parametrize(
    "curvature", [kfgn.KroneckerFactored(), kfgn.HessianFree(), kfgn.HessianFree(blocks=True)], ids=str
)
def test_an_update_that_overflows_raises_a_damping_until_one_does_not(curvature):
    """A gradient of 1e25 is finite in float32 and its square is not."""
    weights = start(ONE_LAYER, "float32")
    X, Y = np.full((3, 2), 1e4, dtype="float32"), np.full((3, 2), -1e18, dtype="float32")
    optimiser = kfgn.GaussNewton(ONE_LAYER, curvature)
    with np.errstate(all="ignore"):
        state, info = optimiser.step(optimiser.init(weights), X, Y)
    assert np.isfinite(info.f)
    assert bool(info.ok) or float(state.tau) > float(info.tau) or float(state.gamma) > float(info.gamma)


def test_a_loss_that_is_not_finite_after_the_update_raises_tau(monkeypatch):
    monkeypatch.setattr(gauss_newton_step, "change_in_loss", lambda at, *_: at.xp.asarray(np.inf))
    optimiser = kfgn.GaussNewton(ONE_LAYER, tau=kfgn.Damping(1e-2, 2))
    rng, weights = np.random.default_rng(3), start(ONE_LAYER, "float64")
    X, Y = rng.normal(size=(7, 2)), rng.normal(size=(7, 2))
    (state, (first, second)) = run(optimiser, weights, X, Y, 2)
    assert [bool(first.ok), bool(second.ok)] == [True, False]
    assert float(state.tau) == pytest.approx(1e-2 / 0.95**2)
    assert float(state.gamma) == 1e-2


CONVERGED = {
    "bernoulli": (kfgn.Network.dense((4, 3), (), "bernoulli"), "float32"),
    "one layer": (kfgn.Network.dense((4, 3), (), "squared_error"), "float32"),
    "one layer in float64": (kfgn.Network.dense((4, 3), (), "squared_error"), "float64"),
    "two layers": (kfgn.Network.dense((4, 5, 3), ("tanh",), "squared_error"), "float32"),
    "two layers in float64": (kfgn.Network.dense((4, 5, 3), ("tanh",), "squared_error"), "float64"),
}


@pytest.mark.parametrize("name", CONVERGED)
def test_tau_does_not_follow_rounding(name, monkeypatch):
    """At a minimum, where both changes of (42) are rounding errors. Without the rule tau goes up and up."""
    network, dtype = CONVERGED[name]
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(5, 4)).astype(dtype), targets(network, 5, dtype, rng)
    optimiser = kfgn.GaussNewton(network, eta=0.0, tau=kfgn.Damping(1e-2, 1, decay=0.95**5, lower=1e-6))
    state, infos = run(optimiser, start(network, dtype), X, Y, 400)
    assert int(state.counts.rejected) == 0
    assert max(float(info.tau) for info in infos) < 0.1
    assert sum(np.isnan(info.rho) for info in infos[-50:]) > 40
    monkeypatch.setattr(gauss_newton_step, "nan_within_rounding", lambda xp, rho, *_: rho)
    state, _ = run(optimiser, start(network, dtype), X, Y, 400)
    assert float(state.tau) > 1e6


PLAIN = kfgn.Network.dense((4, 5, 3), ("tanh",), "categorical")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("inversion", INVERSIONS)
@pytest.mark.parametrize("method", METHODS)
def test_an_ordinary_run_is_what_it_is_without_these_rules(method, inversion, dtype, monkeypatch):
    """The rules change no bit of a run in which no step fails and f changes."""
    rng = np.random.default_rng(2)
    X, Y = rng.normal(size=(23, 4)).astype(dtype), rng.integers(0, 3, 23)
    optimiser = kfgn.GaussNewton(
        PLAIN,
        kfgn.KroneckerFactored(method, samples=3, inversion=inversion),
        tau=kfgn.Damping(1e-2, 2, lower=1e-6),
        gamma=kfgn.Damping(1e-2, 5, lower=1e-6),
    )
    with_rules, _ = run(optimiser, start(PLAIN, dtype), X, Y, 40)
    monkeypatch.setattr("kfgn._algebra.damping.visible", lambda xp, A, damping: damping)
    monkeypatch.setattr(gauss_newton_step, "nan_within_rounding", lambda xp, rho, *_: rho)
    monkeypatch.setattr(gauss_newton_step, "with_more_damping", lambda xp, state, *_, **__: state)
    without, _ = run(optimiser, start(PLAIN, dtype), X, Y, 40)
    for W, V in zip(with_rules.weights + with_rules.average, without.weights + without.average, strict=True):
        np.testing.assert_array_equal(W, V)
    assert float(with_rules.tau) == float(without.tau) != 1e-2


LABELLED = {
    "categorical": (kfgn.Network.dense((4, 5, 3), ("tanh",), "categorical"), [3, -1, -100, 255]),
    "mixture": (kfgn.Network.dense((4, 5, 3), ("tanh",), "mixture"), [2, -1, -100]),
    "bernoulli": (kfgn.Network.dense((4, 5, 3), ("tanh",), "bernoulli"), [255.0, -1e-6, np.nan, np.inf]),
    "squared_error": (kfgn.Network.dense((4, 5, 3), ("tanh",), "squared_error"), [np.nan, np.inf, -np.inf]),
}
OPTIMISERS = {
    **{
        method: lambda network, method=method: kfgn.GaussNewton(network, kfgn.KroneckerFactored(method))
        for method in METHODS
    },
    "exact": lambda network: kfgn.GaussNewton(network, kfgn.KroneckerFactored(inversion="exact", refresh=3)),
    "whole": lambda network: kfgn.GaussNewton(network, kfgn.HessianFree(iterations=3)),
    "blocks": lambda network: kfgn.GaussNewton(network, kfgn.HessianFree(blocks=True, iterations=3)),
    "with_momentum": lambda network: kfgn.GaussNewton(network, momentum=0.25),
    "sgd": lambda network: kfgn.SGD(network, 0.1),
    "momentum": lambda network: kfgn.SGD(network, 0.1, momentum=0.9),
    "nesterov": lambda network: kfgn.SGD(network, 0.1, momentum=0.9, nesterov=True),
    "adam": lambda network: kfgn.Adam(network),
}


def leaves(tree):
    return [leaf for part in tree for leaf in leaves(part)] if isinstance(tree, tuple) else [tree]


def refuses(optimiser, network, backend, value, dtype="float32"):
    """A batch with one wrong target, after one that is right, moves nothing; and one that is right moves it again."""
    rng = np.random.default_rng(5)
    X, Y = rng.normal(size=(6, 4)).astype(dtype), targets(network, 6, dtype, rng)
    wrong = Y.copy()
    wrong[(2,) + (1,) * (Y.ndim - 1)] = value
    state = optimiser.init(tuple(map(backend.asarray, start(network, dtype))))
    ended = []
    for t, labels in enumerate((Y, wrong, wrong, Y), start=1):
        draws = optimiser.draw(0, t, 6)
        draws = None if draws is None else backend.asarray(draws.astype(dtype))
        before, (state, info) = state, optimiser.step(state, backend.asarray(X), backend.asarray(labels), draws)
        ended.append((bool(info.ok), bool(info.valid)))
        if not bool(info.ok):
            for a, b in zip(leaves(tuple(state)[1:-1]), leaves(tuple(before)[1:-1]), strict=True):
                np.testing.assert_array_equal(backend.to_numpy(a), backend.to_numpy(b))
    assert ended == [(True, True), (False, False), (False, False), (True, True)]
    assert [int(c) for c in state.counts] == [2, 2, 0]


@numpy_alone
@pytest.mark.parametrize("name", OPTIMISERS)
@pytest.mark.parametrize("objective", LABELLED)
def test_targets_that_the_objective_does_not_take_are_rejected(backend, objective, name):
    network, values = LABELLED[objective]
    for value in values:
        with np.errstate(all="ignore"):
            refuses(OPTIMISERS[name](network), network, backend, value)


@pytest.mark.parametrize("name", ["kfra", "adam"])
@pytest.mark.parametrize("objective", ["categorical", "bernoulli"])
def test_targets_are_rejected_on_every_library(backend, objective, name):
    network, (value, *_) = LABELLED[objective]
    with backend.scope("float32"):
        refuses(OPTIMISERS[name](network), network, backend, value)


def test_labels_that_count_from_one_are_rejected():
    network = kfgn.Network.dense((4, 10), (), "categorical")
    X = np.random.default_rng(0).normal(size=(20, 4))
    for dtype in (np.int64, np.int32, np.uint8, np.int8):
        Y = (np.arange(20) % 10 + 1).astype(dtype)
        _, info = kfgn.GaussNewton(network).step(kfgn.GaussNewton(network).init(start(network, "float64")), X, Y)
        assert (bool(info.ok), bool(info.valid)) == (False, False)
        assert np.isfinite(info.loss)  # it is in nothing else that the step shows what is wrong


@pytest.mark.parametrize(("method", "value"), [("kfac", np.nan), ("kfac", 1.0), ("kfac", -0.5), ("rp", np.inf)])
def test_draws_that_are_none_are_rejected_and_raise_no_damping(method, value):
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(6, 4)), rng.integers(0, 3, 6)
    optimiser = kfgn.GaussNewton(PLAIN, kfgn.KroneckerFactored(method))
    state, draws = optimiser.init(start(PLAIN, "float64")), optimiser.draw(0, 1, 6).astype("float64")
    draws[(0,) * draws.ndim] = value
    state, info = optimiser.step(state, X, Y, draws)
    assert (bool(info.ok), float(state.gamma), float(state.tau)) == (False, 1e-2, 1e-2)


def test_steps_without_factors_raise_no_damping():
    """After a first step that was rejected for its batch, there are none until the next refresh."""
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(6, 4)), rng.integers(0, 3, 6)
    optimiser = kfgn.GaussNewton(PLAIN, kfgn.KroneckerFactored(refresh=4), gamma=kfgn.Damping(1e-2, 3))
    state, ended = optimiser.init(start(PLAIN, "float64")), []
    for t in range(1, 6):
        with np.errstate(all="ignore"):
            state, info = optimiser.step(state, X * (np.nan if t == 1 else 1.0), Y)
        ended.append(bool(info.ok))
        assert float(state.gamma) == 1e-2
    assert ended == [False, False, False, False, True]
