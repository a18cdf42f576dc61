"""Runs of the optimiser as a pure function, to convergence, with bad input and in ball arithmetic."""

import copy

import flint
import kfgn_reference as ref
import numpy as np
import pytest

from .optimiser import ETA, GAMMA, METHODS, TAU, N, S, batches, by_layer, network, run


@pytest.mark.parametrize("method", METHODS)
def test_steps_are_pure(method):
    """A step changes no argument, and equal arguments give equal bits."""
    settings = ref.Settings(method, ETA, T_tau=1, T_gamma=1)
    net = network("bernoulli")
    data = list(batches(net, method, 2))
    state, _ = ref.optimiser_step(settings, ref.initial_state(net, TAU, GAMMA), *data[0])
    before = copy.deepcopy((state, data))
    first, second = (ref.optimiser_step(settings, state, *data[1]) for _ in range(2))

    def flat(value):
        """The bytes of all arrays in nested states."""
        if isinstance(value, dict):
            return [flat(value[key]) for key in sorted(value)]
        if isinstance(value, (tuple, list)):
            return [flat(part) for part in value]
        return value.tobytes() if isinstance(value, np.ndarray) else value

    assert flat(before) == flat((state, data))
    assert flat(first) == flat(second)
    assert type(first[0]) is ref.State
    assert type(first[1]) is ref.Info


def test_trajectory_is_step_after_step():
    settings = ref.Settings("kfac", ETA, T_tau=1)
    net = network("categorical")
    state, results = ref.initial_state(net, TAU, GAMMA), []
    for batch in batches(net, "kfac", 4):
        state, info = ref.optimiser_step(settings, state, *batch)
        results.append((state, info))
    done = ref.trajectory(settings, ref.initial_state(net, TAU, GAMMA), batches(net, "kfac", 4))
    assert len(done) == 4
    for (state, info), (other, other_info) in zip(results, done, strict=True):
        assert info == other_info
        assert (state.t, state.tau, state.gamma) == (other.t, other.tau, other.gamma)
        assert all(np.array_equal(*pair) for pair in zip(state.net.weights, other.net.weights, strict=True))
    assert ref.trajectory(settings, ref.initial_state(net, TAU, GAMMA), []) == []


@pytest.mark.parametrize(
    ("method", "objective"),
    [("kflr", "categorical"), ("kfra", "mixture"), ("kfac", "categorical"), ("rp", "squared_error")],
)
def test_thirty_steps(method, objective):
    """Classification of ten points inside or outside a disc: the loss decreases to less than a third."""
    rng = np.random.default_rng(5)
    net = network(objective, "project", widths=(2, 6, 3), seed=4)
    X = rng.normal(size=(10, 2))
    inside = (np.sum(X**2, axis=1) < 1.2).astype(int)
    Y = np.eye(3)[inside] if objective == "squared_error" else inside
    draws = {"kfac": lambda: rng.uniform(size=(10, 1)), "rp": lambda: rng.normal(size=(10, 1, 3))}
    data = ((X, Y, draws[method]() if method in draws else None) for _ in range(30))
    done = ref.trajectory(ref.Settings(method, 1e-4), ref.initial_state(net, 0.1, 0.1), data)
    losses = [info.f for _, info in done]
    assert np.all(np.isfinite(losses))
    assert losses[-1] < losses[0] / 3
    assert all(info.alpha < 0 for _, info in done)
    average = net._replace(weights=tuple(done[-1][0].average[l] for l in (1, 2)))
    assert ref.loss(average, X, Y) < losses[0] / 2


@pytest.mark.parametrize("method", ["kfra", "kflr"])
def test_no_damping(method):
    """With gamma = eta = 0 and one datapoint, Q has rank 1 and a pivot of 0, so the step is rejected."""
    net = ref.Network((np.array([[1.0, -1.0]]),), (), "squared_error")
    X, Y = np.array([[1.0]]), np.array([[3.0]])
    state, info = ref.optimiser_step(ref.Settings(method, 0.0), ref.initial_state(net, TAU, 0.0), X, Y)
    assert (info.ok, info.alpha, state.net, state.tau, state.gamma) == (False, 0, net, TAU, 2.0**-53)
    for eta, gamma in ((0.1, 0.0), (0.0, 0.1)):
        assert ref.optimiser_step(ref.Settings(method, eta), ref.initial_state(net, TAU, gamma), X, Y)[1].alpha < 0


def test_bad_input():
    net = network("categorical")
    ((X, Y, _),) = batches(net, "kfra", 1)
    settings, state = ref.Settings("kfra", ETA), ref.initial_state(net, TAU, GAMMA)
    with pytest.raises(ValueError, match="X: expected shape"):
        ref.optimiser_step(settings, state, X[:, 1:], Y)
    with pytest.raises(ValueError, match="projections: expected shape"):
        ref.optimiser_step(settings._replace(method="rp"), state, X, Y, np.ones((N, S)))


@pytest.fixture
def bits():
    before = flint.ctx.prec
    flint.ctx.prec = 256
    yield
    flint.ctx.prec = before


def to_balls(A):
    return np.frompyfunc(lambda value: flint.arb(float(value)), 1, 1)(A)


@pytest.mark.parametrize(
    ("method", "objective", "psd"),
    [
        ("kfra", "squared_error", "project"),
        ("kflr", "bernoulli", "project"),
        ("kfac", "categorical", "project"),
        ("rp", "mixture", "scalar"),
        ("kfra", "mixture", "scalar"),
        ("kfac", "squared_error", "project"),
    ],
)
@pytest.mark.usefixtures("bits")
def test_balls(method, objective, psd):
    """Three steps with adapted tau and gamma at 256 bits: the balls are small and float64 is close to them."""
    settings = ref.Settings(method, ETA, T_tau=2, T_gamma=3)
    net = network(objective, psd)
    data, states, infos = run(settings, net, 3)
    exact = net._replace(weights=tuple(to_balls(W) for W in net.weights))
    in_balls = [
        (
            to_balls(X),
            Y if objective in ("categorical", "mixture") else to_balls(Y),
            None if draws is None else to_balls(draws),
        )
        for X, Y, draws in data
    ]
    start = ref.initial_state(exact, flint.arb(TAU), flint.arb(GAMMA))
    done = ref.trajectory(settings._replace(eta=flint.arb(ETA)), start, in_balls)
    pairs = []
    for (state, info), rounded, other in zip(done, states[1:], infos, strict=True):
        pairs += [(state.tau, rounded.tau), (state.gamma, rounded.gamma), (info.alpha, other.alpha), (info.f, other.f)]
        assert (info.rho is None) == (other.rho is None)
        if info.rho is not None:
            pairs.append((info.rho, other.rho))
        pairs += zip(ref.theta(by_layer(state.net)), ref.theta(by_layer(rounded.net)), strict=True)
        for name in ("average", "Q", "G"):
            pairs += zip(ref.theta(getattr(state, name)), ref.theta(getattr(rounded, name)), strict=True)
    assert len(pairs) > 200
    for ball, value in pairs:
        if isinstance(ball, flint.arb):
            assert ball.rad() < flint.arb(10) ** -55
            assert abs(ball - float(value)) < 1e-10 * (1 + abs(float(value)))
        else:  # zeros off the diagonal of H_L
            assert ball == value == 0
