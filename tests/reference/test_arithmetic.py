"""The functions compute in the arithmetic of their arguments: on rationals, exactly.

With piecewise linear transfer functions and the squared error, E is a quadratic function of one W_l as long as no
unit crosses its kink. Difference quotients are then exact derivatives.
"""

import itertools
from fractions import Fraction

import kfgn_reference as ref
import numpy as np
import pytest
from kfgn_reference import _arithmetic, _objectives

CHAINS = (("relu",), ("identity", "leaky_relu"), ("leaky_relu", "relu", "identity"))
WIDTHS = (5, 3, 4, 2, 3)
STEP = Fraction(1, 10**9)  # smaller than the distance to any kink, as the tests check

ON_THE_BATCH = {
    "loss": lambda net, X, Y: {1: np.array([ref.loss(net, X, Y)])},
    "gradient": ref.gradient,
    "hessian_blocks": ref.hessian_blocks,
    "gauss_newton_blocks": ref.gauss_newton_blocks,
    "expected_q": lambda net, X, _: ref.expected_q(net, X),
    "kflr": ref.kflr,
    "kfra": ref.kfra,
    "kfac": lambda net, X, Y: ref.kfac(net, X, [(y, 3 * y[::-1]) for y in Y]),
    "factored_blocks": lambda net, X, Y: ref.factored_blocks(ref.expected_q(net, X), ref.kflr(net, X, Y)),
    "gauss_newton": lambda net, X, Y: {1: ref.gauss_newton(net, X, Y)},
    "gauss_newton_between": ref.gauss_newton_between,
    "gauss_newton_product": lambda net, X, Y: ref.gauss_newton_product(net, X, Y, own_weights(net)),
    "factored_between": ref.factored_between,
    "hessian_product": lambda net, X, Y: ref.hessian_product(net, X, Y, own_weights(net)),
}
ON_A_DATAPOINT = {
    "forward": lambda net, x, _: ref.forward(net, x)[1],
    "jacobians": lambda net, x, _: ref.jacobians(net, x),
    "derivation": lambda net, x, y: dict(enumerate(ref.derivation(net, x, y, 1))),
    "elementwise_second_derivative_matrix": lambda net, x, y: {
        1: ref.elementwise_second_derivative_matrix(net, x, y, 1)
    },
    "elementwise_derivative_matrix": lambda net, x, _: {1: ref.elementwise_derivative_matrix(net, x, 1)},
    "hessian_split": lambda net, x, y: dict(enumerate(ref.hessian_split(net, x, y))),
    "jacobian_product": lambda net, x, _: {1: ref.jacobian_product(net, x, own_weights(net))},
    "mixed_derivatives": lambda net, x, y: {1: ref.mixed_derivatives(net, x, y, 2, 1)},
    "transposed_jacobian_product": lambda net, x, y: ref.transposed_jacobian_product(net, x, y),
    "sample_gauss_newton": lambda net, x, y: {1: ref.sample_gauss_newton(net, x, y)},
    "sample_q": lambda net, x, _: ref.sample_q(net, x),
    **{
        name: getattr(ref, name)
        for name in (
            "backpropagate",
            "sample_gauss_newton_blocks",
            "sample_gradient",
            "sample_hessian_elements",
            "sample_preactivation_gauss_newton_between",
            "sample_hessian_blocks",
            "sample_preactivation_gauss_newton",
            "sample_preactivation_hessians",
            "sample_roots",
        )
    },
}


def own_weights(net):
    """A direction: the weights themselves."""
    return dict(enumerate(net.weights, 1))


def rational_problem(transfers, N, denominator):
    """A problem of Fractions that are multiples of 1 / denominator."""
    rng = np.random.default_rng(7)
    widths = WIDTHS[-len(transfers) - 2 :]

    def numbers(*shape):
        return np.frompyfunc(lambda k: Fraction(int(k), denominator), 1, 1)(rng.integers(-9, 10, size=shape))

    weights = tuple(numbers(width, below + 1) for below, width in itertools.pairwise(widths))
    problem = ref.Network(weights, transfers, "squared_error"), numbers(N, widths[0]), numbers(N, widths[-1])
    assert all(np.all(ref.forward(problem[0], x)[1][l] != 0) for x in problem[1] for l in range(1, len(weights)))
    return problem


def as_float(problem):
    net, X, Y = problem
    return net._replace(weights=tuple(W.astype(float) for W in net.weights)), X.astype(float), Y.astype(float)


@pytest.mark.parametrize("transfers", CHAINS)
@pytest.mark.parametrize("name", ON_THE_BATCH)
def test_rationals_stay_rational(name, transfers):
    """Every result is rational. N = 3, so a mean in float64 would round, and one float makes a result a float."""
    result = ON_THE_BATCH[name](*rational_problem(transfers, N=3, denominator=7))
    assert {type(value) for l in result for value in result[l].flat} == {Fraction}


