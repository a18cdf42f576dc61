"""Sections 3.2 to 3.5, equations (19)-(26): the factors Q and G, KFLR and KFRA."""

import kfgn_reference as ref
import numpy as np
import pytest

from .section_3 import Truth, cut, kron, mean


@pytest.fixture(scope="module")
def truths(problem, autodiff):
    return [Truth(autodiff, problem.net, x, y) for x, y in problem.pairs]


@pytest.fixture
def curved(make_problem, autodiff):
    """A function of (objective, transfers, **options) that gives a problem and its truths."""

    def make(*arguments, **options):
        problem = make_problem(*arguments, **options)
        return problem, [Truth(autodiff, problem.net, x, y) for x, y in problem.pairs]

    return make


def test_equation_19(problem, truths, relative_error):
    for t in truths:
        blocks = cut(problem.net, t.J_theta.T @ t.G_L @ t.J_theta)
        ours = ref.sample_gauss_newton_blocks(problem.net, t.x, t.y)
        assert relative_error(ours, {l: blocks[l, l] for l in problem.layers}) < 1e-12
        truth = {l: kron(np.outer(t.a[l - 1], t.a[l - 1]), t.G(l, l)) for l in problem.layers}
        assert relative_error(ours, truth) < 1e-12


def exact_blocks(problem, truths):
    """The blocks E[G_l], and the factors E[Q_l] and E[script G_l]."""
    blocks = cut(problem.net, mean([t.J_theta.T @ t.G_L @ t.J_theta for t in truths]))
    Q = {l: mean([np.outer(t.a[l - 1], t.a[l - 1]) for t in truths]) for l in problem.layers}
    G = {l: mean([t.G(l, l) for t in truths]) for l in problem.layers}
    return {l: blocks[l, l] for l in problem.layers}, Q, G


def test_equation_20(problem, truths, relative_error):
    """The right side element by element. The left side differs, except at layer L for a constant H_L."""
    exact, Q, G = exact_blocks(problem, truths)
    ours = ref.factored_blocks(Q, G)
    assert relative_error(ours, {l: kron(Q[l], G[l]) for l in Q}) < 1e-14
    for l in exact:
        if problem.net.objective == "squared_error" and l == problem.net.L:
            assert relative_error(ours[l], exact[l]) < 1e-12
        else:
            assert relative_error(ours[l], exact[l]) > 1e-4


@pytest.mark.parametrize("objective", ["squared_error", "bernoulli", "categorical", "mixture"])
def test_equation_20_is_exact_where_a_factor_is_constant(objective, make_problem, relative_error):
    """(20) is exact for repeated inputs, and for squared error with linear units. It is not exact in other cases."""
    problem = make_problem(objective, ("tanh", "softplus"), seed=3)
    repeated = problem._replace(X=np.repeat(problem.X[:1], len(problem.X), axis=0))
    cases = [(repeated, True)]
    if objective != "mixture":  # H_L of the mixture depends on the label, but Q does not
        cases.append((make_problem(objective, ("identity", "identity")), objective == "squared_error"))
    for case, equal in cases:
        Q, exact = ref.expected_q(case.net, case.X), ref.gauss_newton_blocks(*case)
        ours = ref.factored_blocks(Q, ref.kflr(*case))
        for l in case.layers:
            assert (relative_error(ours[l], exact[l]) < 1e-12) == equal


def test_equation_21(problem, truths, relative_error):
    """A A^T / N for the matrix A with N columns and a last row of ones, not centred."""
    ours = ref.expected_q(problem.net, problem.X)
    A = {l: np.stack([t.a[l - 1] for t in truths], axis=1) for l in problem.layers}
    assert relative_error(ours, {l: A[l] @ A[l].T / len(truths) for l in A}) < 1e-13


def test_equation_22(problem, truths, relative_error):
    """script G_l by the definition (15), and by one step of the recursion from the layer above."""
    net = problem.net
    for t in truths:
        ours = ref.sample_preactivation_gauss_newton(net, t.x, t.y)
        assert relative_error(ours, {l: t.G(l, l) for l in problem.layers}) < 1e-12
        for l in range(1, net.L):
            WB = net.weights[l][:, :-1] * t.derivative[l]
            assert relative_error(ours[l], WB.T @ t.G(l + 1, l + 1) @ WB) < 1e-12


