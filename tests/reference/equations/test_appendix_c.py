"""Appendix C, equations (32)-(45), each by a route of its own: loops over elements, dense algebra, hand-made numbers.

On rationals most of it is exact. A network of piecewise linear units with squared error has outputs that are a linear
function of any one weight as long as no unit crosses its kink, so difference quotients of the outputs are the Jacobian
without any error, and the Gauss-Newton matrix comes from these. The other objectives are held against torch.func.
"""

import functools
import itertools
import math
from fractions import Fraction
from typing import NamedTuple

import kfgn_reference as ref
import numpy as np
import pytest

torch = pytest.importorskip("torch")

OBJECTIVES = (
    ("squared_error", "project"),
    ("bernoulli", "project"),
    ("categorical", "project"),
    ("mixture", "project"),
    ("mixture", "scalar"),
)
NORMS = ("trace", "frobenius", "spectral")
ROUNDING = 1e-12  # float64 on matrices of a few dozen rows, well conditioned; the errors seen are below 1e-14


def close(ours, truth):
    """To rounding, relative to the largest element."""
    ours, truth = np.asarray(ours, dtype=float), np.asarray(truth, dtype=float)
    assert ours.shape == truth.shape
    return np.max(np.abs(ours - truth)) <= ROUNDING * np.max(np.abs(truth))


def rationals(rng, *shape, denominator=7):
    """Multiples of 1 / denominator, none of them 0."""
    integers = rng.integers(1, 10, size=shape) * rng.choice((-1, 1), size=shape)
    return np.frompyfunc(lambda k: Fraction(int(k), denominator), 1, 1)(integers)


def is_rational(A):
    return {type(value) for value in np.ravel(np.array(A, dtype=object))} == {Fraction}


def columns(V):
    """vec by its definition: all of the first column, then all of the second."""
    return [V[a, b] for b in range(V.shape[1]) for a in range(V.shape[0])]


def product(C, v):
    return [sum(C[i, j] * v[j] for j in range(len(v))) for i in range(len(v))]


def inner(u, v):
    return sum(a * b for a, b in zip(u, v, strict=True))


