"""Appendix C and C.1, equations (32)-(38): the quadratic model, the direction and the damped Kronecker block."""

import itertools
import math
from fractions import Fraction

import kfgn_reference as ref
import numpy as np
import pytest

from .appendix_c import (
    LINEAR,
    close,
    columns,
    definite,
    dense_factored,
    dense_norm,
    dense_omega,
    inner,
    is_rational,
    kron_loops,
    product,
    rational_direction,
    rational_problem,
    rationals,
    smooth_problem,
    torch_loss,
    torch_outputs,
)

torch = pytest.importorskip("torch")


NORMS = ("trace", "frobenius", "spectral")


def test_equation_32():
    """The model with the gradient and Hessian of f equals a quadratic f, and any other f up to terms of third order.

    Gradient and Hessian are difference quotients here, which are exact for a quadratic f.
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

    # C need not be symmetric, and each term is tested separately
    rng = np.random.default_rng(1)
    f_0, g, C, delta = Fraction(5, 3), rationals(rng, 4), rationals(rng, 4, 4), rationals(rng, 4)
    assert ref.quadratic_model(f_0, g, C, delta) == f_0 + inner(delta, g) + inner(delta, product(C, delta)) / 2

    # 2 + 3 d + 4 d^2 / 2 is 1 at d = -1/2
    one_dimensional = ref.quadratic_model(2.0, np.array([3.0]), np.array([[4.0]]), np.array([-0.5]))
    assert one_dimensional == 1.0

    # with the true Hessian of a tanh network, halving delta divides the error by 8
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
    """C delta = grad f, in rationals and by NumPy. A C that is not positive definite is an error."""
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

    # for a block-diagonal C the linear systems of the blocks are independent
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
    """Q, G and g of a wide, a tall and a square layer. Q and G of the second are singular, and no g is symmetric."""
    sizes, ranks = {1: (2, 4), 2: (5, 3), 3: (3, 3)}, {1: (None, None), 2: (2, 1), 3: (None, None)}
    Q = {l: definite(rng, sizes[l][1], ranks[l][0]) for l in sizes}
    G = {l: definite(rng, sizes[l][0], ranks[l][1]) for l in sizes}
    return Q, G, {l: rationals(rng, *sizes[l]) for l in sizes}


def test_equation_34():
    """C_l vec(delta_l) = vec(g_l) with rows b D_l + a, for dense blocks and for the blocks (36)."""
    rng = np.random.default_rng(3)
    Q, G, g = layers(rng)
    C = {l: definite(rng, g[l].size) for l in g}
    delta = ref.layer_directions(C, g)
    assert delta.keys() == g.keys()
    for l in g:
        assert is_rational(delta[l])
        assert delta[l].shape == g[l].shape
        assert product(C[l], columns(delta[l])) == columns(g[l])

    # one layer with a given omega and root of k, in rationals
    for l in g:
        omega, root_k = Fraction(3, 4), Fraction(5, 2)
        delta = ref.factored_layer_direction(Q[l], G[l], g[l], omega, root_k)
        assert is_rational(delta)
        assert delta.shape == g[l].shape
        assert product(dense_factored(Q[l], G[l], omega, root_k), columns(delta)) == columns(g[l])

    # all layers, with the omega of (38) and the root of k
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
    """Element (b D + a, b' D + a') is Q_bb' G_aa', plus k on the diagonal, also without symmetry."""
    rng = np.random.default_rng(4)
    G, Q, k = rationals(rng, D[0], D[0]), rationals(rng, D[1], D[1]), Fraction(2, 7)
    ours, truth = ref.damped_block(Q, G, k), kron_loops(Q, G)
    assert is_rational(ours)
    rows = range(D[0] * D[1])
    assert ours.shape == (len(rows), len(rows))
    assert all(ours[i, j] == truth[i, j] + (k if i == j else 0) for i in rows for j in rows)


@pytest.mark.parametrize("D", [(2, 3), (3, 2), (1, 2), (2, 1), (3, 3)])
def test_equation_36(D):
    """(36) element by element, and by hand for Q = q I and G = g I."""
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
    """The second line equals the first, exactly. The bound of the third holds, with equality in two of the norms.

    Q kron I and I kron G commute, and R is negative semi-definite, so the trace and the largest eigenvalue of the two
    terms add up.
    """
    rng = np.random.default_rng(6)
    for G_size, Q_size in ((2, 3), (3, 2), (3, 3), (1, 4)):
        Q, G = rationals(rng, Q_size, Q_size), rationals(rng, G_size, G_size)  # the identity holds for any matrices
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

        # in the trace norm the bound is rational: -tr R for positive semi-definite Q and G
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
    """The minimiser of a unimodal f, up to the square root of the rounding error."""
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
    """omega minimises the bound, whose terms are then equal, and |R|. omega = 1 if a factor is zero."""
    rng = np.random.default_rng(7)
    for Q_size, G_size, rank in ((4, 2, None), (2, 3, 1), (3, 3, 2)):
        Q, G = definite(rng, Q_size), definite(rng, G_size, rank) / 20
        exact = Q, G
        Q, G = Q.astype(float), G.astype(float)
        omega = ref.omega(Q, G, norm)
        for small in (1e-3, 1e-9):  # no absolute threshold on a norm
            assert math.isclose(ref.omega(small * Q, G, norm), math.sqrt(small) * omega, rel_tol=1e-13)
            assert math.isclose(ref.omega(Q, small * G, norm), omega / math.sqrt(small), rel_tol=1e-13)
        of_Q, of_G = (dense_norm(A, norm) for A in (np.kron(Q, np.eye(G_size)), np.kron(np.eye(Q_size), G)))
        assert omega > 0
        assert close(of_Q / omega, of_G * omega)  # the derivative of the bound is 0
        assert close(ref.omega_squared(Q, G, norm), of_Q / of_G)

        def of_bound(omega, of_Q=of_Q, of_G=of_G):
            return of_Q / omega + omega * of_G

        def of_residual(omega, Q=Q, G=G):
            over, under = np.kron(Q, np.eye(len(G))), np.kron(np.eye(len(Q)), G)
            return dense_norm(over / omega + omega * under, norm)

        for f in (of_bound, of_residual):
            assert (
                abs(golden_section(f, 0.01, 100.0) / omega - 1) < 1e-7
            )  # a few times the square root of the rounding error
        if norm == "trace":
            traces = [sum(A[i, i] for i in range(len(A))) for A in exact]
            squared = ref.omega_squared(*exact)
            assert type(squared) is Fraction
            assert squared == traces[0] * G_size / (traces[1] * Q_size)
            assert ref.omega(Q, G) == omega  # trace is the default
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
    """A factor with NaN has no norm, and this is an error even if the other norm is small."""
    small, unknown = np.array([[0.5]]), np.array([[np.nan]])
    for Q, G, norms in ((small, unknown, "0.5 and nan"), (unknown, small, "nan and 0.5")):
        with pytest.raises(ValueError, match=f"^Q, G: expected factors without NaN, got norms {norms}"):
            ref.omega_squared(Q, G, norm)
