"""Section 3, equations (11)-(26): the Gauss-Newton matrix and its factors, by PyTorch, dense algebra and rationals."""

import itertools

import kfgn_reference as ref
import numpy as np
import pytest


class Truth:
    """What PyTorch makes of one datapoint.

    h, a    pre-activations, and activations with the unit, as arrays
    J       dh_L/dtheta and, by layer, dh_L/dh_l
    G_L     script G_L
    """

    def __init__(self, autodiff, net, x, y):
        self.x, self.y = x, y
        h = autodiff.preactivation(net, x)
        self.tensors, self.h = h, {l: v.numpy() for l, v in h.items()}
        a = {0: x} | {l: autodiff.transfer(net, l)(h[l]).numpy() for l in range(1, net.L)}
        self.a = {l: np.append(v, 1) for l, v in a.items()}
        self.J_theta = autodiff.jacobian(autodiff.output(net, x), autodiff.theta(net))
        self.J = {l: autodiff.jacobian(autodiff.onward(net, l), h[l]) for l in h}
        self.G_L = autodiff.output_gauss_newton(net, h[net.L], y)
        self.slope = {l: np.diag(autodiff.jacobian(autodiff.transfer(net, l), h[l])) for l in range(1, net.L)}

    def G(self, l, m):  # noqa: N802
        return self.J[l].T @ self.G_L @ self.J[m]


@pytest.fixture(scope="module")
def truths(problem, autodiff):
    return [Truth(autodiff, problem.net, x, y) for x, y in problem.pairs]


@pytest.fixture
def curved(make_problem, autodiff):
    """curved(objective, transfers, **options): a problem and its truths."""

    def make(*arguments, **options):
        problem = make_problem(*arguments, **options)
        return problem, [Truth(autodiff, problem.net, x, y) for x, y in problem.pairs]

    return make


def cut(net, M):
    """{(l, m): the block of M between vec(W_l) and vec(W_m)}."""
    ends = np.cumsum([0, *[W.size for W in net.weights]])
    slices = {l: slice(i, j) for l, (i, j) in enumerate(itertools.pairwise(ends), 1)}
    return {(l, m): M[slices[l], slices[m]] for l in slices for m in slices}


def kron(A, B):
    """Element by element: the row of (b, a) is b len(B) + a."""
    product = np.empty((len(A) * len(B), A.shape[1] * B.shape[1]), dtype=np.result_type(A, B))
    for b, d in np.ndindex(A.shape):
        for a, c in np.ndindex(B.shape):
            product[b * len(B) + a, d * B.shape[1] + c] = A[b, d] * B[a, c]
    return product


def mean(values):
    return sum(values) / len(values)


@pytest.fixture(scope="module")
def rational_jacobians(rational_problem, difference_quotient):
    """dh_L/dtheta of each datapoint, exact, and by layer the part of the biases, which is dh_L/dh_l."""
    net, found = rational_problem.net, []
    for x in rational_problem.X:
        columns = {
            (l, b, a): difference_quotient(net, x, None, (l, a, b))
            for l, W in enumerate(net.weights, 1)
            for b in range(W.shape[1])
            for a in range(W.shape[0])
        }
        last = {l: net.weights[l - 1].shape[1] - 1 for l in rational_problem.layers}
        biases = {l: [v for (m, b, _), v in columns.items() if (m, b) == (l, last[l])] for l in last}
        found.append((np.stack(list(columns.values()), axis=1), {l: np.stack(v, axis=1) for l, v in biases.items()}))
    return found


def test_equation_11(problem, autodiff, relative_error):
    """Each term by itself: the first is the Hessian of g^T h_L for a constant g, the second has the true H_L."""
    net = problem.net
    for x, y in problem.pairs[-1:]:
        h_L, E, at = autodiff.output(net, x), autodiff.error(net, y), autodiff.theta(net)
        outputs = h_L(at)
        g, J = autodiff.grad(E)(outputs), autodiff.jacobian(h_L, at)
        network_term, output_term = ref.hessian_split(net, x, y)
        truth = autodiff.hessian(lambda at, g=g, h_L=h_L: g @ h_L(at), at)
        assert network_term.shape == truth.shape
        assert np.all(np.abs(network_term - truth) <= 1e-12 * np.max(np.abs(truth)))
        assert np.any(truth) == (net.L > 1)
        assert relative_error(output_term, J.T @ autodiff.hessian(E, outputs) @ J) < 1e-12
        whole = autodiff.hessian(lambda at, E=E, h_L=h_L: E(h_L(at)), at)
        assert relative_error(network_term + output_term, whole) < 1e-12