def kron_loops(Q, G):
    """[Q kron G] with row b D + a for row a of G and row b of Q."""
    D, rows = len(G), range(len(G) * len(Q))
    return np.array([[Q[i // D, j // D] * G[i % D, j % D] for j in rows] for i in rows])


def definite(rng, D, rank=None):
    """A positive semi-definite matrix of rationals, which is definite if no lower rank is asked for."""
    A = rationals(rng, D, rank or D + 2, denominator=3)
    return A @ A.T


class Rational(NamedTuple):
    """A piecewise linear network with squared error, and what (32)-(43) need of it, all by definition.

    theta is a list with the weights in the order of columns, layer by layer. f holds the L2 term.
    """

    shapes: tuple
    slopes: tuple  # of the negative side, for the hidden layers: 0 is ReLU, 1/10 leaky ReLU, 1 the identity
    theta: list
    X: np.ndarray
    Y: np.ndarray
    eta: Fraction

    def pairs(self):
        """(l, a, b) of every element of theta."""
        return [(l, a, b) for l, (rows, below) in enumerate(self.shapes) for b in range(below) for a in range(rows)]

    def outputs(self, theta):
        W = dict(zip(self.pairs(), theta, strict=True))
        h_L = []
        for x in self.X:
            a = list(x)
            for l, (rows, below) in enumerate(self.shapes):
                a = [*a, 1]
                h = [sum(W[l, i, j] * a[j] for j in range(below)) for i in range(rows)]
                a = [v if l == len(self.slopes) or v > 0 else self.slopes[l] * v for v in h]
            h_L.append(a)
        return h_L

    def f(self, theta):
        pairs = zip(self.outputs(theta), self.Y, strict=True)
        errors = [sum((h - y) ** 2 for h, y in zip(h_L, labels, strict=True)) for h_L, labels in pairs]
        return sum(errors) / 2 / len(self.X) + self.eta / 2 * sum(w**2 for w in theta)

    def jacobians(self):
        """[n][k][i] = d h_L,k / d theta_i at datapoint n."""
        step, J = Fraction(1, 10**9), []
        for i in range(len(self.theta)):
            up, down = ([w + s * (i == j) for j, w in enumerate(self.theta)] for s in (step, -step))
            J.append((np.array(self.outputs(up)) - np.array(self.outputs(down))) / (2 * step))
        return np.array(J).transpose(1, 2, 0)

    def gradient(self):
        residuals = np.array(self.outputs(self.theta)) - self.Y
        data = sum(J.T @ r for J, r in zip(self.jacobians(), residuals, strict=True)) / len(self.X)
        return [g + self.eta * w for g, w in zip(data, self.theta, strict=True)]

    def curvature(self, damping):
        """The mean of J^T J, + damping I."""
        G = sum(J.T @ J for J in self.jacobians()) / len(self.X)
        return G + damping * np.array([[Fraction(i == j) for j in range(len(G))] for i in range(len(G))])

    def matrices(self, theta):
        parts, start = {}, 0
        for l, (rows, below) in enumerate(self.shapes, start=1):
            part = theta[start : start + rows * below]
            parts[l] = np.array([[part[b * rows + a] for b in range(below)] for a in range(rows)])
            start += rows * below
        return parts

    def ours(self):
        """(net, X, Y) for the reference."""
        names = tuple({0: "relu", Fraction(1, 10): "leaky_relu", 1: "identity"}[s] for s in self.slopes)
        return ref.Network(tuple(self.matrices(self.theta).values()), names, "squared_error"), self.X, self.Y


def rational_problem(widths, slopes, N=3, seed=5, eta=Fraction(2, 5)):
    rng = np.random.default_rng(seed)
    shapes = tuple((width, below + 1) for below, width in itertools.pairwise(widths))
    theta = list(rationals(rng, sum(rows * below for rows, below in shapes)))
    return Rational(shapes, slopes, theta, rationals(rng, N, widths[0]), rationals(rng, N, widths[-1]), eta)


TAU = Fraction(3, 11)
LINEAR = ((3, 2), ())  # f is a quadratic function of theta
RATIONAL = (LINEAR, ((2, 3, 2), (Fraction(1, 10),)), ((3, 2, 4, 2), (1, 0)))


class Case(NamedTuple):
    """A rational problem, the same for the reference, f, grad f and C-bar with TAU, and a direction."""

    problem: Rational
    ours: tuple
    f: Fraction
    g: list
    C: np.ndarray
    delta: list


@functools.cache
def rational_cases():
    cases = []
    for widths, slopes in RATIONAL:
        problem = rational_problem(widths, slopes)
        C = problem.curvature(TAU + problem.eta)
        values = problem.ours(), problem.f(problem.theta), problem.gradient(), C, rational_direction(problem)
        cases.append(Case(problem, *values))
    return cases


def rational_direction(problem, seed=8):
    return list(rationals(np.random.default_rng(seed), len(problem.theta), denominator=50))


class Floats(NamedTuple):
    """A smooth problem for the reference, and f, grad f and G-bar of it by torch.func."""

    net: ref.Network
    X: np.ndarray
    Y: np.ndarray
    f: float
    g: np.ndarray
    G: np.ndarray
    delta: np.ndarray


def torch_loss(objective, h, y):
    if objective == "squared_error":
        return ((h - y) ** 2).sum() / 2
    p = torch.sigmoid(h)
    if objective == "bernoulli":
        return -(y * p.log() + (1 - y) * (1 - p).log()).sum()
    if objective == "categorical":
        return -torch.softmax(h, 0)[int(y)].log()
    q = p[0] * p[1] + (1 - p[0]) * p[2]
    return -(q if y == 1 else 1 - q).log()


def torch_outputs(shapes, theta, x):
    """tanh, then softplus; theta stacks columns."""
    start, a = 0, x
    for l, (rows, below) in enumerate(shapes):
        W = theta[start : start + rows * below].reshape(below, rows).T
        start += rows * below
        h = W[:, :-1] @ a + W[:, -1]
        a = (torch.tanh, torch.nn.functional.softplus, None)[l](h) if l < 2 else h
    return a


def smooth_problem(objective, psd, N=4, seed=3, eta=0.3):
    rng = np.random.default_rng(seed)
    shapes = ((2, 5), (4, 3), (3, 5))
    weights = tuple(rng.normal(size=shape) for shape in shapes)
    X = rng.normal(size=(N, 4))
    Y = {
        "squared_error": rng.normal(size=(N, 3)),
        "bernoulli": rng.uniform(size=(N, 3)),
        "categorical": np.array([0, 2, 1, 2]),
        "mixture": np.array([0, 1, 1, 0]),
    }[objective]
    theta = torch.tensor(np.concatenate([columns(W) for W in weights]))
    f, g, G = 0, 0, 0
    for x, y in zip(torch.tensor(X), torch.tensor(Y), strict=True):
        h = torch_outputs(shapes, theta, x)
        J = torch.func.jacrev(lambda t, x=x: torch_outputs(shapes, t, x))(theta)

        def loss(h, y=y):
            return torch_loss(objective, h, y)

        H = torch.func.jacrev(torch.func.grad(loss))(h)
        dE = torch.func.grad(loss)(h)
        if objective == "mixture":
            values, vectors = torch.linalg.eigh(H)
            assert values[0] < -1e-3  # so the projection does something
            H = (vectors * values.clamp(min=0)) @ vectors.T if psd == "project" else torch.outer(dE, dE)
        f, g, G = f + torch_loss(objective, h, y) / N, g + J.T @ dE / N, G + J.T @ H @ J / N
    f, g = f + eta / 2 * theta @ theta, g + eta * theta
    net = ref.Network(weights, ("tanh", "softplus"), objective, psd)
    return Floats(net, X, Y, float(f), g.numpy(), G.numpy(), rng.normal(size=len(theta)) / 5)


@pytest.fixture(scope="module", params=OBJECTIVES, ids="-".join)
def smooth(request):
    return smooth_problem(*request.param)


def matrices(net, vector):
    """The layers of a vector that stacks columns."""
    parts, start = {}, 0
    for l, W in enumerate(net.weights, start=1):
        parts[l] = vector[start : start + W.size].reshape(W.shape[::-1]).T
        start += W.size
    return parts


def test_equation_32():
    """Where f is quadratic, the model with its gradient and Hessian is f itself; where it is not, to third order.

    Both are difference quotients of f here, which have no error where f is quadratic.
    """
    problem = rational_problem(*LINEAR)
    theta, step, size = problem.theta, Fraction(1, 3), range(len(problem.theta))

    def f(moves):
        return problem.f([w + sum(s * step for i, s in moves if i == j) for j, w in enumerate(theta)])

    g = np.array([(f([(i, 1)]) - f([(i, -1)])) / (2 * step) for i in size])
    signs = tuple(itertools.product((1, -1), repeat=2))
    C = np.array([[sum(s * t * f([(i, s), (j, t)]) for s, t in signs) / (4 * step**2) for j in size] for i in size])
    for seed in range(3):
        delta = np.array(rational_direction(problem, seed))
        model = ref.quadratic_model(problem.f(theta), g, C, delta)
        assert type(model) is Fraction
        assert model == problem.f([w + d for w, d in zip(theta, delta, strict=True)])

    # No symmetry of C is needed, and each term counts by itself
    rng = np.random.default_rng(1)
    f_0, g, C, delta = Fraction(5, 3), rationals(rng, 4), rationals(rng, 4, 4), rationals(rng, 4)
    assert ref.quadratic_model(f_0, g, C, delta) == f_0 + inner(delta, g) + inner(delta, product(C, delta)) / 2

    # 2 + 3 d + 4 d^2 / 2 at d = -1/2 is 1: the value, the slope and half the curvature
    one_dimensional = ref.quadratic_model(2.0, np.array([3.0]), np.array([[4.0]]), np.array([-0.5]))
    assert one_dimensional == 1.0

    # f of a tanh network and of its true Hessian: halving delta divides the error by 8
    net, X, Y, f_0, g, _, delta = smooth_problem("bernoulli", "project", eta=0.0)
    at = torch.tensor(np.concatenate([columns(W) for W in net.weights]))
    shapes = [W.shape for W in net.weights]

    def mean_loss(theta):
        pairs = zip(torch.tensor(X), torch.tensor(Y), strict=True)
        return sum(torch_loss("bernoulli", torch_outputs(shapes, theta, x), y) for x, y in pairs) / len(X)

    H = torch.func.jacrev(torch.func.grad(mean_loss))(at).numpy()
    scales = (0.02, 0.01)
    errors = [
        float(mean_loss(at + s * torch.tensor(delta))) - ref.quadratic_model(f_0, g, H, s * delta) for s in scales
    ]
    assert 7.5 < errors[0] / errors[1] < 8.5


def test_equation_33():
    """C delta = grad f, in rationals and against NumPy's LU factors; uphill; C not positive definite is refused."""
    rng = np.random.default_rng(2)
    for D in (1, 2, 5, 7):
        C, g = definite(rng, D), rationals(rng, D)
        delta = ref.direction(C, g)
        assert is_rational(delta)
        assert product(C, delta) == list(g)
        assert inner(delta, g) > 0
        assert close(ref.direction(C.astype(float), g.astype(float)), np.linalg.solve(C.astype(float), g.astype(float)))
    with pytest.raises(ValueError, match="positive definite"):
        ref.direction(-C, g)

    # For a block-diagonal C, as the paper says, the systems are independent
    blocks = {2: definite(rng, 2), 1: definite(rng, 3), 3: definite(rng, 1)}  # the order of the keys does not matter
    C = ref.block_diagonal(blocks)
    starts = {1: 0, 2: 3, 3: 5}
    expected = np.full((6, 6), Fraction(0))
    for l, start in starts.items():
        for i, j in itertools.product(range(len(blocks[l])), repeat=2):
            expected[start + i, start + j] = blocks[l][i, j]
    assert is_rational(C)
    assert np.array_equal(C, expected)
    damped = ref.damped(C, Fraction(2, 9))
    assert is_rational(damped)
    assert all(damped[i, j] == C[i, j] + (Fraction(2, 9) if i == j else 0) for i in range(6) for j in range(6))
    assert ref.damped(C[:1, :1], Fraction(2, 9)).tolist() == [[C[0, 0] + Fraction(2, 9)]]
    g = rationals(rng, 6)
    delta = ref.direction(C, g)
    for l, start in starts.items():
        part = slice(start, start + len(blocks[l]))
        assert product(blocks[l], delta[part]) == list(g[part])


def layers(rng):
    """Q, G and g for a wide, a tall and a square layer; Q and G of the second are singular, g is never symmetric."""
    sizes, ranks = {1: (2, 4), 2: (5, 3), 3: (3, 3)}, {1: (None, None), 2: (2, 1), 3: (None, None)}
    Q = {l: definite(rng, sizes[l][1], ranks[l][0]) for l in sizes}
    G = {l: definite(rng, sizes[l][0], ranks[l][1]) for l in sizes}
    return Q, G, {l: rationals(rng, *sizes[l]) for l in sizes}


def dense_factored(Q, G, omega, root_k):
    """(36), built from loops."""
    damped_Q = [[q + omega * root_k * (i == j) for j, q in enumerate(row)] for i, row in enumerate(Q)]
    damped_G = [[v + root_k / omega * (i == j) for j, v in enumerate(row)] for i, row in enumerate(G)]
    return kron_loops(np.array(damped_Q), np.array(damped_G))


def dense_norm(A, norm):
    """Of any matrix, by its singular values: their sum, the root of the sum of squares, the largest."""
    values = np.linalg.svd(np.array(A, dtype=float), compute_uv=False)
    return {"trace": np.sum(values), "frobenius": np.sqrt(np.sum(values**2)), "spectral": np.max(values)}[norm]


def dense_omega(Q, G, norm):
    """(38) from the Kronecker products themselves."""
    Q, G = Q.astype(float), G.astype(float)
    above, below = np.kron(Q, np.eye(len(G))), np.kron(np.eye(len(Q)), G)
    return math.sqrt(dense_norm(above, norm) / dense_norm(below, norm))


def test_equation_34():
    """Dense blocks: C_l vec(delta_l) = vec(g_l), rows b D_l + a. Then the blocks (36), solved by their factors."""
    rng = np.random.default_rng(3)
    Q, G, g = layers(rng)
    C = {l: definite(rng, g[l].size) for l in g}
    delta = ref.layer_directions(C, g)
    assert delta.keys() == g.keys()
    for l in g:
        assert is_rational(delta[l])
        assert delta[l].shape == g[l].shape
        assert product(C[l], columns(delta[l])) == columns(g[l])

    # One layer with given omega and root of k is rational
    for l in g:
        omega, root_k = Fraction(3, 4), Fraction(5, 2)
        delta = ref.factored_layer_direction(Q[l], G[l], g[l], omega, root_k)
        assert is_rational(delta)
        assert delta.shape == g[l].shape
        assert product(dense_factored(Q[l], G[l], omega, root_k), columns(delta)) == columns(g[l])

    # All layers, with the omega of (38) and the root of k
    k = 1.7
    floats = [{l: A.astype(float) for l, A in factor.items()} for factor in (Q, G, g)]
    for norm in NORMS:
        delta = ref.factored_direction(*floats, k, norm)
        assert delta.keys() == g.keys()
        for l in g:
            dense = dense_factored(floats[0][l], floats[1][l], dense_omega(Q[l], G[l], norm), math.sqrt(k))
            truth = np.linalg.solve(dense, columns(floats[2][l]))
            assert delta[l].shape == g[l].shape
            assert close(columns(delta[l]), truth)
    default, trace = ref.factored_direction(*floats, k), ref.factored_direction(*floats, k, "trace")
    assert all(np.array_equal(default[l], trace[l]) for l in g)


@pytest.mark.parametrize("D", [(2, 3), (3, 2), (1, 2), (2, 1), (3, 3)])
def test_equation_35(D):
    """Element (b D + a, b' D + a') is Q_bb' G_aa', and k more on the diagonal. No symmetry is used."""
    rng = np.random.default_rng(4)
    G, Q, k = rationals(rng, D[0], D[0]), rationals(rng, D[1], D[1]), Fraction(2, 7)
    ours, truth = ref.damped_block(Q, G, k), kron_loops(Q, G)
    assert is_rational(ours)
    rows = range(D[0] * D[1])
    assert ours.shape == (len(rows), len(rows))
    assert all(ours[i, j] == truth[i, j] + (k if i == j else 0) for i in rows for j in rows)


@pytest.mark.parametrize("D", [(2, 3), (3, 2), (1, 2), (2, 1), (3, 3)])
def test_equation_36(D):
    """Element by element. Where Q = q I and G = g I the factors are numbers."""
    rng = np.random.default_rng(5)
    G, Q = rationals(rng, D[0], D[0]), rationals(rng, D[1], D[1])
    omega, root_k = Fraction(3, 5), Fraction(7, 4)
    ours = ref.factored_damped_block(Q, G, omega, root_k)
    assert is_rational(ours)
    assert np.array_equal(ours, dense_factored(Q, G, omega, root_k))
    # (2 + 3) (4 + 3 / 9) = 65/3, with omega sqrt(k) = 3 and sqrt(k) / omega = 1/3
    two, four = np.array([[Fraction(2)]]), np.array([[Fraction(4)]])
    assert ref.factored_damped_block(two, four, Fraction(3), Fraction(1)).tolist() == [[Fraction(65, 3)]]


def test_equation_37():
    """The three lines: the second is the first, exactly; the bound holds, with equality in two of the norms.

    Q kron I and I kron G commute and R is negative semi-definite, so both its trace and its largest eigenvalue add up.
    """
    rng = np.random.default_rng(6)
    for G_size, Q_size in ((2, 3), (3, 2), (3, 3), (1, 4)):
        Q, G = rationals(rng, Q_size, Q_size), rationals(rng, G_size, G_size)  # an identity of any matrices
        omega, root_k = Fraction(5, 3), Fraction(2, 7)
        rows = range(Q_size * G_size)
        identity = {D: np.array([[Fraction(i == j) for j in range(D)] for i in range(D)]) for D in (Q_size, G_size)}
        first = -kron_loops(Q, identity[G_size]) * root_k / omega
        second = -kron_loops(identity[Q_size], G) * root_k * omega
        block = kron_loops(Q, G) + root_k**2 * np.array([[Fraction(i == j) for j in rows] for i in rows])
        residual, terms = ref.residual(Q, G, omega, root_k), ref.residual_terms(Q, G, omega, root_k)
        assert is_rational(residual)
        assert len(terms) == 2
        assert all(is_rational(term) for term in terms)
        assert np.array_equal(residual, block - dense_factored(Q, G, omega, root_k))
        assert np.array_equal(terms[0], first)
        assert np.array_equal(terms[1], second)
        assert np.array_equal(residual, terms[0] + terms[1])

        # In the trace norm the bound is rational: it is -tr R where Q and G are positive semi-definite
        Q, G = definite(rng, Q_size), definite(rng, G_size, 1)
        bound = ref.residual_bound(Q, G, omega, root_k)
        assert type(bound) is Fraction
        assert bound == -sum(ref.residual(Q, G, omega, root_k)[i, i] for i in rows)

    for rank_Q, rank_G in itertools.product((1, 2, 3), (1, 2)):
        Q, G = definite(rng, 3, rank_Q).astype(float), definite(rng, 2, rank_G).astype(float)
        over, under = np.kron(Q, np.eye(2)), np.kron(np.eye(3), G)
        for omega, root_k, norm in itertools.product((0.2, 1.0, 6.0), (0.3, 4.0), NORMS):
            bound = ref.residual_bound(Q, G, omega, root_k, norm)
            size = dense_norm(ref.residual(Q, G, omega, root_k), norm)
            assert close(bound, root_k / omega * dense_norm(over, norm) + omega * root_k * dense_norm(under, norm))
            if norm == "frobenius":
                assert size < bound * (1 - 1e-3)
            else:
                assert close(size, bound)


def golden_section(f, low, high):
    """The minimiser of a unimodal f, to the root of the rounding error."""
    ratio = (math.sqrt(5) - 1) / 2
    left, right = high - ratio * (high - low), low + ratio * (high - low)
    below, above = f(left), f(right)
    while high - low > 1e-9 * high:
        if below < above:
            high, right, above = right, left, below
            left = high - ratio * (high - low)
            below = f(left)
        else:
            low, left, below = left, right, above
            right = low + ratio * (high - low)
            above = f(right)
    return (low + high) / 2


@pytest.mark.parametrize("norm", NORMS)
def test_equation_38(norm):
    """omega minimises the bound, and |R| itself; the terms of the bound are equal there. 1 where a factor is dead."""
    rng = np.random.default_rng(7)
    for Q_size, G_size, rank in ((4, 2, None), (2, 3, 1), (3, 3, 2)):
        Q, G = definite(rng, Q_size), definite(rng, G_size, rank) / 20
        exact = Q, G
        Q, G = Q.astype(float), G.astype(float)
        omega = ref.omega(Q, G, norm)
        for small in (1e-3, 1e-9):  # no norm is small by itself
            assert math.isclose(ref.omega(small * Q, G, norm), math.sqrt(small) * omega, rel_tol=1e-13)
            assert math.isclose(ref.omega(Q, small * G, norm), omega / math.sqrt(small), rel_tol=1e-13)
        of_Q, of_G = (dense_norm(A, norm) for A in (np.kron(Q, np.eye(G_size)), np.kron(np.eye(Q_size), G)))
        assert omega > 0
        assert close(of_Q / omega, of_G * omega)  # the derivative of the bound is zero
        assert close(ref.omega_squared(Q, G, norm), of_Q / of_G)

        def of_bound(omega, of_Q=of_Q, of_G=of_G):
            return of_Q / omega + omega * of_G

        def of_residual(omega, Q=Q, G=G):
            over, under = np.kron(Q, np.eye(len(G))), np.kron(np.eye(len(Q)), G)
            return dense_norm(over / omega + omega * under, norm)

        for f in (of_bound, of_residual):
            assert abs(golden_section(f, 0.01, 100.0) / omega - 1) < 1e-7  # the root of the rounding error, some times
        if norm == "trace":
            traces = [sum(A[i, i] for i in range(len(A))) for A in exact]
            squared = ref.omega_squared(*exact)
            assert type(squared) is Fraction
            assert squared == traces[0] * G_size / (traces[1] * Q_size)
            assert ref.omega(Q, G) == omega  # the default
            assert math.isclose(omega, math.sqrt(squared), rel_tol=1e-15)
        for dead in ((Q, 0 * G), (0 * Q, G), (0 * Q, 0 * G)):
            assert ref.omega(*dead, norm) == 1.0
            assert ref.omega_squared(*dead, norm) == 1.0
    # 8 kron I_3 = 24, I_1 kron diag(1, 2, 3) = 6 in the trace norm
    Q, G = np.array([[8.0]]), np.diag([1.0, 2.0, 3.0])
    by_hand = {"trace": 24 / 6, "frobenius": 8 * math.sqrt(3 / 14), "spectral": 8 / 3}
    assert math.isclose(ref.omega(Q, G, norm), math.sqrt(by_hand[norm]), rel_tol=1e-15)


@pytest.mark.parametrize("norm", ["trace", "frobenius"])
def test_omega_of_what_is_no_number(norm):
    """A factor that is NaN has no norm, however small that of the other is."""
    small, unknown = np.array([[0.5]]), np.array([[np.nan]])
    for Q, G, norms in ((small, unknown, "0.5 and nan"), (unknown, small, "nan and 0.5")):
        with pytest.raises(ValueError, match=f"^Q, G: expected factors whose norms are numbers, got norms {norms}"):
            ref.omega_squared(Q, G, norm)


@pytest.mark.parametrize("case", range(len(RATIONAL)))
def test_equation_39(case):
    """The vertex of the parabola through three values of the model is alpha, exactly; neighbours are worse."""
    problem, (net, X, Y), f, g, C, _ = rational_cases()[case]
    for seed in range(2):
        delta = rational_direction(problem, seed)

        def model(alpha, delta=delta):
            move = [alpha * d for d in delta]
            return f + inner(move, g) + inner(move, product(C, move)) / 2

        alpha = ref.step_size(net, X, Y, problem.matrices(delta), TAU, problem.eta)
        assert type(alpha) is Fraction
        back, here, ahead = (model(Fraction(i)) for i in (-1, 0, 1))
        assert alpha == (back - ahead) / (2 * (back - 2 * here + ahead))
        for step in (Fraction(1, 10**12), Fraction(1, 2), alpha):
            assert model(alpha) < min(model(alpha + step), model(alpha - step))
        # The model of the reference is the same parabola, and tau and eta are not the same thing to it
        for value in (Fraction(-3), alpha):
            move = problem.matrices([value * d for d in delta])
            assert ref.model_along(net, X, Y, move, TAU, problem.eta) == model(value)
        assert ref.step_size(net, X, Y, problem.matrices(delta), problem.eta, TAU) != alpha
    assert ref.step_size(net, X, Y, problem.matrices(g), TAU, problem.eta) < 0  # along grad f, uphill


def test_equation_40(smooth):
    """delta_* = alpha delta: the gradient of the model there is orthogonal to delta, and the model has fallen."""
    for problem, (net, X, Y), _, g, C, delta in rational_cases():
        alpha = ref.step_size(net, X, Y, problem.matrices(delta), TAU, problem.eta)
        assert alpha == -inner(delta, g) / inner(delta, product(C, delta))
        step = ref.step(net, X, Y, problem.matrices(delta), TAU, problem.eta)
        assert all(is_rational(step[l]) for l in step)
        moves = [move for l in sorted(step) for move in columns(step[l])]
        assert moves == [alpha * d for d in delta]
        assert inner(delta, [a + b for a, b in zip(g, product(C, moves), strict=True)]) == 0
        assert inner(moves, g) + inner(moves, product(C, moves)) / 2 == alpha * inner(delta, g) / 2 < 0

    net, X, Y, _, g, G, delta = smooth
    tau, eta = 0.7, 0.3
    alpha = -(delta @ g) / (delta @ G @ delta + (tau + eta) * delta @ delta)
    assert close(ref.step_size(net, X, Y, matrices(net, delta), tau, eta), alpha)
    step = ref.step(net, X, Y, matrices(net, delta), tau, eta)
    assert step.keys() == {1, 2, 3}
    assert all(close(step[l], alpha * part) for l, part in matrices(net, delta).items())


def test_equation_41(smooth):
    """delta^T (G-bar + (tau + eta) I) delta with the dense G-bar, for every objective; N > 1 with unlike H_n."""
    net, X, Y, _, _, G, delta = smooth
    for tau, eta in ((0.7, 0.3), (0.0, 0.3), (0.7, 0.0), (0.0, 0.0)):
        truth = delta @ (G + (tau + eta) * np.eye(len(G))) @ delta
        assert close(ref.curvature_along(net, X, Y, matrices(net, delta), tau, eta), truth)

    for problem, (net, X, Y), _, _, C, delta in rational_cases():
        ours = ref.curvature_along(net, X, Y, problem.matrices(delta), TAU, problem.eta)
        assert type(ours) is Fraction
        assert ours == inner(delta, product(C, delta))


def square(epsilon):
    """h = w_2 w_1 x at w_1 = w_2 = epsilon and x = 1, with no bias: (epsilon + d)^2 along delta = (d, d)."""
    weights = tuple(np.array([[Fraction(epsilon), Fraction(0)]]) for _ in range(2))
    delta = {l: np.array([[Fraction(1), Fraction(0)]]) for l in (1, 2)}
    return ref.Network(weights, ("identity",), "squared_error"), np.array([[Fraction(1)]]), delta


def test_equation_42():
    """1 where f is quadratic and tau = 0, for any eta; above 1 with tau > 0; by hand where f is of fourth order."""
    problem = rational_problem(*LINEAR)
    net, X, Y = problem.ours()
    for seed in range(3):
        delta = rational_direction(problem, seed)
        assert ref.reduction_ratio(net, X, Y, problem.matrices(delta), Fraction(0), problem.eta) == 1
        step = ref.step(net, X, Y, problem.matrices(delta), Fraction(0), problem.eta)
        assert ref.reduction_ratio(net, X, Y, step, Fraction(0), problem.eta) == 1
        # at the step of tau > 0 the model keeps tau |delta|^2 / 2 too much
        step = ref.step(net, X, Y, problem.matrices(delta), TAU, problem.eta)
        assert ref.reduction_ratio(net, X, Y, step, TAU, problem.eta) > 1

    for problem, ours, f, g, C, delta in rational_cases():
        moved = [w + d for w, d in zip(problem.theta, delta, strict=True)]
        model = inner(delta, g) + inner(delta, product(C, delta)) / 2
        rho = ref.reduction_ratio(*ours, problem.matrices(delta), TAU, problem.eta)
        assert type(rho) is Fraction
        assert rho == (problem.f(moved) - f) / model

    # E = ((epsilon + d)^2 - y)^2 / 2 without damping. With r = epsilon^2 - y the model is (r + 2 epsilon d)^2 / 2
    #   epsilon   y     r       d_*     E before   E after         model: its minimum is 0   rho
    #   1         0     1      -1/2     1/2        1/32            falls by 1/2              (15/32) / (1/2)
    #   1/2       1    -3/4     3/4     9/32       81/512          falls by 9/32             (63/512) / (9/32)
    #   1/4       1    -15/16   15/8    225/512    225^2 / 8192    falls by 225/512          negative: E grew
    by_hand = (
        (1, 0, Fraction(-1, 2), Fraction(15, 16)),
        (Fraction(1, 2), 1, Fraction(3, 4), Fraction(7, 16)),
        (Fraction(1, 4), 1, Fraction(15, 8), Fraction(-209, 16)),
    )
    none = Fraction(0)
    for epsilon, y, d, rho in by_hand:
        net, X, delta = square(epsilon)
        Y = np.array([[Fraction(y)]])
        step = ref.step(net, X, Y, delta, none, none)
        assert [step[l].tolist() for l in (1, 2)] == [[[d, 0]]] * 2
        assert ref.reduction_ratio(net, X, Y, step, none, none) == rho
    # The third again with eta = 1/2, tau = 1/4 and the same step: f has (d + epsilon)^2 / 2, or 289/128, and before it
    # 1/32, so it grows by 47025/8192 + 285/128; grad f is (epsilon r + epsilon / 2) twice, so that the model changes by
    # 2 (-7/64) 15/8 + (4/16 + 2 3/4) (15/8)^2 / 2 = -105/256 + 1575/512
    net, X, delta = square(Fraction(1, 4))
    step, Y = {l: delta[l] * Fraction(15, 8) for l in delta}, np.array([[Fraction(1)]])
    damped = ref.reduction_ratio(net, X, Y, step, Fraction(1, 4), Fraction(1, 2))
    grown = Fraction(47025, 8192) + Fraction(285, 128)
    assert grown == Fraction(65265, 8192)
    assert damped == grown / (Fraction(-105, 256) + Fraction(1575, 512))


def test_equation_43(smooth):
    """The three values by definition, and how they differ: nothing, or a known power of delta, where that is exact."""
    for problem, batch, f, g, C, delta in rational_cases():
        tilde = definite(np.random.default_rng(9), len(delta))

        def model(C, f=f, g=g, delta=delta):
            return f + inner(delta, g) + inner(delta, product(C, delta)) / 2

        moved = [w + d for w, d in zip(problem.theta, delta, strict=True)]
        ours = ref.models(*batch, problem.matrices(delta), tilde, TAU, problem.eta)
        assert is_rational(ours)
        assert ours == (problem.f(moved), model(C), model(tilde))
        # One matrix, one value
        middle, last = ref.models(*batch, problem.matrices(delta), C, TAU, problem.eta)[1:]
        assert middle == last
        # tau weighs delta^T delta / 2, in the second alone
        undamped = ref.models(*batch, problem.matrices(delta), tilde, Fraction(0), problem.eta)
        assert tuple(a - b for a, b in zip(ours, undamped, strict=True)) == (0, TAU * inner(delta, delta) / 2, 0)

    # f is quadratic: nothing is lost
    problem = rational_problem(*LINEAR)
    delta = problem.matrices(rational_direction(problem))
    first, second, _ = ref.models(*problem.ours(), delta, problem.curvature(0), Fraction(0), problem.eta)
    assert first == second

    # Outputs that are their labels: the Hessian is the Gauss-Newton matrix, and with two linear layers f is of the
    # fourth order, so what is lost at s delta is c_3 s^3 + c_4 s^4
    problem = rational_problem((2, 3, 2), (1,))
    problem = problem._replace(Y=np.array(problem.outputs(problem.theta)))
    delta, C = rational_direction(problem), problem.curvature(problem.eta)

    def lost(s):
        move = problem.matrices([s * d for d in delta])
        first, second, _ = ref.models(*problem.ours(), move, C, Fraction(0), problem.eta)
        return first - second

    plus, minus = lost(Fraction(1)), lost(Fraction(-1))
    third, fourth = (plus - minus) / 2, (plus + minus) / 2
    assert third != 0
    assert fourth > 0
    for s in (Fraction(2), Fraction(-1, 3)):
        assert lost(s) == third * s**3 + fourth * s**4

    net, X, Y, f, g, G, delta = smooth
    tau, eta = 0.7, 0.3
    bar, tilde = G + (tau + eta) * np.eye(len(G)), np.diag(np.arange(1.0, len(G) + 1))
    first, second, third = ref.models(net, X, Y, matrices(net, delta), tilde, tau, eta)
    assert close(second, f + delta @ g + delta @ bar @ delta / 2)
    assert close(third, f + delta @ g + delta @ tilde @ delta / 2)
    theta = np.concatenate([columns(W) for W in net.weights]) + delta
    shapes = [W.shape for W in net.weights]
    pairs = zip(torch.tensor(X), torch.tensor(Y), strict=True)
    losses = [torch_loss(net.objective, torch_outputs(shapes, torch.tensor(theta), x), y) for x, y in pairs]
    assert close(first, float(sum(losses)) / len(X) + eta / 2 * theta @ theta)


def weight(t):
    """(45) for t > 0."""
    return min(Fraction(19, 20), 1 - Fraction(1, t))


def test_equation_44():
    """Exact means of t values up to t = 20; from then on each value loses a twentieth of its weight at every step."""
    rng = np.random.default_rng(10)
    values = [{1: rationals(rng, 2, 3), 2: rationals(rng, 1)} for _ in range(30)]
    average = {1: np.full((2, 3), Fraction(10**6)), 2: np.full(1, Fraction(-7))}  # what stood there does not count
    for t, new in enumerate(values, start=1):
        average = ref.moving_average(average, new, weight(t))
        assert average.keys() == {1, 2}
        shares = [Fraction(1, min(t, 20)) * Fraction(19, 20) ** max(0, t - 20)] * min(t, 20)
        shares += [Fraction(1, 20) * Fraction(19, 20) ** (t - i) for i in range(21, t + 1)]
        assert sum(shares) == 1
        for l in average:
            assert is_rational(average[l])
            truth = sum(share * value[l] for share, value in zip(shares, values, strict=False))
            assert np.array_equal(average[l], truth)
    # 3/4 of 8 and 1/4 of 4
    by_hand = ref.moving_average({1: np.array([8.0])}, {1: np.array([4.0])}, 0.75)
    assert by_hand[1].tolist() == [7.0]


def test_equation_45():
    """0, 1/2, ..., 18/19, then 19/20 for ever; with 9/10, the factor of the curvature, the turn is at 10."""
    weights = [ref.average_weight(t, Fraction(19, 20)) for t in range(1, 41)]
    assert is_rational(weights)
    assert weights == [Fraction(t - 1, t) for t in range(1, 20)] + [Fraction(19, 20)] * 21
    assert weights == [weight(t) for t in range(1, 41)]
    assert [ref.average_weight(t, Fraction(9, 10)) for t in (1, 2, 9, 10, 11)] == [
        0,
        Fraction(1, 2),
        Fraction(8, 9),
        Fraction(9, 10),
        Fraction(9, 10),
    ]
    assert [ref.average_weight(t, 0.95) for t in (1, 2, 4, 100)] == [0.0, 0.5, 0.75, 0.95]
    assert [ref.average_weight(t, Fraction(0)) for t in (1, 2, 3)] == [0, 0, 0]  # nothing old is kept
