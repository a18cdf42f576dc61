"""Appendix F, equations (65)-(71): what Hypothesis cannot break, and what breaks where an assumption fails.

The networks it draws compute with rationals and have piecewise linear transfer functions, none of whose units is on
its kink; the objective is (h_L - y)^T A (h_L - y) / 2 with any symmetric A = H_L: the unit matrix is the squared
error, and one that is not positive semi-definite breaks Lemma 1. Derivatives are found by numbers r + a e + b f + c e f
with e^2 = f^2 = 0, in a forward pass of loops: the coefficient c is a second derivative, exact. They also take a
transfer function that is smooth and rational, f(h) = h^2, for which every statement rightly fails.
"""

import contextlib
import itertools
from fractions import Fraction
from typing import NamedTuple

import kfgn_reference as ref
import numpy as np
import pytest
from hypothesis import assume, example, given, settings, strategies as st

PIECEWISE_LINEAR = ("identity", "relu", "leaky_relu")


class Dual:
    """r + a e + b f + c e f, where e^2 = f^2 = 0."""

    def __init__(self, r, a=0, b=0, c=0):
        self.parts = (r, a, b, c)

    def __add__(self, other):
        other = other if isinstance(other, Dual) else Dual(other)
        return Dual(*[v + w for v, w in zip(self.parts, other.parts, strict=True)])

    __radd__ = __add__

    def __mul__(self, other):
        if not isinstance(other, Dual):
            return Dual(*[v * other for v in self.parts])
        (r, a, b, c), (s, d, e, f) = self.parts, other.parts
        return Dual(r * s, r * d + a * s, r * e + b * s, r * f + a * e + b * d + c * s)

    __rmul__ = __mul__


TRANSFER = {
    "identity": lambda h: h,
    "relu": lambda h: h if h.parts[0] > 0 else 0 * h,
    "leaky_relu": lambda h: h if h.parts[0] > 0 else Fraction(1, 10) * h,
    "square": lambda h: h * h,
}


def onward(net, l, h, m):
    """h_m from h_l."""
    for k in range(l, m):
        a = [*[TRANSFER[net.transfers[k - 1]](v) for v in h], Dual(1)]
        h = [sum((w * v for w, v in zip(row, a, strict=True)), Dual(0)) for row in net.weights[k]]
    return h


def error(A, h, y):
    difference = [v + (-t) for v, t in zip(h, y, strict=True)]
    D = range(len(y))
    return sum((A[i, j] * (difference[i] * difference[j]) for i in D for j in D), Dual(0)) * Fraction(1, 2)


def preactivation(net, x, l):
    h_1 = [sum((Dual(0) + w * v for w, v in zip(row, [*x, 1], strict=True)), Dual(0)) for row in net.weights[0]]
    return onward(net, 1, h_1, l)


class Point(NamedTuple):
    """A network, its H_L, one datapoint, and for each layer a direction V (D_l, D_{l-1} + 1)."""

    net: ref.Network
    A: np.ndarray
    x: np.ndarray
    y: np.ndarray
    V: dict[int, np.ndarray]

    @property
    def of(self):
        return self.net, self.x, self.y

    def preactivation(self, l, u, v):
        """h_l + u e + v f."""
        return [Dual(h.parts[0], *move) for h, *move in zip(preactivation(self.net, self.x, l), u, v, strict=True)]

    def carried_up(self, l, v):
        """How far h_{l+1} moves when h_l moves by v."""
        return [h.parts[1] for h in onward(self.net, l, self.preactivation(l, v, v), l + 1)]

    def second_of_preactivation(self, l, u, v):
        """u^T (d^2 E / dh_l^2) v."""
        h = self.preactivation(l, u, v)
        return error(self.A, onward(self.net, l, h, self.net.L), self.y).parts[3]

    def hessian(self, l):
        """script H_l."""
        units = np.eye(len(self.net.weights[l - 1]), dtype=int)
        return np.array([[self.second_of_preactivation(l, u, v) for v in units] for u in units])

    def second_of_weights(self, l, U, V):
        """vec(U)^T (d^2 E / dvec(W_l)^2) vec(V)."""
        moved = [
            [Dual(w, u, v) for w, u, v in zip(*rows, strict=True)]
            for rows in zip(self.net.weights[l - 1], U, V, strict=True)
        ]
        weights = list(self.net.weights)
        weights[l - 1] = np.array(moved, dtype=object)
        net = self.net._replace(weights=tuple(weights))
        return error(self.A, preactivation(net, self.x, net.L), self.y).parts[3]

    def trace(self):
        """The sum of the second derivatives by every single weight."""
        total = 0
        for l, W in enumerate(self.net.weights, 1):
            for entry in np.ndindex(W.shape):
                V = np.zeros(W.shape, dtype=int)
                V[entry] = 1
                total += self.second_of_weights(l, V, V)
        return total