def test_equation_12(problem, truths, relative_error):
    for t in truths:
        ours = ref.sample_gauss_newton(problem.net, t.x, t.y)
        assert relative_error(ours, t.J_theta.T @ t.G_L @ t.J_theta) < 1e-12
        assert np.min(np.linalg.eigvalsh(ours)) > -1e-12 * np.max(ours)


def test_equation_13(problem, truths, relative_error):
    truth = mean([t.J_theta.T @ t.G_L @ t.J_theta for t in truths])
    assert relative_error(ref.gauss_newton(*problem), truth) < 1e-12


def test_equations_12_to_19_between_rationals(rational_problem, rational_jacobians):
    """Every way to the Gauss-Newton matrix, all of it, as equations between rationals. H_L = I."""
    net, X, Y = rational_problem
    each = [J.T @ J for J, _ in rational_jacobians]
    blocks = cut(net, mean(each))
    assert all(np.any(block) for block in blocks.values())
    for (x, y), truth in [(rational_problem.pairs[-1], each[-1])]:
        assert np.array_equal(ref.sample_gauss_newton(net, x, y), truth)
        own = ref.sample_gauss_newton_blocks(net, x, y)
        assert all(np.array_equal(own[l], cut(net, truth)[l, l]) for l in rational_problem.layers)
    assert np.array_equal(ref.gauss_newton(net, X, Y), mean(each))
    for ours in (ref.gauss_newton_between(net, X, Y), ref.factored_between(net, X, Y)):
        assert all(np.array_equal(ours[between], truth) for between, truth in blocks.items())
        assert np.array_equal(ref.assembled(net, ours), mean(each))


def test_equations_15_to_25_between_rationals(rational_problem, rational_jacobians):
    net, X, Y = rational_problem
    J = [by_layer for _, by_layer in rational_jacobians]
    for (x, y), j in zip(rational_problem.pairs, J, strict=True):
        between = ref.sample_preactivation_gauss_newton_between(net, x, y)
        own, roots = ref.sample_preactivation_gauss_newton(net, x, y), ref.sample_roots(net, x, y)
        for l in rational_problem.layers:
            assert np.array_equal(own[l], j[l].T @ j[l])
            assert np.array_equal(roots[l], j[l].T)  # from the root I of I
            assert all(np.array_equal(between[l, m], j[l].T @ j[m]) for m in rational_problem.layers)
    expected = ref.kflr(net, X, Y)
    assert all(np.array_equal(expected[l], mean([j[l].T @ j[l] for j in J])) for l in rational_problem.layers)


def test_equation_14(problem, truths, relative_error):
    """All blocks, most of them not square; and J_{W_l} = a^T kron I of the text, without which there is no (16)."""
    net = problem.net
    truth = cut(net, mean([t.J_theta.T @ t.G_L @ t.J_theta for t in truths]))
    assert len(truth) == net.L**2
    assert relative_error(ref.gauss_newton_between(*problem), truth) < 1e-12
    for t in truths:
        by_chain_rule = [t.J[l] @ kron(t.a[l - 1][None, :], np.eye(len(t.h[l]))) for l in problem.layers]
        assert relative_error(np.concatenate(by_chain_rule, axis=1), t.J_theta) < 1e-12
        assert relative_error(ref.parameter_jacobian(net, t.x), dict(enumerate(by_chain_rule, 1))) < 1e-12


def test_equation_15(problem, truths, relative_error):
    """J_l^T script G_L J_m (D_l, D_m), with J_l = dh_L/dh_l and not its transpose."""
    for t in truths:
        truth = {(l, m): t.G(l, m) for l in problem.layers for m in problem.layers}
        ours = ref.sample_preactivation_gauss_newton_between(problem.net, t.x, t.y)
        assert relative_error(ours, truth) < 1e-12


