"""Section 5.2, equation (27): the mixture compared with PyTorch, with many digits and with certified balls."""

import itertools
import math
from decimal import Context, Decimal, localcontext

import kfgn_reference as ref
import numpy as np
import pytest

DIGITS = Context(prec=200)
MANY_DIGITS = Context(prec=900)  # enough digits for 1 + e^-1600
TINY = np.finfo(float).tiny
LABELS = (0, 1)


def network(psd="project"):
    """A network of one layer whose outputs are its inputs."""
    return ref.Network((np.eye(3, 4),), (), "mixture", psd)


def points(scale, count=12):
    rng = np.random.default_rng(int(scale))
    return scale * rng.normal(size=(count, 3))


def decimals(h):
    return [Decimal(float(v)) for v in h]


def logistic(v):
    return 1 / (1 + (-v).exp())


def probability(h, y):
    A, C = (logistic(v if y else -v) for v in h[1:])
    return logistic(h[0]) * A + logistic(-h[0]) * C


def definition(h, y):
    """p of (27), E = -log p, dE/dh = -p' / p and H = p' p'^T / p^2 - p'' / p by their formulas, for Decimals."""

    def derivatives(v, sign):  # derivatives of logistic(v) or logistic(-v)
        s = logistic(v)
        value = s if sign > 0 else logistic(-v)
        return value, sign * s * (1 - s), sign * s * (1 - s) * (1 - 2 * s)

    s, ds, dds = derivatives(h[0], 1)
    A, dA, ddA = derivatives(h[1], 1 if y else -1)
    C, dC, ddC = derivatives(h[2], 1 if y else -1)
    p = probability(h, y)
    first = [ds * (A - C), s * dA, logistic(-h[0]) * dC]
    second = [[dds * (A - C), ds * dA, -ds * dC], [ds * dA, s * ddA, 0], [-ds * dC, 0, logistic(-h[0]) * ddC]]
    hessian = [[first[i] * first[j] / p**2 - second[i][j] / p for j in range(3)] for i in range(3)]
    return p, -p.ln(), [-v / p for v in first], hessian


def as_floats(values):
    return np.vectorize(float)(np.array(values))


def test_equation_27():
    """p by (27) as printed, with the powers y and 1 - y. The two probabilities add up to 1."""

    def sigma(v):
        return 1 / (1 + math.exp(-v))

    for h in (*points(1), *points(5), np.zeros(3), np.array([0.3, -1.1, 0.7])):
        for y in LABELS:
            first = sigma(h[0]) * sigma(h[1]) ** y * sigma(-h[1]) ** (1 - y)
            second = (1 - sigma(h[0])) * sigma(h[2]) ** y * sigma(-h[2]) ** (1 - y)
            assert ref.mixture_probability(h, y) == pytest.approx(first + second, rel=1e-14)
        assert ref.mixture_probability(h, 0) + ref.mixture_probability(h, 1) == pytest.approx(1, rel=1e-15)
    assert ref.mixture_probability(np.array([math.log(3), math.log(4), -math.log(2)]), 1) == pytest.approx(
        3 / 4 * 4 / 5 + 1 / 4 * 1 / 3, rel=1e-15
    )


def test_the_objective_is_minus_its_logarithm():
    E = ref.OBJECTIVES["mixture"].value
    for h in (*points(1), *points(4)):
        for y in LABELS:
            assert E(h, y) == pytest.approx(-math.log(ref.mixture_probability(h, y)), rel=1e-12)


def test_its_derivatives(autodiff, relative_error):
    E = ref.OBJECTIVES["mixture"]
    for h in (*points(1), *points(3), np.zeros(3)):
        for y in LABELS:
            ours, at = autodiff.error(network(), y), autodiff.preactivation(network(), h)[1]
            assert relative_error(E.value(h, y), ours(at).numpy()) < 1e-12
            assert relative_error(E.gradient(h, y), autodiff.gradient(ours, at)) < 1e-12
            assert relative_error(E.hessian(h, y), autodiff.hessian(ours, at)) < 1e-12


@pytest.mark.parametrize("y", LABELS)
def test_the_hessian_is_indefinite_everywhere(y):
    """Exactly one eigenvalue is negative and none is 0, by the determinant and the rule of Sylvester."""
    for h in (*points(0.1), *points(1), *points(5), *points(30)):
        with localcontext(DIGITS):
            H = definition(decimals(h), y)[3]
            pivots = [H[1][1], H[1][1] * H[2][2] - H[1][2] ** 2]
            determinant = (
                H[0][0] * pivots[1]
                - H[0][1] * (H[0][1] * H[2][2] - H[1][2] * H[0][2])
                + H[0][2] * (H[0][1] * H[1][2] - H[1][1] * H[0][2])
            )
            changes = np.diff(np.sign([1.0, *[math.copysign(1, v) for v in (*pivots, determinant)]]))
        assert determinant < 0
        assert np.count_nonzero(changes) == 1  # the number of negative eigenvalues
    for h in (*points(0.1), *points(1), *points(2)):
        values = np.linalg.eigvalsh(ref.OBJECTIVES["mixture"].hessian(h, y))
        assert np.sum(values < 0) == 1
        assert np.min(np.abs(values)) > 1e-12 * np.max(np.abs(values))


