"""The optimiser's rules for rounding and failed steps, by hand, in four arithmetics, and step by step."""

import math
from fractions import Fraction

import flint
import kfgn_reference as ref
import numpy as np
import pytest
from kfgn_reference._arithmetic import unit_roundoff

ETA = 0.02


def test_the_unit_roundoff():
    assert unit_roundoff(np.float64(7)) == 2.0**-53
    assert unit_roundoff(np.float32(7)) == 2.0**-24
    assert type(unit_roundoff(np.float32(7))) is np.float32
    assert unit_roundoff(Fraction(7)) == 0
    assert unit_roundoff(flint.arb(7)).contains(0)


def test_a_visible_damping_by_hand():
    """The bound 8 sqrt(4) u tr(A) of a matrix with trace 10 is 160 u."""
    for dtype, u in ((np.float64, 2.0**-53), (np.float32, 2.0**-24)):
        A = np.diag([1, 2, 3, 4]).astype(dtype)
        assert ref.visible(A, dtype(159 * u)) == 160 * u
        assert ref.visible(A, dtype(161 * u)) == dtype(161 * u)
        assert ref.visible(A, dtype(0)) == 0
        assert ref.visible(0 * A, dtype(1e-30)) == dtype(1e-30)
    exact = np.array([[Fraction(5)]])
    assert ref.visible(exact, Fraction(1, 10**60)) == Fraction(1, 10**60)
    ball = flint.arb("1e-5")
    assert ref.visible(np.array([[flint.arb(5)]]), ball) is ball


def test_what_is_within_rounding():
    """Both changes must be at most eight roundings, inclusive."""
    for change, in_model, expected in ((8, -8, True), (-9, 0, False), (0, 9, False), (0, 0, True)):
        assert ref.within_rounding(change, in_model, 1) is expected
    assert ref.within_rounding(math.nan, 0.0, 1.0) is False
    assert ref.within_rounding(Fraction(1, 10**40), Fraction(0), Fraction(0)) is False


@pytest.mark.parametrize("objective", ["squared_error", "bernoulli", "categorical"])
def test_the_rounding_of_f(objective):
    """u times |f| plus the mean of |h| |dE/dh|, with the outputs of one layer computed by hand."""
    rng = np.random.default_rng(0)
    net = ref.Network((rng.normal(size=(3, 3)),), (), objective)
    X = rng.normal(size=(5, 2))
    Y = rng.integers(0, 3, 5) if objective == "categorical" else rng.uniform(size=(5, 3))
    h = np.hstack([X, np.ones((5, 1))]) @ net.weights[0].T
    p = {"squared_error": h, "bernoulli": 1 / (1 + np.exp(-h))}.get(objective)
    if p is None:
        p = np.exp(h) / np.sum(np.exp(h), axis=1, keepdims=True)
        Y_at = np.eye(3)[Y]
    else:
        Y_at = Y
    expected = 2.0**-53 * (2.5 + np.mean(np.sum(np.abs(h * (p - Y_at)), axis=1)))
    assert math.isclose(ref.rounding(net, X, Y, np.float64(-2.5)), expected, rel_tol=1e-12)


@pytest.mark.parametrize(
    ("damping", "bounds", "expected"),
    [
        (4.0, None, 8.0),
        (4.0, (1.0, 6.0), 6.0),
        (0.0, None, 2.0**-53),
        (2.0**-54, None, 2.0**-53),
        (0.0, (0.0, 0.0), 0.0),
    ],
)
def test_a_raised_damping(damping, bounds, expected):
    assert ref.raised(np.float64(damping), 0.5, bounds) == expected
    assert ref.raised(Fraction(0), Fraction(1, 2), None) == 0