@pytest.mark.parametrize("transfers", CHAINS)
@pytest.mark.parametrize("name", ON_A_DATAPOINT)
def test_one_datapoint_stays_rational(name, transfers):
    """Every result is rational, or an integer off a diagonal, which is exact too."""
    net, X, Y = rational_problem(transfers, N=1, denominator=7)
    result = ON_A_DATAPOINT[name](net, X[0], Y[0])
    assert {type(value) for l in result for value in result[l].flat} <= {Fraction, int}


@pytest.mark.parametrize("transfers", [("relu",), ("identity", "relu"), ("relu", "identity")])
@pytest.mark.parametrize("name", ON_THE_BATCH)
def test_dyadic_numbers_have_the_same_bits(name, transfers):
    """Sums and products of few bits, divided by N = 4, are also exact in float64."""
    problem = rational_problem(transfers, N=4, denominator=8)
    exact, rounded = ON_THE_BATCH[name](*problem), ON_THE_BATCH[name](*as_float(problem))
    for l in exact:
        assert rounded[l].dtype == np.float64
        assert [Fraction(value) for value in rounded[l].flat] == list(exact[l].flat)


@pytest.mark.parametrize("name", ON_THE_BATCH)
def test_floats_round_the_rationals(name, relative_error):
    problem = rational_problem(CHAINS[-1], N=3, denominator=7)
    exact, rounded = ON_THE_BATCH[name](*problem), ON_THE_BATCH[name](*as_float(problem))
    assert relative_error(rounded, {l: exact[l].astype(float) for l in exact}) < 1e-13


def moved(problem, l, entries):
    """The loss with multiples of STEP added to at most two entries of W_l."""
    net, X, Y = problem
    W = net.weights[l - 1].copy()
    for entry, sign in entries:
        W[entry] += sign * STEP
    there = net._replace(weights=(*net.weights[: l - 1], W, *net.weights[l:]))
    for x in X:
        before, after = ref.forward(net, x)[1], ref.forward(there, x)[1]
        assert all(np.array_equal(before[k] > 0, after[k] > 0) for k in range(1, net.L))
    return ref.loss(there, X, Y)


@pytest.mark.parametrize("transfers", CHAINS)
def test_difference_quotients(transfers):
    """The gradient, and one column of each Hessian block (7), which is (16) here, are exact difference quotients."""
    problem = rational_problem(transfers, N=3, denominator=7)
    gradient, H, G = ref.gradient(*problem), ref.hessian_blocks(*problem), ref.gauss_newton_blocks(*problem)
    for l, g in gradient.items():
        columns = [(a, b) for b in range(g.shape[1]) for a in range(g.shape[0])]
        first = [(moved(problem, l, [(i, 1)]) - moved(problem, l, [(i, -1)])) / (2 * STEP) for i in columns]
        assert first == [g[i] for i in columns]
        j = int(np.argmax(np.diag(G[l])))  # the column of a live unit
        second = [
            sum(s * t * moved(problem, l, [(i, s), (columns[j], t)]) for s in (1, -1) for t in (1, -1)) / (4 * STEP**2)
            for i in columns
        ]
        assert any(first)
        assert any(second)
        assert second == list(H[l][:, j]) == list(G[l][:, j])


def test_the_constants_are_exact():
    """Constants are no floats next to rationals, since 0.0 times a Fraction is a float, or int64 next to float32."""
    v = np.array([Fraction(1, 3), Fraction(1, 7), Fraction(11, 21)])
    assert _arithmetic.off_diagonal(v).tolist() == [[0, 1, 1], [1, 0, 1], [1, 1, 0]]
    assert _arithmetic.diagonal(v).tolist() == [[v[0], 0, 0], [0, v[1], 0], [0, 0, v[2]]]
    for matrix in (_arithmetic.off_diagonal(v), _arithmetic.off_diagonal(v.astype(float))):
        assert matrix.dtype == bool
    for constant in (_arithmetic.off_diagonal, _arithmetic.diagonal):
        assert (constant(v.astype(np.float32)) * np.float32(2)).dtype == np.float32
    rest = _objectives.others(v)
    assert rest.tolist() == [Fraction(2, 3), Fraction(6, 7), Fraction(10, 21)]
    assert {type(value) for value in (*rest, *_arithmetic.diagonal(v).flat)} == {Fraction}


@pytest.mark.parametrize("name", ["bernoulli", "categorical", "mixture"])
def test_objectives_stay_balls(name):
    """Objectives that are not rational compute in balls: E, dE/dh_L, H_L and the root are balls of 200 bits."""
    flint = pytest.importorskip("flint")
    precision = flint.ctx.prec
    flint.ctx.prec = 200
    try:
        h = np.array([flint.arb(1) / 3, flint.arb(-2) / 7, flint.arb(5) / 11])
        y = {"bernoulli": np.array([flint.arb(1), flint.arb(0), flint.arb(1) / 3]), "categorical": 2, "mixture": 1}[
            name
        ]
        E = ref.OBJECTIVES[name]
        results = [np.array([E.value(h, y)]), E.gradient(h, y), E.hessian(h, y)]
        results += [] if E.root is None else [E.root(h, y)]
        for result in results:
            assert {type(value) for value in result.flat} == {flint.arb}
            assert all(value.rad() < 1e-55 for value in result.flat)
    finally:
        flint.ctx.prec = precision