def test_equation_16(problem, truths, relative_error):
    """Its right side in elements, and its left side, the block of (14)."""
    net, layers = problem.net, problem.layers
    ours = ref.factored_between(*problem)
    truth = {
        (l, m): mean([kron(np.outer(t.a[l - 1], t.a[m - 1]), t.G(l, m)) for t in truths])
        for l in layers
        for m in layers
    }
    assert relative_error(ours, truth) < 1e-12
    assert relative_error(ours, cut(net, mean([t.J_theta.T @ t.G_L @ t.J_theta for t in truths]))) < 1e-12


def test_equation_17(problem, truths, relative_error):
    """The Khatri-Rao product of matrices that are neither square nor symmetric; then the matrix of the network."""
    rng = np.random.default_rng(0)
    Q = {(l, m): rng.normal(size=(l + 1, 2 * m)) for l in (1, 2) for m in (1, 2)}
    G = {(l, m): rng.normal(size=(3 * l, m + 4)) for l in (1, 2) for m in (1, 2)}
    assert relative_error(ref.khatri_rao(Q, G), {between: kron(Q[between], G[between]) for between in Q}) < 1e-15
    whole = ref.assembled(problem.net, ref.factored_between(*problem))
    assert relative_error(whole, mean([t.J_theta.T @ t.G_L @ t.J_theta for t in truths])) < 1e-12


def test_equation_18(problem, truths, relative_error):
    for t in truths:
        truth = {
            (l, m): np.array([[b * d for d in t.a[m - 1]] for b in t.a[l - 1]])
            for l in problem.layers
            for m in problem.layers
        }
        assert relative_error(ref.sample_q_between(problem.net, t.x), truth) < 1e-13


def test_equation_19(problem, truths, relative_error):
    for t in truths:
        blocks = cut(problem.net, t.J_theta.T @ t.G_L @ t.J_theta)
        ours = ref.sample_gauss_newton_blocks(problem.net, t.x, t.y)
        assert relative_error(ours, {l: blocks[l, l] for l in problem.layers}) < 1e-12
        truth = {l: kron(np.outer(t.a[l - 1], t.a[l - 1]), t.G(l, l)) for l in problem.layers}
        assert relative_error(ours, truth) < 1e-12


def exact_blocks(problem, truths):
    """The blocks E[G_l], and E[Q_l] kron E[script G_l]."""
    blocks = cut(problem.net, mean([t.J_theta.T @ t.G_L @ t.J_theta for t in truths]))
    Q = {l: mean([np.outer(t.a[l - 1], t.a[l - 1]) for t in truths]) for l in problem.layers}
    G = {l: mean([t.G(l, l) for t in truths]) for l in problem.layers}
    return {l: blocks[l, l] for l in problem.layers}, Q, G


def test_equation_20(problem, truths, relative_error):
    """Its right side, element by element. The left side is another matrix but where H_L and all above are constant."""
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
    """Q for repeated inputs, at any label; G with squared error and linear units. Never between both."""
    problem = make_problem(objective, ("tanh", "softplus"), seed=3)
    repeated = problem._replace(X=np.repeat(problem.X[:1], len(problem.X), axis=0))
    cases = [(repeated, True)]
    if objective != "mixture":  # its H_L depends on the label, but Q does not
        cases.append((make_problem(objective, ("identity", "identity")), objective == "squared_error"))
    for case, equal in cases:
        Q, exact = ref.expected_q(case.net, case.X), ref.gauss_newton_blocks(*case)
        ours = ref.factored_blocks(Q, ref.kflr(*case))
        for l in case.layers:
            assert (relative_error(ours[l], exact[l]) < 1e-12) == equal


def test_equation_21(problem, truths, relative_error):
    """A A^T / N for the matrix A of N columns, the last row of them units; not centred."""
    ours = ref.expected_q(problem.net, problem.X)
    A = {l: np.stack([t.a[l - 1] for t in truths], axis=1) for l in problem.layers}
    assert relative_error(ours, {l: A[l] @ A[l].T / len(truths) for l in A}) < 1e-13


