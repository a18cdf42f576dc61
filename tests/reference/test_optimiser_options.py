"""The options of the optimiser that are not in the paper, by hand or by the functions of their parts."""

import math

import kfgn_reference as ref
import numpy as np
import pytest

TAU, GAMMA, ETA = 0.6, 0.3, 0.02
NET = ref.Network(
    tuple(np.random.default_rng(1).normal(size=shape) for shape in ((4, 3), (3, 5))), ("tanh",), "bernoulli"
)


def batches(count, seed=2):
    rng = np.random.default_rng(seed)
    return [(rng.normal(size=(4, 2)), rng.uniform(size=(4, 3)), None) for _ in range(count)]


def run(count=4, method="kfra", tau=TAU, gamma=GAMMA, **options):
    """The states before and after each step, and the info of each step."""
    start = ref.initial_state(NET, tau, gamma)
    done = ref.trajectory(ref.Settings(method, ETA, **options), start, batches(count))
    return [start, *(state for state, _ in done)], [info for _, info in done]


def difference(net, other):
    return max(np.max(np.abs(a - b)) for a, b in zip(net.weights, other.weights, strict=True))


@pytest.mark.parametrize(
    ("rho", "expected"),
    [(0.2, 8.0), (0.25, 4.0), (0.5, 4.0), (0.75, 4.0), (0.8, 2.0), (-3.0, 8.0), (float("nan"), 4.0)],
)
def test_two_thresholds(rho, expected):
    assert ref.adapted_tau(4.0, rho, 0.5, ((1, 4), (3, 4))) == expected


def test_thresholds_reach_the_step():
    """If every rho is below the thresholds tau grows, and if every rho is between them tau stays."""
    options = {"T_tau": 1, "decay_tau": (1, 2)}
    states, infos = run(thresholds=((10**6, 1), (10**6, 1)), **options)
    assert [state.tau for state in states] == [TAU * 2**t for t in range(5)]
    states, infos = run(thresholds=((-(10**6), 1), (10**6, 1)), **options)
    assert [state.tau for state in states] == [TAU] * 5
    assert all(info.rho is not None for info in infos)


@pytest.mark.parametrize(("value", "expected"), [(0.5, 1.0), (1.0, 1.0), (1.5, 1.5), (2.0, 2.0), (7.0, 2.0)])
def test_bounded(value, expected):
    assert ref.bounded(value, (1.0, 2.0)) == expected
    assert ref.bounded(value, None) == value


def test_bounds_of_tau():
    low = {"T_tau": 1, "decay_tau": (1, 2), "thresholds": ((-(10**6), 1), (-(10**6), 1))}
    states, _ = run(tau_bounds=(0.25, 9.0), tau=1.0, **low)
    assert [state.tau for state in states] == [1.0, 0.5, 0.25, 0.25, 0.25]
    high = {"T_tau": 1, "decay_tau": (1, 2), "thresholds": ((10**6, 1), (10**6, 1))}
    states, _ = run(tau_bounds=(0.25, 3.0), tau=1.0, **high)
    assert [state.tau for state in states] == [1.0, 2.0, 3.0, 3.0, 3.0]


def test_bounds_of_gamma():
    """A gamma that would decrease or increase for many steps stops at the bound."""
    options = {"T_gamma": 1, "decay_gamma": (1, 4)}
    states, infos = run(gamma=1000.0, gamma_bounds=(100.0, 1e4), **options)
    assert [state.gamma for state in states] == [1000.0, 250.0, 100.0, 100.0, 100.0]
    assert [info.gamma for info in infos] == [250.0, 100.0, 100.0, 100.0]
    free, _ = run(gamma=1e-6, **options)
    assert free[2].gamma > 3e-6
    states, _ = run(gamma=1e-6, gamma_bounds=(1e-7, 3e-6), **options)
    assert [state.gamma for state in states] == [1e-6, *[3e-6] * 4]


def test_the_longest_step():
    """A larger |alpha| is reduced to `max_step_size`, and a smaller one is unchanged."""
    free, infos = run(1, gamma=50.0)
    (alpha,) = (info.alpha for info in infos)
    assert alpha < -1
    states, infos = run(1, gamma=50.0, max_step_size=1.0)
    assert infos[0].alpha == -1.0
    for before, cut, full in zip(NET.weights, states[1].net.weights, free[1].net.weights, strict=True):
        assert np.allclose(full - before, -alpha * (cut - before), rtol=1e-10)
    states, infos = run(1, gamma=50.0, max_step_size=2 * -alpha)
    assert infos[0].alpha == alpha
    assert difference(states[1].net, free[1].net) == 0


