"""Steps with the curvature of EKFAC, compared with dense matrices, and the rules of steps that fail."""

import math

import kfgn_reference as ref
import kfgn_reference.shared_weights as shared
import numpy as np
import pytest

TAU, GAMMA, ETA, N = 0.6, 0.3, 0.02, 4
SHAPES = ((4, 3), (3, 5))
OPTIONS = {"T_tau": 2, "T_gamma": 3, "decay_tau": (1, 2), "decay_gamma": (1, 3), "curvature_average": (3, 5)}
SCHEDULES = [
    {"refresh": 3, "momentum": (1, 4), **OPTIONS},
    {"refresh": 1, **OPTIONS},
    {"refresh": 4, **OPTIONS, "curvature_average": (0, 1)},
]


def network(objective="squared_error", seed=1):
    rng = np.random.default_rng(seed)
    return ref.Network(tuple(rng.normal(size=shape) for shape in SHAPES), ("tanh",), objective)


def batches(count, seed=2):
    rng = np.random.default_rng(seed)
    return [(rng.normal(size=(N, 2)), rng.uniform(size=(N, 3))) for _ in range(count)]


def run(settings, net, data):
    """The states before and after each step, and the outcomes."""
    states, infos = [shared.initial_ekfac_state(net, TAU, GAMMA)], []
    for X, Y in data:
        state, info = shared.ekfac_step(settings, states[-1], X, Y)
        states.append(state)
        infos.append(info)
    return states, infos


class Dense:
    """Dense matrices at given weights and a batch, by the chain rule for two layers with tanh units.

    J and H have the Jacobian of the outputs with respect to (vec W_1, vec W_2), and H_L, at each datapoint.
    """

    def __init__(self, objective, weights, X, Y):
        W_1, W_2 = weights
        self.objective, self.Y, self.weights = objective, Y, weights
        self.x = np.hstack([X, np.ones((N, 1))])
        units = np.tanh(self.x @ W_1.T)
        self.a = np.hstack([units, np.ones((N, 1))])
        self.h = self.a @ W_2.T
        through = W_2[:, :-1] * (1 - units**2)[:, None, :]
        self.J_1 = np.stack([np.kron(x, B) for x, B in zip(self.x, through, strict=True)])
        self.J_2 = np.stack([np.kron(a, np.eye(3)) for a in self.a])
        self.J = np.concatenate([self.J_1, self.J_2], axis=2)
        p = 1 / (1 + np.exp(-self.h))
        self.E_h = self.h - Y if objective == "squared_error" else p - Y
        self.H = np.stack([np.eye(3) if objective == "squared_error" else np.diag(q * (1 - q)) for q in p])
        self.roots = (through.swapaxes(1, 2) @ np.sqrt(self.H), np.sqrt(self.H))

    def f(self):
        """The loss with its L2 term."""
        if self.objective == "squared_error":
            losses = np.sum((self.h - self.Y) ** 2, axis=1) / 2
        else:
            losses = np.sum(np.log(1 + np.exp(self.h)) - self.Y * self.h, axis=1)
        return np.mean(losses) + ETA / 2 * sum(np.sum(W**2) for W in self.weights)

    def gradient(self):
        return np.mean(np.einsum("nhp,nh->np", self.J, self.E_h), axis=0) + ETA * vec(self.weights)

    def matrix(self, J):
        """1/N sum_n J^T H J."""
        return np.mean(J.swapaxes(1, 2) @ self.H @ J, axis=0)

    def factors(self):
        """Q_1, G_1, Q_2, G_2 of the batch."""
        (B_1, B_2), means = self.roots, []
        for a, B in ((self.x, B_1), (self.a, B_2)):
            means += [a.T @ a / N, np.mean(B @ B.swapaxes(1, 2), axis=0)]
        return means


def vec(per_layer):
    return np.concatenate([V.T.ravel() for V in per_layer])


def beta(n, bound):
    return min(bound, 1 - 1 / n)


def mean_of(old, new, n, bound):
    return new if n == 1 else beta(n, bound) * old + (1 - beta(n, bound)) * new


