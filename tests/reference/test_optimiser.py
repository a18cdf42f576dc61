"""The whole optimiser: what each step is made of, in which order, and from when on, by the functions of the parts."""

import copy
import itertools
import math

import flint
import kfgn_reference as ref
import numpy as np
import pytest

TAU, GAMMA, ETA = 0.6, 0.3, 0.02
OBJECTIVES = (
    ("squared_error", "project"),
    ("bernoulli", "project"),
    ("categorical", "project"),
    ("mixture", "project"),
    ("mixture", "scalar"),
)
METHODS = ("kflr", "kfra", "kfac", "rp")
WIDTHS = (2, 4, 3)
N, S = 4, 2


def network(objective, psd="project", transfers=("tanh",), widths=WIDTHS, seed=1):
    rng = np.random.default_rng(seed)
    shapes = [(width, below + 1) for below, width in itertools.pairwise(widths)]
    return ref.Network(tuple(rng.normal(size=shape) for shape in shapes), transfers, objective, psd)


def batches(net, method, count, seed=2):
    """New data and new draws for every step."""
    rng = np.random.default_rng(seed)
    D, K = len(net.weights[-1]), 1 if (net.objective, net.psd) == ("mixture", "scalar") else len(net.weights[-1])
    for _ in range(count):
        Y = {
            "squared_error": rng.normal(size=(N, D)),
            "bernoulli": rng.uniform(size=(N, D)),
            "categorical": rng.integers(D, size=N),
            "mixture": rng.permutation(N) % 2,
        }[net.objective]
        draws = None
        if method == "rp":
            draws = rng.normal(size=(N, S, K))
        elif method == "kfac" and net.objective == "squared_error":
            draws = rng.normal(size=(N, S, D))
        elif method == "kfac":
            draws = rng.uniform(size=(N, S, D) if net.objective == "bernoulli" else (N, S))
        yield rng.normal(size=(N, WIDTHS[0])), Y, draws


def second_factor(method, net, X, Y, draws):
    """By the functions themselves."""
    if method == "kfac":
        return ref.kfac(net, X, ref.draw_labels(net, X, draws))
    return ref.rp(net, X, Y, draws) if method == "rp" else {"kflr": ref.kflr, "kfra": ref.kfra}[method](net, X, Y)


def run(settings, net, count, tau=TAU, gamma=GAMMA, seed=2):
    """The batches, the states before and after each step, and what each step said."""
    data = list(batches(net, settings.method, count, seed))
    start = ref.initial_state(net, tau, gamma)
    done = ref.trajectory(settings, start, data)
    return data, [start, *(state for state, _ in done)], [info for _, info in done]


def by_layer(net):
    return dict(enumerate(net.weights, start=1))


def weighted(shares, values):
    return {l: sum(share * value[l] for share, value in zip(shares, values, strict=True)) for l in values[0]}


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
    """Each step by the functions of its parts, at what stood before it; tau is the old one until it is over."""
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
            """Of the model at the step of this gamma, which has an alpha of its own."""
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
    """The four, on every objective: with the first batch the factors are those of its functions, then they average."""
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
    # With the squared error kfra is exact in two layers, and the same normals make the samples of kfac and rp
    pairs = {"kflr": ["kflr", "kfra"], "kfra": ["kflr", "kfra"], "kfac": ["kfac", "rp"], "rp": ["kfac", "rp"]}
    assert same == (pairs[method] if objective == "squared_error" else [method])


def test_the_steps_of_the_paper():
    """By default tau changes after steps 5, 10, 15 and 20 alone, by 0.95^5, and gamma in step 20 alone, by 0.95^20."""
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
    """T = 2 for both: step 2 is made with the new gamma and the old tau, step 3 with the new tau."""
    settings = ref.Settings("kflr", ETA, T_tau=2, T_gamma=2, decay_tau=(1, 2), decay_gamma=(1, 2))
    net = network("categorical")
    data, states, infos = run(settings, net, 3, tau=1.0, gamma=50.0)
    assert [info.gamma for info in infos] == [50.0, 12.5, 12.5]  # 50 / 2^2 is better: so much damping has no use
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
    """Down from where it is too large, up from where it is too small, and nowhere from where both are worse."""
    settings = ref.Settings("kfra", 0.0, T_gamma=1, decay_gamma=(1, 4), T_tau=100, curvature_average=(0, 1))
    net = network("squared_error")
    if gamma is None:  # the best of a chain
        ((X, Y, _),) = batches(net, "kfra", 1)
        gamma = 50.0
        while (better := ref.optimiser_step(settings, ref.initial_state(net, TAU, gamma), X, Y)[1].gamma) != gamma:
            gamma = better
        assert 1e-6 < gamma < 12.5
        expected = gamma
    _, _, infos = run(settings, net, 1, gamma=gamma)
    assert math.isclose(infos[0].gamma, expected, rel_tol=1e-14)


