"""Transfer functions and objectives far from 0 are finite and have full relative accuracy, by 900 digits.

900 digits are enough for 1 + e^-800. A value below the smallest normal float64 may be rounded to 0.
"""

from decimal import Context, Decimal, localcontext

import numpy as np
import pytest
from kfgn_reference import OBJECTIVES, TRANSFERS

DIGITS = Context(prec=900)
FAR = (1, 5, 20, 40, 300, 700, 800)
TINY = np.finfo(float).tiny


@pytest.fixture(autouse=True)
def digits():
    with localcontext(DIGITS):
        yield


def logistic(h):
    return 1 / (1 + (-h).exp())


def tanh(h):
    return 2 * logistic(2 * h) - 1


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
        assert_accurate(ours(h), [definition(Decimal(value)) for value in h])


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