class Run:
    """The optimiser by dense matrices: U diag(vec S) U^T is assembled, and every system is solved by elimination."""

    def __init__(self, settings, net):
        self.settings, self.objective = settings, net.objective
        self.weights, self.tau, self.gamma = net.weights, TAU, GAMMA
        self.factors, self.blocks, self.bases = [0.0] * 4, [0.0] * 2, [np.eye(W.size) for W in net.weights]
        self.t, self.update, self.average = 0, 0.0, 0.0

    def step(self, X, Y):
        s, self.t = self.settings, self.t + 1
        at, (m, d) = Dense(self.objective, self.weights, X, Y), s.curvature_average
        if (self.t - 1) % s.refresh == 0:
            n = (self.t - 1) // s.refresh + 1
            self.factors = [mean_of(old, new, n, m / d) for old, new in zip(self.factors, at.factors(), strict=True)]
            vectors = [np.linalg.eigh(A)[1] for A in self.factors]
            self.bases = [np.kron(*vectors[:2]), np.kron(*vectors[2:])]
        for l, J in enumerate((at.J_1, at.J_2)):
            new, U = mean_of(self.blocks[l], at.matrix(J), self.t, m / d), self.bases[l]
            self.blocks[l] = U @ np.diag(np.diag(U.T @ new @ U)) @ U.T
        whole, g = at.matrix(at.J) + (self.tau + s.eta) * np.eye(len(at.gradient())), at.gradient()

        def delta(gamma):
            damped = [A + (gamma + s.eta) * np.eye(len(A)) for A in self.blocks]
            ends = np.split(g, [len(damped[0])])
            return np.concatenate([np.linalg.solve(A, part) for A, part in zip(damped, ends, strict=True)])

        def fall(gamma):
            return (delta(gamma) @ g) ** 2 / (delta(gamma) @ whole @ delta(gamma))

        if self.t % s.T_gamma == 0:
            omega = (s.decay_gamma[0] / s.decay_gamma[1]) ** s.T_gamma
            self.gamma = max((self.gamma, self.gamma * omega, self.gamma / omega), key=fall)
        direction = delta(self.gamma)
        alpha = -(direction @ g) / (direction @ whole @ direction)
        self.update = alpha * direction + s.momentum[0] / s.momentum[1] * self.update
        parts = zip(np.split(self.update, [SHAPES[0][0] * SHAPES[0][1]]), self.weights, strict=True)
        self.weights = tuple(W + part.reshape(W.shape[::-1]).T for part, W in parts)
        if self.t % s.T_tau == 0:
            change = Dense(self.objective, self.weights, X, Y).f() - at.f()
            rho = change / (self.update @ g + self.update @ whole @ self.update / 2)
            omega = (s.decay_tau[0] / s.decay_tau[1]) ** s.T_tau
            self.tau = self.tau * omega if rho > 0.75 else self.tau / omega
        self.average = mean_of(self.average, vec(self.weights), self.t, 0.95)
        return at.f(), alpha


@pytest.mark.parametrize("objective", ["squared_error", "bernoulli"])
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_steps_are_those_of_dense_matrices(schedule, objective):
    settings, net = ref.Settings("ekfac", ETA, **schedule), network(objective)
    data, dense = batches(9), Run(settings, net)
    states, infos = run(settings, net, data)
    dampings = set()
    for (X, Y), state, info in zip(data, states[1:], infos, strict=True):
        f, alpha = dense.step(X, Y)
        assert math.isclose(info.f, f, rel_tol=1e-9)  # the weights are as near
        assert math.isclose(info.alpha, alpha, rel_tol=1e-9)
        assert math.isclose(state.at.tau, dense.tau, rel_tol=1e-13)
        assert math.isclose(state.at.gamma, dense.gamma, rel_tol=1e-13)
        assert np.allclose(vec(state.at.net.weights), vec(dense.weights), rtol=0, atol=1e-9)
        assert np.allclose(vec(state.at.average.values()), dense.average, rtol=0, atol=1e-9)
        for l, block in enumerate(dense.blocks, start=1):
            assert np.allclose(shared.ekfac_block(state.S[l], *state.bases[l]), block, rtol=0, atol=1e-9)
        dampings.add((state.at.tau, state.at.gamma))
    assert len(dampings) > 3
    assert states[-1].at.t == len(data)


def test_bases_are_kept_between_refreshes_and_eigenvalues_are_not():
    states, _ = run(ref.Settings("ekfac", ETA, refresh=3), network(), batches(5))
    first, second, third, fourth = states[1:5]
    assert first.bases is second.bases is third.bases
    assert first.at.Q is third.at.Q
    assert np.max(np.abs(fourth.bases[1][0] - first.bases[1][0])) > 1e-3
    assert np.max(np.abs(second.S[1] - first.S[1])) > 1e-3