def output_root(net, t, autodiff):
    """The root of script G_L in the docstrings: I, diag(sqrt(p (1 - p))), diag(sqrt p) - p sqrt(p)^T, ..."""
    h, E = t.h[net.L], autodiff.error(net, t.y)
    if net.objective == "squared_error":
        return np.eye(len(h))
    if net.objective == "bernoulli":
        return np.diag(np.sqrt(np.exp(h)) / (1 + np.exp(h)))
    if net.objective == "categorical":
        p = np.exp(h) / np.sum(np.exp(h))
        return np.diag(np.sqrt(p)) - np.outer(p, np.sqrt(p))
    if net.psd == "scalar":
        return autodiff.gradient(E, t.tensors[net.L])[:, None]
    values, vectors = np.linalg.eigh(autodiff.hessian(E, t.tensors[net.L]))  # the symmetric root
    return sum(np.sqrt(c) * np.outer(v, v) for c, v in zip(values, vectors.T, strict=True) if c > 0)


def test_equation_23(problem, truths, relative_error):
    """script G_l is a sum of K outer products, with K = D_L, or K = 1 for "scalar"."""
    for t in truths:
        ours = ref.sample_roots(problem.net, t.x, t.y)
        K = 1 if problem.net.psd == "scalar" else len(t.G_L)
        assert all(C.shape == (len(t.h[l]), K) for l, C in ours.items())
        sums = {l: sum(np.outer(C[:, k], C[:, k]) for k in range(K)) for l, C in ours.items()}
        assert relative_error(sums, {l: t.G(l, l) for l in problem.layers}) < 1e-12


def test_equation_24(problem, truths, autodiff, relative_error):
    """C_l = J_l^T C_L for the documented root C_L, and one step of the recursion from the layer above."""
    net = problem.net
    for t in truths:
        root = output_root(net, t, autodiff)
        ours = ref.sample_roots(net, t.x, t.y)
        assert relative_error(ours, {l: t.J[l].T @ root for l in problem.layers}) < 1e-12
        for l in range(1, net.L):
            step = np.diag(t.derivative[l]) @ net.weights[l][:, :-1].T @ (t.J[l + 1].T @ root)
            assert relative_error(ours[l], step) < 1e-12


def test_equation_25(problem, truths, relative_error):
    """The mean of script G_l is 1/N times the N K columns side by side times their transpose."""
    net, N = problem.net, len(truths)
    ours = ref.kflr(*problem)
    assert relative_error(ours, {l: mean([t.G(l, l) for t in truths]) for l in problem.layers}) < 1e-12
    stacked = {l: np.concatenate([ref.sample_roots(net, t.x, t.y)[l] for t in truths], axis=1) for l in problem.layers}
    assert relative_error(ours, {l: C @ C.T / N for l, C in stacked.items()}) < 1e-12


def nested_expectations(net, truths):
    """(26) as printed: an expectation of matrix products per layer, with dense diagonal matrices."""
    G = {net.L: mean([t.G_L for t in truths])}
    for l in range(net.L - 1, 0, -1):
        W = net.weights[l][:, :-1]
        G[l] = mean([np.diag(t.derivative[l]) @ W.T @ G[l + 1] @ W @ np.diag(t.derivative[l]) for t in truths])
    return G


def elements(net, truths):
    """(26) with the expectation over f' alone: (W^T E[G] W)_{ab} times the mean of f'(h_a) f'(h_b)."""
    G = {net.L: mean([t.G_L for t in truths])}
    for l in range(net.L - 1, 0, -1):
        W, derivatives = net.weights[l], [t.derivative[l] for t in truths]
        G[l] = np.einsum("ia,ij,jb,na,nb->ab", W[:, :-1], G[l + 1], W[:, :-1], derivatives, derivatives) / len(truths)
    return G


def test_equation_26(problem, truths, relative_error):
    ours = ref.kfra(*problem)
    assert relative_error(ours, nested_expectations(problem.net, truths)) < 1e-12
    assert relative_error(ours, elements(problem.net, truths)) < 1e-12


@pytest.mark.parametrize("psd", ["project", "scalar"])
@pytest.mark.parametrize("objective", ["squared_error", "bernoulli", "categorical", "mixture"])
def test_equation_26_is_exact_in_some_places(objective, psd, curved, relative_error):
    """KFRA is exact at L, at L - 1 if H_L is constant, for linear networks and for N = 1, and in no other case."""
    transfers = ("tanh", "softplus")
    for options in ({}, {"N": 1}):
        problem, truths = curved(objective, transfers, psd, **options)
        ours, exact = ref.kfra(*problem), {l: mean([t.G(l, l) for t in truths]) for l in problem.layers}
        equal = {1, 2, 3} if options else {2, 3} if objective == "squared_error" else {3}
        for l in problem.layers:
            if l in equal:
                assert relative_error(ours[l], exact[l]) < 1e-12
            else:
                assert relative_error(ours[l], exact[l]) > 1e-4
    problem, truths = curved(objective, ("identity", "identity"), psd)
    assert relative_error(ref.kfra(*problem), {l: mean([t.G(l, l) for t in truths]) for l in problem.layers}) < 1e-12