def determinant(A):
    """By its first row."""
    if len(A) == 0:
        return 1
    return sum((-1) ** j * a * determinant(np.delete(A[1:], j, axis=1)) for j, a in enumerate(A[0]))


def semidefinite(A):
    """No principal minor is negative."""
    D = range(len(A))
    return all(determinant(A[np.ix_(i, i)]) >= 0 for size in D for i in itertools.combinations(D, size + 1))


@contextlib.contextmanager
def quadratic(A):
    """The objective "quadratic" with H_L = A."""
    functions = ref.Objective(
        value=lambda h, y: (h - y) @ A @ (h - y) / 2,
        gradient=lambda h, y: A @ (h - y),
        hessian=lambda h, y: A,
        root=None,
        sample=lambda h, draw: pytest.fail("nobody draws labels"),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(ref.OBJECTIVES, "quadratic", functions)
        patch.setitem(ref.TRANSFERS, "square", ref.Transfer(lambda h: h * h, lambda h: 2 * h, lambda h: 2 + 0 * h))
        yield


def exactly(values):
    return np.frompyfunc(Fraction, 1, 1)(np.array(values, dtype=object))


def point(weights, transfers, A, x, y):
    net = ref.Network(tuple(map(exactly, weights)), transfers, "quadratic", "raise")
    V = {l: exactly(np.arange(W.size).reshape(W.shape) * 3 % 7 - 2) for l, W in enumerate(net.weights, 1)}
    return Point(net, exactly(A), exactly(x), exactly(y), V)


rationals = st.builds(Fraction, st.integers(-6, 6), st.integers(1, 3))


def arrays(*shape):
    size = int(np.prod(shape))
    return st.lists(rationals, min_size=size, max_size=size).map(lambda v: np.array(v, dtype=object).reshape(shape))


@st.composite
def points(draw, definite):
    """Two or three layers of one to three units. definite: H_L = R^T R of any rank, and else any symmetric H_L."""
    L = draw(st.integers(2, 3))
    widths = draw(st.lists(st.integers(1, 3), min_size=L + 1, max_size=L + 1))
    weights = tuple(draw(arrays(D, below + 1)) for below, D in itertools.pairwise(widths))
    transfers = tuple(draw(st.lists(st.sampled_from(PIECEWISE_LINEAR), min_size=L - 1, max_size=L - 1)))
    R = draw(arrays(widths[-1], widths[-1]))
    x, y = draw(arrays(widths[0])), draw(arrays(widths[-1]))
    net = ref.Network(weights, transfers, "quadratic", "raise")
    for l in range(1, L):
        assume(all(v.parts[0] != 0 for v in preactivation(net, x, l)))
    V = {l: draw(arrays(*W.shape)) for l, W in enumerate(weights, 1)}
    return Point(net, R.T @ R if definite else R + R.T, x, y, V)


EXAMPLES = settings(deadline=None)
any_point = points(definite=True) | points(definite=False)

# Three layers, of which the hidden ones have both live and dead units, and an H_L of rank 2.
GENERAL = point(
    ([[2, -1], [-1, -1], [1, 3]], [[1, -2, 1, 0], [-1, 1, -2, 3]], [[1, 2, 0], [-1, 1, 1], [3, 1, -1]]),
    ("leaky_relu", "relu"),
    [[2, 1, 1], [1, 1, 0], [1, 0, 1]],
    [2],
    [1, -2, 3],
)
# One unit in each layer, E = (w_2 h_1^2 + b_2 - y)^2 / 2 with w_2 h_1^2 + b_2 = 1 at h_1 = 1: by y alone
# script H_1 = (2 w_2 h_1)^2 + 2 w_2 (1 - y) is 4 + 2 (1 - y).
SQUARES = (([[1, 0]], [[1, 0]]), ("square",), [[1]], [1])
BENT_DOWN = point(*SQUARES, [8])  # script H_1 = -10
BENT_UP = point(*SQUARES, [2])  # 2
FLAT = point(*SQUARES, [3])  # 0
# The last layer's H_L is indefinite and the units below are dead, so that all blocks but one are 0.
DEAD = point(([[1, 0], [2, 0]], [[1, 1, 1], [1, 2, 1]]), ("relu",), [[1, 0], [0, -1]], [-1], [0, 0])
# Of H_3 = 1, H_2 = -10 and H_1, which is 0 as no unit lives below, then 1, -10 and -10.
BREAKS_ABOVE = point(([[1, -2]], [[0, 1]], [[1, 0]]), ("relu", "square"), [[1]], [1], [8])
BREAKS_ABOVE_AND_GOES_ON = point(([[1, 0]], [[1, 0]], [[1, 0]]), ("identity", "square"), [[1]], [1], [8])
BREAKS_BELOW = point(([[1, 0]], [[1, 0]], [[1, 0]]), ("square", "identity"), [[1]], [1], [8])
SMOOTH = (BENT_DOWN, BENT_UP, FLAT, BREAKS_ABOVE, BREAKS_ABOVE_AND_GOES_ON, BREAKS_BELOW)


def curvings(p, l):
    """f'' dE/da_l for each unit of the layer, of a network of squares and linear ones; f'' is 2 or 0."""
    if p.net.transfers[l - 1] != "square":
        return [0] * len(p.net.weights[l - 1])
    slopes = []
    for k in range(len(p.net.weights[l - 1])):
        a = [TRANSFER[p.net.transfers[l - 1]](v) for v in preactivation(p.net, p.x, l)]
        a[k] = a[k] + Dual(0, 1)
        row = [sum((w * v for w, v in zip(W, [*a, Dual(1)], strict=True)), Dual(0)) for W in p.net.weights[l]]
        slopes.append(error(p.A, onward(p.net, l + 1, row, p.net.L), p.y).parts[1])
    return [2 * slope for slope in slopes]


# Lemma 1


@EXAMPLES
@given(any_point)
@example(GENERAL)
@example(DEAD)
def test_equation_65(p):
    """The blocks are second derivatives of E, and semi-definite if H_L is, and only then: that of W_L is Q kron H_L."""
    with quadratic(p.A):
        verdict = ref.lemma_1(*p.of)
        assert verdict is semidefinite(p.A)
        blocks = ref.sample_hessian_blocks(*p.of)
    for l, V in p.V.items():
        form = p.second_of_weights(l, V, V)
        v = list(V.T.flatten())
        assert sum(v[i] * blocks[l][i, j] * v[j] for i in range(len(v)) for j in range(len(v))) == form
        assert form >= 0 or not verdict


@EXAMPLES
@given(any_point)
@example(GENERAL)
def test_equation_66(p):
    """The recursion (8) has no second term, layers 1, ..., L - 1, and gives d^2 E / dh_l^2."""
    with quadratic(p.A):
        ours, recursion = ref.recursion_without_second_term(*p.of), ref.sample_preactivation_hessians(*p.of)
    assert list(ours) == list(range(1, p.net.L))
    for l in ours:
        assert ours[l].tolist() == recursion[l].tolist() == p.hessian(l).tolist()


@pytest.mark.parametrize("p", SMOOTH)
def test_equation_66_of_smooth_transfer_functions(p):
    """What is missing is D_l, f'' dE/da_l."""
    with quadratic(p.A):
        ours = ref.recursion_without_second_term(*p.of)
    for l in ours:
        assert ours[l].tolist() == (p.hessian(l) - np.diag(curvings(p, l))).tolist()


@EXAMPLES
@given(any_point)
@example(GENERAL)
@example(BREAKS_BELOW)
def test_equation_67(p):
    """How far h_{l+1} moves when h_l moves by v, of any transfer function."""
    for l in range(1, p.net.L):
        v = p.V[l][:, 0]
        with quadratic(p.A):
            assert ref.carried_up(p.net, p.x, l, v).tolist() == p.carried_up(l, v)


@EXAMPLES
@given(any_point)
@example(GENERAL)
def test_equation_68(p):
    for l in range(1, p.net.L):
        v = p.V[l][:, 0]
        above, truth = p.carried_up(l, v), p.second_of_preactivation(l, v, v)
        with quadratic(p.A):
            assert ref.quadratic_forms(*p.of, l, v) == (truth, truth)
        assert p.second_of_preactivation(l + 1, above, above) == truth


@pytest.mark.parametrize("p", SMOOTH)
def test_equation_68_of_smooth_transfer_functions(p):
    """The first form has the sum of f'' dE/da_l v^2 over the units, and the second has not."""
    for l in range(1, p.net.L):
        v = exactly([3] * len(p.net.weights[l - 1]))
        truth = p.second_of_preactivation(l, v, v)
        with quadratic(p.A):
            assert ref.quadratic_forms(*p.of, l, v) == (truth, truth - 9 * sum(curvings(p, l)))


@EXAMPLES
@given(any_point)
@example(GENERAL)
@example(DEAD)
def test_equation_69(p):
    """Whether or not H_L is semi-definite."""
    H = [semidefinite(p.hessian(l)) for l in range(1, p.net.L + 1)]
    assert all(below or not above for below, above in itertools.pairwise(H))
    with quadratic(p.A):
        assert ref.definiteness_is_inherited(*p.of) is True


@pytest.mark.parametrize(
    ("p", "H", "inherited", "semidefinite_blocks"),
    [
        (BENT_DOWN, [-10, 1], False, False),
        (BENT_UP, [2, 1], True, True),
        (FLAT, [0, 1], True, True),
        (BREAKS_ABOVE, [0, -10, 1], False, False),
        (BREAKS_ABOVE_AND_GOES_ON, [-10, -10, 1], False, False),
        (BREAKS_BELOW, [-10, 1, 1], False, False),
        (BREAKS_BELOW._replace(A=exactly([[-1]])), [10, -1, -1], True, False),
    ],
    ids=["down", "up", "flat", "above", "above-and-on", "below", "concave"],
)
def test_equations_65_and_69_of_smooth_transfer_functions(p, H, inherited, semidefinite_blocks):
    """Each step is one from above to below: where script H_l turns negative, and from a negative one to anything."""
    assert [p.hessian(l).item() for l in range(1, p.net.L + 1)] == H
    with quadratic(p.A):
        assert ref.definiteness_is_inherited(*p.of) is inherited
        assert ref.lemma_1(*p.of) is semidefinite_blocks


@st.composite
def matrices_of_one_layer(draw):
    """a with the unit (D_{l-1} + 1,), script H_l and V."""
    D, below = draw(st.integers(1, 3)), draw(st.integers(1, 4))
    return draw(arrays(below)), draw(arrays(D, D)), draw(arrays(D, below))


@EXAMPLES
@given(matrices_of_one_layer())
@example((exactly([2, -1, 1]), exactly([[1, 2], [-3, 5]]), exactly([[1, -2, 3], [4, 0, -1]])))
def test_equation_70(matrices):
    """Five times sum_{ijpq} V_ip a_p H_ij V_jq a_q, for any H, symmetric or not."""
    a, H, V = matrices
    rows, columns = map(range, V.shape)
    truth = sum(
        V[i, p] * a[p] * H[i, j] * V[j, q] * a[q] for i, j, p, q in itertools.product(rows, rows, columns, columns)
    )
    assert ref.quadratic_form_of_block(a, H, V) == (truth,) * 5


@EXAMPLES
@given(any_point)
@example(GENERAL)
def test_equation_70_of_a_network(p):
    """With a_{l-1} and its unit, the form of the Hessian's block of W_l."""
    with quadratic(p.A):
        a, H = ref.forward(p.net, p.x)[0], ref.sample_preactivation_hessians(*p.of)
    for l, V in p.V.items():
        truth = p.second_of_weights(l, V, V)
        assert ref.quadratic_form_of_block(ref.append_unit(a[l - 1]), H[l], V) == (truth,) * 5


# Lemma 2


@EXAMPLES
@given(any_point)
@example(GENERAL)
@example(BREAKS_BELOW)
@example(FLAT._replace(A=exactly([[0]])))
def test_equation_71(p):
    """The trace, by the second derivatives by every weight, is that of the blocks for any transfer function.

    It is not negative, and so Lemma 2 true, wherever Lemma 1 is; Lemma 2 may be true where that is not.
    """
    truth = p.trace()
    with quadratic(p.A):
        assert ref.traces(*p.of) == (truth, truth)
        assert ref.lemma_2(*p.of) is bool(truth >= 0)
        assert truth >= 0 or not ref.lemma_1(*p.of)


@pytest.mark.parametrize(
    ("p", "trace", "lemma_1"),
    [
        (BENT_DOWN, 2 - 10 * 2, False),
        (BENT_UP, 2 + 2 * 2, True),
        (point(*SQUARES, [4]), 2 - 2 * 2, False),
        (point(*SQUARES, [Fraction(7, 2)]), 2 - 1 * 2, False),  # 0
        (FLAT._replace(A=exactly([[0]])), 0, True),
        (DEAD, 0, False),
    ],
    ids=["down", "up", "lower", "zero", "constant", "dead"],
)
def test_equation_71_by_hand(p, trace, lemma_1):
    """(w_2, b_2) has the block H_2 (1, 1; 1, 1), and (w_1, b_1) likewise with H_1: their traces are twice these."""
    with quadratic(p.A):
        assert ref.traces(*p.of) == (trace, trace)
        assert ref.lemma_2(*p.of) is (trace >= 0)
        assert ref.lemma_1(*p.of) is lemma_1


@pytest.mark.parametrize("objective", ["squared_error", "bernoulli", "categorical", "mixture"])
def test_equation_71_by_autodiff(objective, make_problem, autodiff):
    net, X, Y = make_problem(objective, ("softplus",), N=2)
    for x, y in zip(X, Y, strict=True):
        E, h_L, at = autodiff.error(net, y), autodiff.output(net, x), autodiff.theta(net)
        truth = np.trace(autodiff.hessian(lambda at, E=E, h_L=h_L: E(h_L(at)), at))
        assert np.max(np.abs(np.array(ref.traces(net, x, y)) - truth)) < 1e-12 * abs(truth)
        assert ref.lemma_2(net, x, y) is bool(truth >= 0)


@EXAMPLES
@given(any_point)
@example(GENERAL)
def test_midpoint(p):
    """(E(W_l + V) + E(W_l - V)) / 2 - E(W_l) is half the form of the block: V is small, and no unit crosses a kink."""
    for l, V in p.V.items():
        with quadratic(p.A):
            gap = ref.midpoint_gap(p.net, p.x[None], p.y[None], l, V / 10**9)
        assert gap == p.second_of_weights(l, V, V) / 10**18 / 2
        assert gap >= 0 or not semidefinite(p.A)


def test_midpoint_of_a_batch(make_rational_problem):
    """The mean over the datapoints, each with half the form of its block."""
    net, X, Y = make_rational_problem(("leaky_relu", "relu"))
    identity = exactly(np.eye(3, dtype=int))
    for l, W in enumerate(net.weights, 1):
        V = exactly(np.arange(W.size).reshape(W.shape) % 5 - 2) / 10**9
        forms = [Point(net, identity, x, y, {}).second_of_weights(l, V, V) for x, y in zip(X, Y, strict=True)]
        gap = ref.midpoint_gap(net, X, Y, l, V)
        assert gap == sum(forms) / 2 / len(X)
        assert gap > 0


def test_midpoint_of_smooth_transfer_functions():
    """The point between is higher than both: by every direction V of (w_1, b_1) with h_1 + V, h_1 - V."""
    V = exactly([[Fraction(1, 100), 0]])
    with quadratic(BENT_DOWN.A):
        gap = ref.midpoint_gap(BENT_DOWN.net, BENT_DOWN.x[None], BENT_DOWN.y[None], 1, V)
    ends = [(Fraction(100 + sign, 100) ** 2 - 8) ** 2 / 2 for sign in (1, -1)]
    assert gap == sum(ends) / 2 - Fraction(49, 2) < 0


# In floating point


@pytest.mark.parametrize("transfers", [("relu",), ("leaky_relu",), ("identity", "leaky_relu"), ("leaky_relu", "relu")])
@pytest.mark.parametrize("objective", ["squared_error", "bernoulli", "categorical"])
def test_lemma_1_in_floating_point(objective, transfers, make_problem):
    """No eigenvalue of a block is negative, but for rounding, and the points between are not higher."""
    net, X, Y = make_problem(objective, transfers)
    for x, y in zip(X, Y, strict=True):
        for H in ref.sample_hessian_blocks(net, x, y).values():
            values = np.linalg.eigvalsh(H)
            assert values[0] >= -1e-12 * values[-1]
            assert values[-1] > 0
        assert ref.lemma_2(net, x, y)
    rng = np.random.default_rng(5)
    for l, W in enumerate(net.weights, 1):
        V = rng.normal(size=W.shape) * 1e-4
        assert ref.midpoint_gap(net, X, Y, l, V) > 0


@pytest.mark.parametrize("transfers", [(), ("identity",), ("leaky_relu",)])
def test_the_mixture_does_not_meet_the_assumption(transfers, make_problem):
    """H_L has a negative eigenvalue, and so has the block of W_L, for every datapoint."""
    net, X, Y = make_problem("mixture", transfers)
    for x, y in zip(X, Y, strict=True):
        values = np.linalg.eigvalsh(ref.sample_hessian_blocks(net, x, y)[net.L])
        assert values[0] < -1e-3 * values[-1]
        assert ref.lemma_1(net, x, y) is False


def test_tanh():
    """One unit in each layer, E = (2 tanh(w_1 + b_1) - y)^2 / 2 at h_1 = 1, where E has a strict maximum in h_1.

    With t = tanh(1), script H_1 = 4 (1 - t^2)^2 - 4 t (1 - t^2) (2 t - y) is negative at y = 0, and 4 (1 - t^2)^2 is
    what (66) gives. The block of (w_1, b_1) is script H_1 (1, 1; 1, 1), that of (w_2, b_2) is (t^2, t; t, 1).
    """
    net = ref.Network((np.array([[1.0, 0.0]]), np.array([[2.0, 0.0]])), ("tanh",), "squared_error")
    x, y, t = np.array([1.0]), np.array([0.0]), np.tanh(1)
    H_1 = 4 * (1 - t**2) ** 2 - 4 * t * (1 - t**2) * (2 * t)
    assert H_1 < -1
    assert ref.lemma_1(net, x, y) is False
    assert ref.definiteness_is_inherited(net, x, y) is False
    assert abs(ref.recursion_without_second_term(net, x, y)[1].item() - 4 * (1 - t**2) ** 2) < 1e-14
    forms = ref.quadratic_forms(net, x, y, 1, np.array([1.0]))
    assert abs(forms[0] - H_1) < 1e-14
    assert abs(forms[1] - 4 * (1 - t**2) ** 2) < 1e-14
    assert abs(ref.carried_up(net, x, 1, np.array([3.0])).item() - 6 * (1 - t**2)) < 1e-14
    trace = 2 * H_1 + t**2 + 1
    assert np.max(np.abs(np.array(ref.traces(net, x, y)) - trace)) < 1e-14
    assert trace < 0
    assert ref.lemma_2(net, x, y) is False
    gap = ref.midpoint_gap(net, x[None], y[None], 1, np.array([[0.125, 0.0]]))
    ends = [(2 * np.tanh(1 + move)) ** 2 / 2 for move in (0.125, -0.125)]
    assert abs(gap - (sum(ends) / 2 - (2 * t) ** 2 / 2)) < 1e-14
    assert gap < -1e-3


def test_tanh_where_nothing_fails():
    """y = 4: dE/da is negative, and f'' with it."""
    net = ref.Network((np.array([[1.0, 0.0]]), np.array([[2.0, 0.0]])), ("tanh",), "squared_error")
    x, y = np.array([1.0]), np.array([4.0])
    assert ref.definiteness_is_inherited(net, x, y) is True
    assert ref.lemma_2(net, x, y) is True


@EXAMPLES
@given(st.integers(1, 3).flatmap(lambda D: arrays(D, D)), st.booleans())
@example(exactly([[0, 0], [0, 1]]), True)
@example(exactly([[0, 1], [1, 5]]) / 2, False)
@example(exactly([[0, 0, 0], [0, 0, 1], [0, 1, 0]]) / 2, False)
def test_is_positive_semidefinite(R, definite):
    A = R.T @ R if definite else R + R.T
    assert ref.is_positive_semidefinite(A) is semidefinite(A)
    assert semidefinite(A) or not definite