def test_the_hessian_at_0():
    """H_L at h = 0 is 1/16 times integers, with the eigenvalues 1/8 and +-sqrt(2)/8."""
    hessian = ref.OBJECTIVES["mixture"].hessian
    assert np.array_equal(16 * hessian(np.zeros(3), 1), [[0, -2, 2], [-2, 1, 1], [2, 1, 1]])
    assert np.array_equal(16 * hessian(np.zeros(3), 0), [[0, 2, -2], [2, 1, 1], [-2, 1, 1]])
    values = np.linalg.eigvalsh(hessian(np.zeros(3), 1))
    assert values == pytest.approx([-math.sqrt(2) / 8, 1 / 8, math.sqrt(2) / 8], rel=1e-14)


def test_project(autodiff, relative_error):
    """The projection sets the negative eigenvalue to 0 and keeps the others. At h = 0 it is known in closed form."""
    net = network("project")
    for h in (*points(1), *points(2)):
        for y in LABELS:
            H, ours = ref.OBJECTIVES["mixture"].hessian(h, y), ref.output_gauss_newton(net, h, y)
            assert relative_error(ours, autodiff.output_gauss_newton(net, autodiff.preactivation(net, h)[1], y)) < 1e-12
            assert np.linalg.eigvalsh(ours) == pytest.approx(np.maximum(np.linalg.eigvalsh(H), 0), abs=1e-15)
            root = ref.output_root(net, h, y)
            assert relative_error(root, root.T) < 1e-15
            assert relative_error(root @ root.T, ours) < 1e-13
    u, v = np.array([0, 1, 1]), np.array([math.sqrt(2), -1, 1])
    truth = np.outer(u, u) / 16 + math.sqrt(2) / 32 * np.outer(v, v)
    assert relative_error(ref.output_gauss_newton(net, np.zeros(3), 1), truth) < 1e-14


def test_scalar(relative_error):
    """psd = "scalar" gives p'(h) p'(h)^T / p^2, of rank 1, with p'(h) by central differences."""
    net = network("scalar")
    for h in (*points(1), *points(5)):
        for y in LABELS:
            with localcontext(DIGITS):
                step, at, dp = Decimal(10) ** -60, decimals(h), []
                for i in range(3):
                    ahead, back = ([v + sign * step * (i == j) for j, v in enumerate(at)] for sign in (1, -1))
                    dp.append((probability(ahead, y) - probability(back, y)) / (2 * step))
                dp = as_floats([v / probability(at, y) for v in dp])
            assert relative_error(ref.output_gauss_newton(net, h, y), np.outer(dp, dp)) < 1e-13
            root = ref.output_root(net, h, y)
            assert root.shape == (3, 1)
            assert relative_error(root @ root.T, np.outer(dp, dp)) < 1e-13


@pytest.mark.parametrize("function", ["output_gauss_newton", "output_root"])
def test_raise_and_unknown_names(function):
    message = "psd: expected project or scalar for the indefinite H_L of mixture, got 'raise'"
    with pytest.raises(ValueError, match=f"^{message}$"):
        getattr(ref, function)(network("raise"), np.zeros(3), 1)
    with pytest.raises(ValueError, match=r"^psd: expected project, scalar or raise, got 'clip'$"):
        getattr(ref, function)(network("clip"), np.zeros(3), 1)


@pytest.mark.parametrize("psd", ["project", "scalar", "raise", "clip"])
def test_other_objectives_ignore_psd(psd):
    net, h = network(psd)._replace(objective="bernoulli"), np.array([0.1, -0.5, 1.0])
    p = 1 / (1 + np.exp(-h))
    assert np.diag(ref.output_gauss_newton(net, h, h)) == pytest.approx(p * (1 - p), rel=1e-14)
    assert np.diag(ref.output_root(net, h, h)) == pytest.approx(np.sqrt(p * (1 - p)), rel=1e-14)


def test_the_hessian_of_the_network_keeps_the_true_one(make_problem, relative_error):
    """(2)-(11) and (28)-(31) keep the true H_L, also with "raise"."""
    net, X, Y = make_problem("mixture", ("tanh",), "raise")
    E = ref.OBJECTIVES["mixture"]
    for x, y in zip(X, Y, strict=True):
        H_L = E.hessian(ref.forward(net, x)[1][2], y)
        assert np.array_equal(ref.sample_preactivation_hessians(net, x, y)[2], H_L)
        last = ref.hessian_split(net, x, y)[1][-3:, -3:]  # the block of the three biases of the outputs
        assert relative_error(last, H_L) < 1e-14
    with pytest.raises(ValueError, match="indefinite"):
        ref.gauss_newton(net, X, Y)