def test_a_new_basis_keeps_the_trace_and_follows_the_order_of_vectors():
    rng = np.random.default_rng(0)
    S, (U_Q, V_Q), (U_G, V_G) = (
        rng.uniform(size=(2, 3)),
        np.linalg.qr(rng.normal(size=(2, 3, 3)))[0],
        np.linalg.qr(rng.normal(size=(2, 2, 2)))[0],
    )
    turned = shared.in_new_basis(S, (U_Q, U_G), (V_Q, V_G))
    V = np.kron(V_Q, V_G)
    expected = np.diag(V.T @ shared.ekfac_block(S, U_Q, U_G) @ V)
    assert np.allclose(turned, expected.reshape(3, 2).T, rtol=0, atol=1e-14)
    assert math.isclose(turned.sum(), S.sum(), rel_tol=1e-14)
    same = shared.in_new_basis(S, (U_Q, U_G), (-U_Q[:, [2, 0, 1]], U_G[:, [1, 0]]))
    assert np.allclose(same, S[[1, 0]][:, [2, 0, 1]], rtol=0, atol=1e-14)


def test_the_direction_is_a_product_of_the_given_matrices():
    """Also for bases that are not orthogonal, which the inverse of U diag(vec S) U^T + k I is not."""
    rng = np.random.default_rng(3)
    U_Q, U_G, S, g = (rng.normal(size=shape) for shape in ((3, 3), (4, 4), (4, 3), (4, 3)))
    state = shared.initial_ekfac_state(network(), TAU, GAMMA)._replace(bases={1: (U_Q, U_G)}, S={1: S**2})
    U = np.kron(U_Q, U_G)
    expected = U @ np.diag(1 / (vec([S]) ** 2 + 0.5)) @ U.T @ vec([g])
    assert np.allclose(vec(shared.ekfac_direction(state, {1: g}, 0.5).values()), expected, rtol=1e-12, atol=0)


def test_a_step_with_a_damped_eigenvalue_below_zero_is_rejected():
    settings, ((X, Y), *_) = ref.Settings("ekfac", ETA, refresh=2), batches(1)
    before = run(settings, network(), batches(3))[0][-1]
    before = before._replace(S=before.S | {2: before.S[2] - 100})
    after, info = shared.ekfac_step(settings, before, X, Y)
    assert not info.ok
    assert after.at.gamma > before.at.gamma
    assert after.at.tau == before.at.tau
    assert (after.at.t, after.at.rejected, after.at.missed) == (4, 1, 0)
    assert (after.S, after.bases, after.at.Q) == (before.S, before.bases, before.at.Q)
    assert after.at.net is before.at.net


def test_a_loss_that_is_not_finite_rejects_a_step_and_the_next_one_has_unit_vectors_as_bases():
    settings, data = ref.Settings("ekfac", ETA, refresh=3), batches(4)
    start = shared.initial_ekfac_state(network(), TAU, GAMMA)
    with np.errstate(all="ignore"):
        state, info = shared.ekfac_step(settings, start, data[0][0], data[0][1] * np.inf)
    assert not info.ok
    assert (state.S, state.bases, state.at.gamma, state.at.missed) == ({}, start.bases, GAMMA, 1)
    state, info = shared.ekfac_step(settings, state, *data[1])
    assert info.ok
    assert np.array_equal(state.bases[1][0], np.eye(3))
    blocks = Dense("squared_error", start.at.net.weights, *data[1])
    assert np.allclose(vec([state.S[1]]), np.diag(blocks.matrix(blocks.J_1)), rtol=1e-12, atol=0)
    for X, Y in data[2:]:
        state, _ = shared.ekfac_step(settings, state, X, Y)
    X = np.hstack([data[3][0], np.ones((N, 1))])
    assert np.allclose(state.at.Q[1], X.T @ X / N, rtol=1e-13, atol=0)


@pytest.mark.parametrize("psd", ["project", "scalar"])
def test_layers_without_a_bias_and_an_indefinite_output_hessian(psd):
    """The sum of S is the trace of the exact block."""
    rng = np.random.default_rng(5)
    net = ref.Network((rng.normal(size=(4, 2)), rng.normal(size=(3, 5))), ("tanh",), "mixture", psd, (False, True))
    X, Y = rng.normal(size=(N, 2)), np.array([0, 1, 1, 0])
    state, info = shared.ekfac_step(ref.Settings("ekfac", ETA), shared.initial_ekfac_state(net, TAU, GAMMA), X, Y)
    assert info.ok
    for l, block in ref.gauss_newton_blocks(net, X, Y).items():
        assert state.S[l].shape == net.weights[l - 1].shape
        assert math.isclose(state.S[l].sum(), np.trace(block), rel_tol=1e-12)