def test_momentum():
    """A part of the last update is added to the next, and rho is computed for the sum."""
    options = {"T_tau": 2, "decay_tau": (1, 2)}
    states, infos = run(2, momentum=(1, 4), **options)
    plain, _ = run(1, **options)
    assert difference(states[1].net, plain[1].net) == 0
    (_, (X, Y, _)) = batches(2)
    g = ref.regularised_gradient(states[1].net, X, Y, ETA)
    own = ref.step(states[1].net, X, Y, ref.factored_direction(states[2].Q, states[2].G, g, GAMMA + ETA), TAU, ETA)
    first = {l: after - before for l, before, after in zip((1, 2), NET.weights, states[1].net.weights, strict=True)}
    update = {l: own[l] + first[l] / 4 for l in own}
    assert difference(states[2].net, ref.moved(states[1].net, update)) < 1e-14
    rho = ref.reduction_ratio(states[1].net, X, Y, update, TAU, ETA)
    assert math.isclose(infos[1].rho, rho, rel_tol=1e-10)
    assert not math.isclose(rho, ref.reduction_ratio(states[1].net, X, Y, own, TAU, ETA), rel_tol=1e-3)


def test_refresh():
    """The factors are updated with batches 1, 4 and 7, which are the first, second and third of their average."""
    states, _ = run(7, refresh=3)
    for t in (2, 3, 5, 6):
        assert states[t].Q is states[t - 1].Q
        assert states[t].G is states[t - 1].G
    data = batches(7)
    for l in (1, 2):
        G = [ref.kfra(states[t - 1].net, *data[t - 1][:2])[l] for t in (1, 4, 7)]
        Q = [ref.expected_q(states[t - 1].net, data[t - 1][0])[l] for t in (1, 4, 7)]
        assert np.allclose(states[4].G[l], (G[0] + G[1]) / 2, rtol=1e-13)
        assert np.allclose(states[7].G[l], sum(G) / 3, rtol=1e-13)
        assert np.allclose(states[7].Q[l], sum(Q) / 3, rtol=1e-13)


@pytest.mark.parametrize("method", ["exact", "hessian_free_blocks", "hessian_free"])
def test_exact_inverses(method):
    """The step solves the dense damped system: (35), the diagonal blocks, or the full matrix."""
    options = {"method": "kfra", "inversion": "exact"} if method == "exact" else {"method": method}
    (start, after), (info,) = run(1, **options)
    ((X, Y, _),) = batches(1)
    g = ref.theta(ref.regularised_gradient(NET, X, Y, ETA))
    if method == "exact":
        Q, G = ref.expected_q(NET, X), ref.kfra(NET, X, Y)
        C = ref.block_diagonal({l: ref.damped_block(Q[l], G[l], GAMMA + ETA) for l in (1, 2)})
    elif method == "hessian_free_blocks":
        blocks = ref.gauss_newton_blocks(NET, X, Y)
        C = ref.block_diagonal(blocks) + (GAMMA + ETA) * np.eye(len(g))
    else:
        C = ref.gauss_newton(NET, X, Y) + (TAU + ETA) * np.eye(len(g))
    step = ref.theta({l: W - V for l, V, W in zip((1, 2), NET.weights, after.net.weights, strict=True)})
    assert np.allclose(C @ step, info.alpha * g, rtol=1e-9, atol=1e-12)
    if method == "hessian_free":  # delta minimises the model that determines alpha
        assert math.isclose(info.alpha, -1.0, rel_tol=1e-9)
    if method != "exact":
        assert after.Q == start.Q == {}


def test_gamma_without_a_part():
    """The full matrix is not damped by gamma, so gamma is not adapted. The blocks are."""
    whole, _ = run(2, method="hessian_free", gamma=50.0, T_gamma=1)
    assert [state.gamma for state in whole] == [50.0] * 3
    blocks, _ = run(2, method="hessian_free_blocks", gamma=50.0, T_gamma=1)
    assert [state.gamma < 50 for state in blocks] == [False, True, True]
