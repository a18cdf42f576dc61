"""Transfer functions and objectives far from 0 are finite and have full relative accuracy, by 900 digits.

900 digits are enough for 1 + e^-800. A value below the smallest normal float64 may be rounded to 0.
"""

from decimal import Context, Decimal, localcontext
from functools import cache

import numpy as np
import pytest
from kfgn_reference import OBJECTIVES, TRANSFERS

DIGITS = Context(prec=900, Emin=-(10**9), Emax=10**9)
ROUNDOFF = 2.0**-53
FAR = (1, 5, 20, 40, 300, 700, 800)
TINY = np.finfo(float).tiny


@pytest.fixture(autouse=True)
def digits():
    with localcontext(DIGITS):
        yield


@cache
def logistic(h):
    return 1 / (1 + (-h).exp())


def tanh(h):
    return 2 * logistic(2 * h) - 1


def arctangent(n):
    """The arctangent of 1 / n, by its series."""
    total, term, k = Decimal(0), 1 / Decimal(n), 1
    while abs(term) > Decimal(10) ** -DIGITS.prec:
        total, term, k = total + term / k, -term / n**2, k + 2
    return total


@cache
def pi():
    """Machin's formula."""
    return 4 * (4 * arctangent(5) - arctangent(239))


@cache
def density(h):
    """e^(-h^2 / 2) / sqrt(2 pi)."""
    return (-h * h / 2).exp() / (2 * pi()).sqrt()


@cache
def distribution(h):
    """Phi(h): for h < 0 by its continued fraction, whose steps from the end are h + k / (h + ...)."""
    if h > 0:
        return 1 - distribution(-h)
    tail = -h
    for k in range(2000, 0, -1):
        tail = -h + k / tail
    return density(h) / tail


CUBIC = Decimal("0.044715")


def argument(h):
    return (8 / pi()).sqrt() * (h + CUBIC * h**3)


def argument_derivative(h):
    return (8 / pi()).sqrt() * (1 + 3 * CUBIC * h**2)


def logistic_first(h):
    return logistic(h) * logistic(-h)


def logistic_second(h):
    return logistic_first(h) * (1 - 2 * logistic(h))


def gelu_tanh_second(h):
    v, first, second = argument(h), argument_derivative(h), (8 / pi()).sqrt() * 6 * CUBIC * h
    return (2 * first + h * second) * logistic_first(v) + h * first**2 * logistic_second(v)


DEFINITIONS = {
    "identity": (lambda h: h, lambda h: Decimal(1), lambda h: Decimal(0)),
    "relu": (lambda h: max(h, 0), lambda h: Decimal(h > 0), lambda h: Decimal(0)),
    "leaky_relu": (lambda h: max(h / 10, h), lambda h: Decimal(1) if h > 0 else 1 / Decimal(10), lambda h: Decimal(0)),
    "tanh": (tanh, lambda h: 1 - tanh(h) ** 2, lambda h: -2 * tanh(h) * (1 - tanh(h) ** 2)),
    "logistic": (
        logistic,
        lambda h: logistic(h) * (1 - logistic(h)),
        lambda h: logistic(h) * (1 - logistic(h)) * (1 - 2 * logistic(h)),
    ),
    "softplus": (lambda h: (1 + h.exp()).ln(), logistic, lambda h: logistic(h) * (1 - logistic(h))),
    "elu": (
        lambda h: h if h > 0 else h.exp() - 1,
        lambda h: Decimal(1) if h > 0 else h.exp(),
        lambda h: Decimal(0) if h > 0 else h.exp(),
    ),
    "silu": (
        lambda h: h * logistic(h),
        lambda h: logistic(h) + h * logistic_first(h),
        lambda h: 2 * logistic_first(h) + h * logistic_second(h),
    ),
    "gelu": (
        lambda h: h * distribution(h),
        lambda h: distribution(h) + h * density(h),
        lambda h: (2 - h * h) * density(h),
    ),
    "gelu_tanh": (
        lambda h: h * logistic(argument(h)),
        lambda h: logistic(argument(h)) + h * argument_derivative(h) * logistic_first(argument(h)),
        gelu_tanh_second,
    ),
}


def assert_accurate(ours, truth, tolerance=1e-14):
    """Assert the error relative to each entry, and not to the largest."""
    truth = np.vectorize(float)(truth)
    assert ours.shape == truth.shape
    assert np.all(np.isfinite(ours))
    assert np.all(np.abs(ours - truth) <= tolerance * np.abs(truth) + TINY)


@pytest.mark.parametrize("name", TRANSFERS)
def test_transfer_functions(name):
    h = np.array([sign * float(size) for size in FAR for sign in (-1, 1)])
    for ours, definition in zip(TRANSFERS[name], DEFINITIONS[name], strict=True):
        truth = np.array([definition(Decimal(value)) for value in h])
        assert_accurate(ours(h), truth, 1e-14 + rounded_exponent(truth) * (name in ("gelu", "gelu_tanh")))


def rounded_exponent(truth):
    """The relative error of e^x for an x that is rounded four times, from the logarithm of the size of the result."""
    return np.array([4 * ROUNDOFF * abs(float(abs(value).ln())) if value else 0 for value in truth])


def test_the_left_tail_of_gelu_keeps_its_digits():
    """1 + erf(h / sqrt 2) is 0 below -8.3, and 1 + tanh cancels too."""
    for name in ("gelu", "gelu_tanh"):
        for ours in TRANSFERS[name]:
            assert np.all(ours(np.array([-5.5, -9.0, -9.5])) < 0)


def softmax(h):
    e = [value.exp() for value in h]
    return [value / sum(e) for value in e]


def bernoulli(h, y):
    """E, dE/dh_L and H_L of the Bernoulli loss by their definitions."""
    p = [logistic(value) for value in h]
    value = -sum(t * q.ln() + (1 - t) * (1 - q).ln() for q, t in zip(p, y, strict=True))
    return value, [q - t for q, t in zip(p, y, strict=True)], np.diag([q * (1 - q) for q in p])


def categorical(h, y):
    p = softmax(h)
    i = range(len(h))
    return -p[y].ln(), [p[a] - (a == y) for a in i], [[p[a] * ((a == b) - p[b]) for b in i] for a in i]


OUTPUTS = ([800, 0, -800], [-800, -800, 800], [40, 0, -40], [1, 39, 38], [-300, 300, 301], [-700, -710, -705])


@pytest.mark.parametrize("h", OUTPUTS)
@pytest.mark.parametrize(
    ("name", "definition", "labels"),
    [
        ("bernoulli", bernoulli, ([0, 1, 0], [1, 0, 1], [1, 1, 0])),
        ("categorical", categorical, (0, 1, 2)),
    ],
)
def test_objectives(name, definition, labels, h):
    """Every entry is accurate for outputs that are confident and right, and confident and wrong."""
    ours, outputs = OBJECTIVES[name], np.array(h, dtype=float)
    for y in labels:
        value, gradient, hessian = definition([Decimal(v) for v in h], y)
        label = np.array(y, dtype=float) if name == "bernoulli" else y
        assert_accurate(ours.value(outputs, label), value)
        assert_accurate(ours.gradient(outputs, label), gradient)
        assert_accurate(ours.hessian(outputs, label), hessian)
        root = ours.root(outputs, label)
        assert_accurate(root @ root.T, hessian, tolerance=1e-12)