def saturated(N, inputs, dtype, objective="bernoulli"):
    """A network whose first layer is saturated on every datapoint, and its batch."""
    rng = np.random.default_rng(0)
    weights = tuple((rng.normal(size=shape) / 3).astype(dtype) for shape in ((5, 5), (3, 6)))
    Y = rng.integers(0, 3, N) if objective == "categorical" else rng.uniform(size=(N, 3)).astype(dtype)
    return ref.Network(weights, ("tanh",), objective), np.full((N, 4), inputs, dtype=dtype), Y


@pytest.mark.parametrize("norm", ["trace", "frobenius", "spectral", "exact"])
@pytest.mark.parametrize("method", ["kfra", "kflr"])
@pytest.mark.parametrize(("dtype", "inputs"), [(np.float32, 1e4), (np.float32, 1e8), (np.float64, 1e12)])
def test_saturated_units_do_not_stop_a_run(dtype, inputs, method, norm):
    net, X, Y = saturated(4, inputs, dtype)
    settings = ref.Settings(method, dtype(1e-5), inversion=norm)
    done = ref.trajectory(settings, ref.initial_state(net, dtype(1), dtype(0.01)), [(X, Y, None)] * 30)
    assert not np.any(done[0][0].G[1])
    assert all(info.ok for _, info in done)
    assert done[-1][1].f < done[0][1].f - 0.1
    if norm != "exact":
        with pytest.raises(ref.NotPositiveDefiniteError):
            ref.factored_direction(
                done[0][0].Q, done[0][0].G, {1: net.weights[0], 2: net.weights[1]}, dtype(0.01), norm
            )


def one_layer(seed=3):
    rng = np.random.default_rng(seed)
    return (
        ref.Network((rng.normal(size=(2, 3)),), (), "squared_error"),
        rng.normal(size=(7, 2)),
        rng.normal(size=(7, 2)),
    )


@pytest.mark.parametrize("norm", ["trace", "frobenius", "spectral", "exact"])
def test_a_matrix_that_is_not_positive_definite_raises_gamma_until_it_is(norm):
    """gamma is raised until the matrix is positive definite. The rest of the state and n of the averages are kept."""
    net, X, Y = one_layer()
    settings = ref.Settings("kfra", 0.0, inversion=norm, refresh=5, gamma_bounds=(1e-3, 1e3))
    good, _ = ref.optimiser_step(settings, ref.initial_state(net, 1.0, 1e-2), X, Y)
    state = good._replace(Q={1: np.diag([1.0, 1.0, -0.125])})
    for failures in range(60):
        before, (state, info) = state, ref.optimiser_step(settings, state, X, Y)
        if info.ok:
            break
        assert (info.alpha, info.gamma, info.rho) == (0, before.gamma, None)
        assert math.isclose(state.gamma, min(before.gamma / 0.95**20, 1e3), rel_tol=1e-14)
        turns = [t for t in range(1, state.t) if t % 5 == 0]
        assert (state.t, state.rejected, state.missed) == (before.t + 1, failures + 1, len(turns))
        assert (state.net, state.average, state.G, state.tau, state.update) == (
            good.net,
            good.average,
            good.G,
            1.0,
            good.update,
        )
    assert 0 < failures < 15
    moved = state.net.weights[0]
    assert np.allclose(state.average[1], (good.net.weights[0] + moved) / 2, rtol=1e-13)


def test_a_batch_in_which_nothing_is_a_number_changes_no_damping():
    net, X, Y = one_layer()
    settings = ref.Settings("kfra", 0.02, refresh=3)
    state = ref.initial_state(net, 1.0, 1e-2)
    with np.errstate(all="ignore"):
        state, info = ref.optimiser_step(settings, state, X * np.nan, Y)
    assert not info.ok
    for t in (2, 3):  # there are no factors before the next step in which they are due
        state, info = ref.optimiser_step(settings, state, X, Y)
        assert (info.ok, state.t, state.rejected, state.missed) == (False, t, t, 1)
    assert (state.net, state.tau, state.gamma) == (net, 1.0, 1e-2)
    state, info = ref.optimiser_step(settings, state, X, Y)
    assert info.ok
    assert np.array_equal(state.G[1], ref.kfra(net, X, Y)[1])
    assert np.array_equal(state.average[1], state.net.weights[0])


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
@pytest.mark.parametrize("method", ["kfra", "hessian_free"])
def test_a_loss_that_is_not_finite_changes_neither_weights_nor_dampings(method, value):
    net, X, Y = one_layer()
    before = ref.initial_state(net, 1.0, 1e-2)
    with np.errstate(all="ignore"):
        state, info = ref.optimiser_step(ref.Settings(method, 0.02), before, X, Y * value)
    assert (info.ok, state.rejected, state.tau, state.gamma) == (False, 1, 1.0, 1e-2)
    assert state.net is net


