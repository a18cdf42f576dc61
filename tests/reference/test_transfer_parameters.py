"""The parameter of a transfer function, in every arithmetic."""

from fractions import Fraction

import flint
import kfgn_reference as ref
import numpy as np
import pytest

from .layers import network


@pytest.mark.parametrize("number", [float, np.float32, Fraction, flint.fmpq, flint.arb], ids=lambda f: f.__name__)
@pytest.mark.parametrize("slope", [0.25, Fraction(1, 4)])
def test_slope(number, slope):
    """A slope of 1/4 gives exact results in every arithmetic, and keeps the type of the numbers."""
    f = ref.transfer(("leaky_relu", slope))
    h = np.array([number(-2), number(0), number(3)])
    for ours, truth in ((f.f(h), (-0.5, 0, 3)), (f.first(h), (0.25, 0.25, 1)), (f.second(h), (0, 0, 0))):
        assert ours.dtype == h.dtype
        assert [float(v.p) / float(v.q) if number is flint.fmpq else float(v) for v in ours] == list(truth)
        assert h.dtype != object or {type(v) for v in ours} == {number}


def test_slope_in_floating_point():
    """A float is an exact binary number, so its product with h is rounded once. The default is h / 10, to the bit."""
    h = -np.random.default_rng(0).exponential(size=1000)
    assert (ref.transfer(("leaky_relu", 0.01)).f(h) == 0.01 * h).all()
    assert (ref.transfer(("leaky_relu", 0.01)).first(h) == 0.01).all()
    assert (ref.transfer("leaky_relu").f(h) == h / 10).all()
    assert (ref.transfer(("leaky_relu", Fraction(1, 10))).f(h) == h / 10).all()
    exact = np.array([Fraction(-3)])
    assert ref.transfer(("leaky_relu", 0.01)).f(exact).tolist() == [-3 * Fraction(0.01)]


def test_only_leaky_relu_has_a_parameter():
    with pytest.raises(ValueError, match=r"^transfers: expected a parameter only for leaky_relu, got \('relu', 0.1\)$"):
        ref.transfer(("relu", 0.1))
    net, X, Y = network("squared_error", (True, True, True), (("tanh", 2), "tanh"))
    with pytest.raises(ValueError, match="expected a parameter only for leaky_relu"):
        ref.loss(net, X, Y)
