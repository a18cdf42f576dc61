"""Each step of the optimiser: its parts, their order and their schedule, compared with the functions of the parts."""

import math

import kfgn_reference as ref
import numpy as np
import pytest

from .optimiser import ETA, GAMMA, METHODS, OBJECTIVES, TAU, batches, by_layer, network, run, second_factor


@pytest.mark.parametrize(("objective", "psd"), OBJECTIVES)
def test_the_first_step_is_algorithm_1(objective, psd, relative_error):
    net = network(objective, psd)
    ((X, Y, _),) = batches(net, "kfra", 1)
    settings, state = ref.Settings("kfra", ETA), ref.initial_state(net, TAU, GAMMA)
    after, info = ref.optimiser_step(settings, state, X, Y)
    expected = ref.algorithm_1(net, X, Y, GAMMA, TAU, ETA)
    assert relative_error(by_layer(after.net), expected.weights) < 1e-12
    assert relative_error(after.Q, expected.Q) < 1e-13
    assert relative_error(after.G, expected.G) < 1e-13
    assert abs(info.alpha / expected.alpha - 1) < 1e-12
    assert relative_error(after.average, expected.weights) < 1e-12
    assert (after.t, after.tau, after.gamma) == (1, TAU, GAMMA)
    assert (info.gamma, info.rho) == (GAMMA, None)
    squares = sum(np.sum(W**2) for W in net.weights)
    assert abs(info.f - (ref.loss(net, X, Y) + ETA * squares / 2)) < 1e-14 * info.f
    assert after.net[1:] == net[1:]


def test_the_initial_state():
    net = network("bernoulli")
    state = ref.initial_state(net, 3.0, 5.0)
    assert state == ref.State(t=0, net=net, average={}, Q={}, G={}, tau=3.0, gamma=5.0, update={})


def test_the_constants_of_the_paper():
    assert ref.Settings("kfac", 0.0) == ref.Settings(
        method="kfac",
        eta=0.0,
        inversion="trace",
        decay_tau=(19, 20),
        T_tau=5,
        decay_gamma=(19, 20),
        T_gamma=20,
        curvature_average=(9, 10),
        parameter_average=(19, 20),
    )
    assert set(ref.METHODS) == set(METHODS)


def check(settings, data, states, infos, relative_error):
    """Compare each step with the functions of its parts at the state before it. tau changes at the end of a step."""
    eta = settings.eta
    omega_tau = math.prod([settings.decay_tau[0] / settings.decay_tau[1]] * settings.T_tau)
    omega_gamma = math.prod([settings.decay_gamma[0] / settings.decay_gamma[1]] * settings.T_gamma)
    for t, (before, after, info, (X, Y, _)) in enumerate(
        zip(states[:-1], states[1:], infos, data, strict=True), start=1
    ):
        net, tau = before.net, before.tau
        g = ref.regularised_gradient(net, X, Y, eta)

        def direction(gamma, after=after, g=g):
            return ref.factored_direction(after.Q, after.G, g, gamma + eta, settings.inversion)

        def fall(gamma, net=net, tau=tau, X=X, Y=Y, direction=direction):
            """The decrease of the model at the step of this gamma, which has a separate alpha."""
            move = ref.step(net, X, Y, direction(gamma), tau, eta)
            return ref.regularised_loss(net, X, Y, eta) - ref.model_along(net, X, Y, move, tau, eta)

        gamma, rho = before.gamma, None
        if t % settings.T_gamma == 0:
            gamma = max((gamma, omega_gamma * gamma, gamma / omega_gamma), key=fall)
        assert math.isclose(info.gamma, gamma, rel_tol=1e-13)
        assert after.gamma == info.gamma
        alpha = ref.step_size(net, X, Y, direction(gamma), tau, eta)
        update = ref.step(net, X, Y, direction(gamma), tau, eta)
        there = ref.moved(net, update)
        assert math.isclose(info.alpha, alpha, rel_tol=1e-11)
        assert math.isclose(info.f, ref.regularised_loss(net, X, Y, eta), rel_tol=1e-14)
        assert relative_error(by_layer(after.net), by_layer(there)) < 1e-11
        if t % settings.T_tau == 0:
            rho = ref.reduction_ratio(net, X, Y, update, tau, eta)
            tau = tau * omega_tau if rho > 0.75 else tau / omega_tau
            assert math.isclose(info.rho, rho, rel_tol=1e-9)
        else:
            assert info.rho is None
        assert math.isclose(after.tau, tau, rel_tol=1e-13)
        assert after.t == t


SCHEDULES = [
    {},
    {"T_tau": 2, "T_gamma": 3},
    {"T_tau": 3, "T_gamma": 2, "decay_tau": (1, 2), "decay_gamma": (2, 3)},
    {"T_tau": 2, "T_gamma": 2, "decay_tau": (3, 4), "decay_gamma": (1, 4), "inversion": "frobenius"},
    {
        "T_tau": 1,
        "T_gamma": 1,
        "decay_tau": (1, 3),
        "decay_gamma": (1, 2),
        "inversion": "spectral",
        "curvature_average": (0, 1),
    },
]


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize(("tau", "gamma"), [(TAU, GAMMA), (20.0, 1e-4), (1e-3, 40.0)])
def test_steps(schedule, tau, gamma, relative_error):
    settings = ref.Settings("kfra", ETA, **schedule)
    check(settings, *run(settings, network("bernoulli"), 6, tau, gamma), relative_error)


