"""Networks for Appendix F, drawn by Hypothesis, and exact second derivatives by dual numbers.

The networks compute with rationals and have piecewise linear transfer functions, with no unit on its kink. The
objective is (h_L - y)^T A (h_L - y) / 2 with any symmetric A = H_L: the unit matrix gives the squared error, and an A
that is not positive semi-definite breaks Lemma 1. Second derivatives are the coefficients c of numbers
r + a e + b f + c e f with e^2 = f^2 = 0, in a forward pass of loops. These numbers also have a smooth rational transfer
function, f(h) = h^2, for which every statement must fail.
"""

import contextlib
import itertools
from fractions import Fraction
from typing import NamedTuple

import kfgn_reference as ref
import numpy as np
import pytest
from hypothesis import assume, settings, strategies as st

PIECEWISE_LINEAR = ("identity", "relu", "leaky_relu")


class Dual:
    """The number r + a e + b f + c e f, where e^2 = f^2 = 0."""

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
    """h_m as a function of h_l."""
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
    """A network, its H_L = A, one datapoint, and a direction V (D_l, D_{l-1} + 1) per layer."""

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
        """The change of h_{l+1} when h_l changes by v."""
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
        """The sum of the second derivatives with respect to each weight."""
        total = 0
        for l, W in enumerate(self.net.weights, 1):
            for entry in np.ndindex(W.shape):
                V = np.zeros(W.shape, dtype=int)
                V[entry] = 1
                total += self.second_of_weights(l, V, V)
        return total


def determinant(A):
    """The determinant of A by expansion along its first row."""
    if len(A) == 0:
        return 1
    return sum((-1) ** j * a * determinant(np.delete(A[1:], j, axis=1)) for j, a in enumerate(A[0]))


def semidefinite(A):
    """True if no principal minor of A is negative."""
    D = range(len(A))
    return all(determinant(A[np.ix_(i, i)]) >= 0 for size in D for i in itertools.combinations(D, size + 1))


@contextlib.contextmanager
def quadratic(A):
    """A context in which the objective "quadratic" has H_L = A and the transfer function "square" exists."""
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
    """Networks with two or three layers of one to three units. H_L is R^T R of any rank, or any symmetric matrix."""
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


# Three layers with an H_L of rank 2. Both hidden layers have live and dead units.
GENERAL = point(
    ([[2, -1], [-1, -1], [1, 3]], [[1, -2, 1, 0], [-1, 1, -2, 3]], [[1, 2, 0], [-1, 1, 1], [3, 1, -1]]),
    ("leaky_relu", "relu"),
    [[2, 1, 1], [1, 1, 0], [1, 0, 1]],
    [2],
    [1, -2, 3],
)


# One unit per layer, E = (w_2 h_1^2 + b_2 - y)^2 / 2 with w_2 h_1^2 + b_2 = 1 at h_1 = 1. Then
# script H_1 = (2 w_2 h_1)^2 + 2 w_2 (1 - y) = 4 + 2 (1 - y) depends on y alone.
SQUARES = (([[1, 0]], [[1, 0]]), ("square",), [[1]], [1])


NEGATIVE = point(*SQUARES, [8])  # script H_1 = -10


POSITIVE = point(*SQUARES, [2])  # 2


ZERO = point(*SQUARES, [3])  # 0


# H_L is indefinite and all hidden units are dead, so all blocks except that of the last layer are 0.
DEAD = point(([[1, 0], [2, 0]], [[1, 1, 1], [1, 2, 1]]), ("relu",), [[1, 0], [0, -1]], [-1], [0, 0])


# H_3 = 1, H_2 = -10 and H_1 = 0, since the unit of layer 1 is dead. In the next network they are 1, -10 and -10.
FAILS_ABOVE = point(([[1, -2]], [[0, 1]], [[1, 0]]), ("relu", "square"), [[1]], [1], [8])


FAILS_ABOVE_AND_BELOW = point(([[1, 0]], [[1, 0]], [[1, 0]]), ("identity", "square"), [[1]], [1], [8])


FAILS_BELOW = point(([[1, 0]], [[1, 0]], [[1, 0]]), ("square", "identity"), [[1]], [1], [8])


SMOOTH = (NEGATIVE, POSITIVE, ZERO, FAILS_ABOVE, FAILS_ABOVE_AND_BELOW, FAILS_BELOW)