def test_the_whole_matrix_has_tau_raised():
    net, X, Y = one_layer()
    settings = ref.Settings("hessian_free", 0.0)
    state, info = ref.optimiser_step(settings, ref.initial_state(net, -1e3, 1e-2), X, Y)
    assert not info.ok
    assert (state.tau, state.gamma) == (2.0**-53, 1e-2)
    assert ref.optimiser_step(settings, state, X, Y)[1].ok


def test_a_gamma_that_fails_gives_way_to_one_that_does_not():
    net, X, Y = one_layer()
    settings = ref.Settings("kfra", 0.0, T_gamma=2, decay_gamma=(1, 100), refresh=5)
    state, _ = ref.optimiser_step(settings, ref.initial_state(net, 1.0, 1e-3), X, Y)
    after, info = ref.optimiser_step(settings, state._replace(Q={1: np.diag([1.0, 1.0, -0.125])}), X, Y)
    assert info.ok
    assert after.gamma == info.gamma
    assert math.isclose(after.gamma, 10.0, rel_tol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_tau_does_not_follow_rounding(dtype):
    """tau stays at a minimum, where both changes of (42) are rounding errors."""
    rng = np.random.default_rng(0)
    net = ref.Network((rng.normal(size=(3, 3)).astype(dtype),), (), "squared_error")
    X, Y = rng.normal(size=(4, 2)).astype(dtype), rng.normal(size=(4, 3)).astype(dtype)
    settings = ref.Settings("hessian_free", dtype(0), T_tau=1, decay_tau=(1, 2))
    with np.errstate(all="ignore"):
        done = ref.trajectory(settings, ref.initial_state(net, dtype(1), dtype(1)), [(X, Y, None)] * 60)
    taus = [float(state.tau) for state, _ in done]
    assert max(taus) <= 1
    assert sum(info.rho is None for _, info in done[-20:]) >= 18
    f, g = (ref.regularised_loss(net, X, Y, dtype(0)) for net in (done[-2][0].net, done[-1][0].net))
    assert abs(f - g) <= 8 * ref.rounding(done[-1][0].net, X, Y, g)


@pytest.mark.parametrize("number", [Fraction, np.float64])
@pytest.mark.parametrize("method", ["hessian_free", "hessian_free_blocks"])
def test_at_a_stationary_point_the_step_is_zero_and_the_dampings_stay(method, number):
    """The step is 0 and the dampings stay, also in rationals, where both changes of (42) are 0."""
    half = number(Fraction(1, 2))
    net = ref.Network((np.array([[half, half, half]]),), (), "squared_error")
    X = np.array([[half, half], [-half, half]])
    settings = ref.Settings(method, half * 0, T_tau=1, T_gamma=1)
    state, info = ref.optimiser_step(settings, ref.initial_state(net, half, half), X, outputs(net, X))
    assert (info.ok, info.alpha, info.rho) == (True, 0, None)
    assert (state.tau, state.gamma) == (half, half)
    assert np.all(state.net.weights[0] == net.weights[0])


def outputs(net, X):
    """h_L of each datapoint, (N, D_L)."""
    return np.stack([ref.forward(net, x)[1][net.L] for x in X])