@pytest.mark.parametrize(("objective", "psd"), OBJECTIVES)
@pytest.mark.parametrize("method", METHODS)
def test_methods(method, objective, psd, relative_error):
    """The four methods on every objective. The first factors are of the first batch, and later factors are averages."""
    settings = ref.Settings(method, ETA, T_tau=2, T_gamma=3, decay_tau=(1, 2), decay_gamma=(1, 3))
    net = network(objective, psd)
    data, states, infos = run(settings, net, 4)
    check(settings, data, states, infos, relative_error)
    first = second_factor(method, net, *data[0])
    assert relative_error(states[1].G, first) == 0
    assert relative_error(states[1].Q, ref.expected_q(net, data[0][0])) == 0
    same = []
    for other in METHODS:
        ((X, Y, draws),) = batches(net, other, 1)
        error = relative_error(second_factor(other, net, X, Y, draws), first)
        assert error < 1e-14 or error > 1e-3
        same += [other] if error < 1e-14 else []
    # with the squared error kfra is exact in two layers, and the same normals give equal samples of kfac and rp
    pairs = {"kflr": ["kflr", "kfra"], "kfra": ["kflr", "kfra"], "kfac": ["kfac", "rp"], "rp": ["kfac", "rp"]}
    assert same == (pairs[method] if objective == "squared_error" else [method])


def test_the_steps_of_the_paper():
    """By default tau changes by 0.95^5 after steps 5, 10, 15 and 20, and gamma by 0.95^20 in step 20."""
    settings = ref.Settings("kfra", ETA)
    _, states, infos = run(settings, network("squared_error"), 21, gamma=30.0)
    tau, gamma = [state.tau for state in states], [state.gamma for state in states]
    changed = [t for t in range(1, 22) if tau[t] != tau[t - 1]]
    assert changed == [t for t in range(1, 22) if infos[t - 1].rho is not None] == [5, 10, 15, 20]
    for t in changed:
        factor = 0.95**5 if infos[t - 1].rho > 0.75 else 0.95**-5
        assert math.isclose(tau[t], tau[t - 1] * factor, rel_tol=1e-14)
    assert gamma[:20] == [30.0] * 20
    assert gamma[21] == gamma[20] == infos[19].gamma == infos[20].gamma
    assert math.isclose(gamma[20], 30.0 * 0.95**20, rel_tol=1e-13)
    assert [state.t for state in states] == list(range(22))


def test_gamma_is_chosen_before_the_update_and_tau_after():
    """With T = 2 for both, step 2 uses the new gamma and the old tau, and step 3 the new tau."""
    settings = ref.Settings("kflr", ETA, T_tau=2, T_gamma=2, decay_tau=(1, 2), decay_gamma=(1, 2))
    net = network("categorical")
    data, states, infos = run(settings, net, 3, tau=1.0, gamma=50.0)
    assert [info.gamma for info in infos] == [50.0, 12.5, 12.5]  # 50 / 2^2 is better, since 50 is too much damping
    assert [state.gamma for state in states] == [50.0, 50.0, 12.5, 12.5]
    assert [info.rho is None for info in infos] == [True, False, True]
    assert states[0].tau == states[1].tau == 1.0
    assert states[2].tau == states[3].tau
    assert states[2].tau in (0.25, 4.0)

    def alpha(t, gamma, tau):
        X, Y, _ = data[t - 1]
        g = ref.regularised_gradient(states[t - 1].net, X, Y, ETA)
        delta = ref.factored_direction(states[t].Q, states[t].G, g, gamma + ETA)
        return ref.step_size(states[t - 1].net, X, Y, delta, tau, ETA)

    assert math.isclose(infos[1].alpha, alpha(2, 12.5, 1.0), rel_tol=1e-12)
    assert math.isclose(infos[2].alpha, alpha(3, 12.5, states[2].tau), rel_tol=1e-12)
    assert not math.isclose(infos[1].alpha, alpha(2, 50.0, 1.0), rel_tol=1e-2)
    assert not math.isclose(infos[1].alpha, alpha(2, 12.5, states[2].tau), rel_tol=1e-2)


@pytest.mark.parametrize(("gamma", "expected"), [(50.0, 12.5), (1e-6, 4e-6), (None, None)])
def test_where_gamma_goes(gamma, expected):
    """gamma decreases if it is too large, increases if it is too small, and stays if both others are worse."""
    settings = ref.Settings("kfra", 0.0, T_gamma=1, decay_gamma=(1, 4), T_tau=100, curvature_average=(0, 1))
    net = network("squared_error")
    if gamma is None:  # repeat until gamma stays
        ((X, Y, _),) = batches(net, "kfra", 1)
        gamma = 50.0
        while (better := ref.optimiser_step(settings, ref.initial_state(net, TAU, gamma), X, Y)[1].gamma) != gamma:
            gamma = better
        assert 1e-6 < gamma < 12.5
        expected = gamma
    _, _, infos = run(settings, net, 1, gamma=gamma)
    assert math.isclose(infos[0].gamma, expected, rel_tol=1e-14)


def test_gamma_is_scored_under_one_curvature():
    """Under its own C-tilde the smallest gamma would always be chosen. Under C-bar it is the largest here."""
    settings = ref.Settings("kfra", 0.0, T_gamma=1, decay_gamma=(1, 4), T_tau=100)
    net = network("squared_error")
    _, states, _ = run(settings, net, 1, gamma=1e-6)
    ((X, Y, _),) = batches(net, "kfra", 1)
    g = ref.regularised_gradient(net, X, Y, 0.0)
    own = {}
    for gamma in (0.25e-6, 1e-6, 4e-6):
        delta = ref.factored_direction(states[1].Q, states[1].G, g, gamma)
        own[gamma] = ref.dot(delta, g) / 2  # the decrease of the model under the C-tilde of delta
    assert max(own, key=own.get) == 0.25e-6
    assert math.isclose(states[1].gamma, 4e-6, rel_tol=1e-14)