def test_equation_22(problem, truths, relative_error):
    """From the definition (15), and step by step from the layer above."""
    net = problem.net
    for t in truths:
        ours = ref.sample_preactivation_gauss_newton(net, t.x, t.y)
        assert relative_error(ours, {l: t.G(l, l) for l in problem.layers}) < 1e-12
        for l in range(1, net.L):
            WB = net.weights[l][:, :-1] * t.slope[l]
            assert relative_error(ours[l], WB.T @ t.G(l + 1, l + 1) @ WB) < 1e-12


def output_root(net, t, autodiff):
    """The root of script G_L that the docstrings name: I, diag(sqrt(p (1 - p))), diag(sqrt p) - p sqrt(p)^T, ..."""
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
    """script G_l as a sum of K outer products, K = D_L but for the one column of "scalar"."""
    for t in truths:
        ours = ref.sample_roots(problem.net, t.x, t.y)
        K = 1 if problem.net.psd == "scalar" else len(t.G_L)
        assert all(C.shape == (len(t.h[l]), K) for l, C in ours.items())
        sums = {l: sum(np.outer(C[:, k], C[:, k]) for k in range(K)) for l, C in ours.items()}
        assert relative_error(sums, {l: t.G(l, l) for l in problem.layers}) < 1e-12


def test_equation_24(problem, truths, autodiff, relative_error):
    """C_l = J_l^T C_L, and each step from the layer above. C_L is the root that is promised, be it one of many."""
    net = problem.net
    for t in truths:
        root = output_root(net, t, autodiff)
        ours = ref.sample_roots(net, t.x, t.y)
        assert relative_error(ours, {l: t.J[l].T @ root for l in problem.layers}) < 1e-12
        for l in range(1, net.L):
            step = np.diag(t.slope[l]) @ net.weights[l][:, :-1].T @ (t.J[l + 1].T @ root)
            assert relative_error(ours[l], step) < 1e-12


def test_equation_25(problem, truths, relative_error):
    """The mean of script G_l, which is the N K stacked columns times their transpose, over N."""
    net, N = problem.net, len(truths)
    ours = ref.kflr(*problem)
    assert relative_error(ours, {l: mean([t.G(l, l) for t in truths]) for l in problem.layers}) < 1e-12
    stacked = {l: np.concatenate([ref.sample_roots(net, t.x, t.y)[l] for t in truths], axis=1) for l in problem.layers}
    assert relative_error(ours, {l: C @ C.T / N for l, C in stacked.items()}) < 1e-12


def nested_expectations(net, truths):
    """(26) as it is printed: an expectation of matrix products for each layer, the diagonal matrices written out."""
    G = {net.L: mean([t.G_L for t in truths])}
    for l in range(net.L - 1, 0, -1):
        W = net.weights[l][:, :-1]
        G[l] = mean([np.diag(t.slope[l]) @ W.T @ G[l + 1] @ W @ np.diag(t.slope[l]) for t in truths])
    return G


def elements(net, truths):
    """(26) with the expectation drawn in: (W^T E[G] W)_{ab} times the mean of f'(h_a) f'(h_b)."""
    G = {net.L: mean([t.G_L for t in truths])}
    for l in range(net.L - 1, 0, -1):
        W, slopes = net.weights[l], [t.slope[l] for t in truths]
        G[l] = np.einsum("ia,ij,jb,na,nb->ab", W[:, :-1], G[l + 1], W[:, :-1], slopes, slopes) / len(truths)
    return G


def test_equation_26(problem, truths, relative_error):
    ours = ref.kfra(*problem)
    assert relative_error(ours, nested_expectations(problem.net, truths)) < 1e-12
    assert relative_error(ours, elements(problem.net, truths)) < 1e-12


@pytest.mark.parametrize("psd", ["project", "scalar"])
@pytest.mark.parametrize("objective", ["squared_error", "bernoulli", "categorical", "mixture"])
def test_equation_26_is_exact_in_some_places(objective, psd, curved, relative_error):
    """At L; at L - 1 if H_L is constant; where all is linear; for one datapoint. And strictly not elsewhere."""
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