def test_gamma_is_scored_under_one_curvature():
    """Scored under its own C-tilde the smallest gamma would win, whatever the batch says: here the largest does."""
    settings = ref.Settings("kfra", 0.0, T_gamma=1, decay_gamma=(1, 4), T_tau=100)
    net = network("squared_error")
    _, states, _ = run(settings, net, 1, gamma=1e-6)
    ((X, Y, _),) = batches(net, "kfra", 1)
    g = ref.regularised_gradient(net, X, Y, 0.0)
    own = {}
    for gamma in (0.25e-6, 1e-6, 4e-6):
        delta = ref.factored_direction(states[1].Q, states[1].G, g, gamma)
        own[gamma] = ref.dot(delta, g) / 2  # how far the model under the C-tilde of delta falls
    assert max(own, key=own.get) == 0.25e-6
    assert math.isclose(states[1].gamma, 4e-6, rel_tol=1e-14)


@pytest.mark.parametrize(
    ("most", "shares"),
    [
        ((9, 10), {1: (1,), 2: (1 / 2, 1 / 2), 3: (1 / 3, 1 / 3, 1 / 3)}),
        ((1, 4), {1: (1,), 2: (1 / 4, 3 / 4), 3: (1 / 16, 3 / 16, 3 / 4)}),
        ((3, 5), {1: (1,), 2: (1 / 2, 1 / 2), 3: (3 / 10, 3 / 10, 2 / 5)}),
        ((0, 1), {1: (1,), 2: (0, 1), 3: (0, 0, 1)}),
    ],
)
@pytest.mark.parametrize("method", METHODS)
def test_the_average_of_the_curvature(method, most, shares, relative_error):
    """Of finished factors, each made by its method of its own batch at the weights of its time; 9/10 weighs the old."""
    settings = ref.Settings(method, ETA, curvature_average=most)
    data, states, _ = run(settings, network("categorical", transfers=("tanh", "softplus"), widths=(2, 4, 2, 3)), 3)
    Q = [ref.expected_q(state.net, batch[0]) for state, batch in zip(states, data, strict=False)]
    G = [second_factor(method, state.net, *batch) for state, batch in zip(states, data, strict=False)]
    for t, share in shares.items():
        assert states[t].Q.keys() == states[t].G.keys() == {1, 2, 3}
        assert relative_error(states[t].Q, weighted(share, Q[:t])) < 1e-14
        assert relative_error(states[t].G, weighted(share, G[:t])) < 1e-14


def test_the_recursion_never_sees_the_average(relative_error):
    """KFRA from an averaged G_L is something else than the average of KFRA."""
    settings = ref.Settings("kfra", ETA)
    data, states, _ = run(settings, network("categorical"), 2)
    net, X = states[1].net, data[1][0]
    W, slopes = net.kernel(2), np.array([1 - np.tanh(ref.forward(net, x)[1][1]) ** 2 for x in X])
    carried = (W.T @ states[2].G[2] @ W) * (slopes.T @ slopes / len(X))
    assert relative_error(states[2].G[1], carried) > 1e-2


@pytest.mark.parametrize(
    ("most", "shares"),
    [
        ((19, 20), {1: (1,), 2: (1 / 2, 1 / 2), 4: (1 / 4,) * 4}),
        ((1, 3), {1: (1,), 2: (1 / 3, 2 / 3), 4: (1 / 27, 2 / 27, 2 / 9, 2 / 3)}),
        ((0, 1), {1: (1,), 2: (0, 1), 4: (0, 0, 0, 1)}),
    ],
)
def test_the_average_of_the_parameters(most, shares, relative_error):
    """Of theta_1, theta_2, ...: what the weights were before the first update does not count, and nothing uses it."""
    settings = ref.Settings("kfra", ETA, parameter_average=most)
    _, states, infos = run(settings, network("bernoulli"), 4)
    weights = [by_layer(state.net) for state in states]
    assert states[0].average == {}
    for t, share in shares.items():
        assert relative_error(states[t].average, weighted(share, weights[1 : t + 1])) < 1e-14
    _, others, other_infos = run(ref.Settings("kfra", ETA, parameter_average=(1, 2)), network("bernoulli"), 4)
    assert relative_error(by_layer(others[4].net), weights[4]) == 0
    assert infos == other_infos


def test_the_two_averages_are_two(relative_error):
    """Each has its own constant."""
    start = network("bernoulli")
    _, one, _ = run(ref.Settings("kfra", ETA, curvature_average=(1, 4), parameter_average=(1, 3)), start, 2)
    _, two, _ = run(ref.Settings("kfra", ETA, curvature_average=(1, 4), parameter_average=(2, 5)), start, 2)
    assert relative_error(one[2].G, two[2].G) == 0
    assert relative_error(one[2].average, two[2].average) > 1e-4


@pytest.mark.parametrize("method", METHODS)
def test_steps_are_pure(method):
    """No argument changes, and the same arguments give the same bits again."""
    settings = ref.Settings(method, ETA, T_tau=1, T_gamma=1)
    net = network("bernoulli")
    data = list(batches(net, method, 2))
    state, _ = ref.optimiser_step(settings, ref.initial_state(net, TAU, GAMMA), *data[0])
    before = copy.deepcopy((state, data))
    first, second = (ref.optimiser_step(settings, state, *data[1]) for _ in range(2))

    def flat(value):
        """The bytes of everything in nested states."""
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
    """Whether a point is in a disc, for ten points, the whole batch every time: the loss falls to less than a third."""
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
    """gamma = eta = 0: Q of one datapoint has rank 1, and elimination meets a pivot of 0."""
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
    """Three steps with tau and gamma adapted, at 256 bits: small balls, and float64 nearly the same."""
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