def test_projections_come_before_the_mean(make_problem, relative_error):
    """The projection is before the mean: E[psd(H)] and not psd(E[H])."""
    net, X, Y = make_problem("mixture", ("tanh",), "project")
    hessians = [ref.OBJECTIVES["mixture"].hessian(ref.forward(net, x)[1][2], y) for x, y in zip(X, Y, strict=True)]
    truth = np.mean([ref.projection(H) for H in hessians], axis=0)
    for ours in (ref.kflr(net, X, Y), ref.kfra(net, X, Y)):
        assert relative_error(ours[2], truth) < 1e-13
        assert relative_error(ours[2], ref.projection(np.mean(hessians, axis=0))) > 1e-2


def test_draws():
    """A draw is the int 1 if u < p(1 | h), else 0. At h = 0 the probability is 1/2."""
    h = np.array([math.log(3), math.log(4), -math.log(2)])  # p = 41/60
    sample = ref.OBJECTIVES["mixture"].sample
    assert [sample(np.zeros(3), u) for u in (0.0, np.nextafter(0.5, 0), 0.5, np.nextafter(1, 0))] == [1, 1, 0, 0]
    assert [sample(h, u) for u in (0.68, 0.69)] == [1, 0]
    assert type(sample(h, 0.5)) is int
    drawn = ref.draw_labels(network(), np.stack([h, np.zeros(3)]), np.array([[0.68, 0.69, 0.5], [0.49, 0.5, 0.68]]))
    assert drawn == [[1, 0, 1], [1, 0, 0]]


# Saturated outputs. The paper trains to a loss of 1e-8.
SATURATED = [
    np.array(signs) * sizes
    for sizes in ((17.3, 24.1, 39.2), (38.9, 15.4, 21.7), (21.1, 36.4, 15.8), (18.6, 19.3, 2.2), (2.7, 18.5, 19.9))
    for signs in itertools.product((1, -1), repeat=3)
]
FAR = [
    np.array(h)
    for h in ([700.5, -690.0, 301.0], [-300.0, 705.0, -702.0], [800.0, 810.0, -790.0], [-40.0, -800.0, 300.0])
]


def assert_accurate(ours, truth, of_each, of_all):
    """Assert the error relative to each element, unless None, and to the largest. Subnormal values may be 0."""
    truth = as_floats(truth)
    error = np.abs(ours - truth)
    assert np.shape(ours) == np.shape(truth)
    assert np.max(error) <= of_all * np.max(np.abs(truth)) + TINY
    assert of_each is None or np.all(error <= of_each * np.abs(truth) + TINY)


@pytest.mark.parametrize("y", LABELS)
def test_digits_are_kept(y):
    E = ref.OBJECTIVES["mixture"]
    for h in (*SATURATED, *FAR, np.array([20.0, 20.0, 20.0]), np.array([0.0, 19.0, 19.0])):
        with localcontext(MANY_DIGITS if np.max(np.abs(h)) > 100 else DIGITS):
            p, value, gradient, hessian = definition(decimals(h), y)
        of_each = 1e-12 if h[1] != h[2] else None  # some elements are 0 up to rounding there
        assert_accurate(ref.mixture_probability(h, y), p, 1e-13, 1e-13)
        assert_accurate(E.value(h, y), value, 1e-14, 1e-14)
        assert_accurate(E.gradient(h, y), gradient, of_each, 1e-13)
        assert_accurate(E.hessian(h, y), hessian, of_each, 1e-13)


def test_the_loss_of_the_paper():
    """The loss is accurate around 1e-8, where the formula -log p loses half of its digits."""
    h = np.array([19.2, 19.3, -2.1])
    with localcontext(DIGITS):
        truth = float(definition(decimals(h), 1)[1])
    assert 5e-9 < truth < 2e-8
    assert ref.OBJECTIVES["mixture"].value(h, 1) == pytest.approx(truth, rel=1e-14, abs=0)
    assert -math.log(ref.mixture_probability(h, 1)) != pytest.approx(truth, rel=1e-10, abs=0)


@pytest.mark.parametrize("y", LABELS)
def test_balls(y):
    """At 256 bits every ball contains the truth and is small, so no float64 is in between."""
    flint = pytest.importorskip("flint")
    E = ref.OBJECTIVES["mixture"]
    precision = flint.ctx.prec
    flint.ctx.prec = 256
    try:
        for h in (*points(1, 3), *SATURATED[::5]):
            balls = np.array([flint.arb(float(v)) for v in h])
            ours = [
                ref.mixture_probability(balls, y),
                E.value(balls, y),
                *E.gradient(balls, y),
                *E.hessian(balls, y).flat,
            ]
            with localcontext(DIGITS):
                p, value, gradient, hessian = definition(decimals(h), y)
                truths = [p, value, *gradient, *itertools.chain.from_iterable(hessian)]
                for ball, truth in zip(ours, truths, strict=True):
                    assert isinstance(ball, flint.arb)
                    distance = ball - flint.arb(str(+Context(prec=200).create_decimal(truth)))
                    assert distance.contains(0)
                    assert abs(distance) < 1e-30
    finally:
        flint.ctx.prec = precision
