"""The parameter of a transfer function, in every arithmetic."""

import re
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


@pytest.mark.parametrize("alpha", [1, 0.25, Fraction(1, 3)])
def test_alpha(alpha):
    """ELU is alpha (e^h - 1) for h <= 0, in floats and in balls. Its default is 1, to the bit."""
    f, h = ref.transfer(("elu", alpha)), [-2.0, 0.0, 3.0]
    balls = [np.array([flint.arb(v) for v in h]), np.array(h)]
    for ours, truth in zip(f, ((np.expm1(-2), 0, 3), (np.exp(-2), 1, 1), (np.exp(-2), 1, 0)), strict=True):
        expected = [float(alpha) * v if x <= 0 else v for x, v in zip(h, truth, strict=True)]
        assert np.allclose([float(v) for v in ours(balls[0])], expected, rtol=1e-15, atol=0)
        assert np.allclose(ours(balls[1]), expected, rtol=1e-15, atol=0)
        assert {type(v) for v in ours(balls[0])} == {flint.arb}
    for ours, default in zip(ref.transfer(("elu", 1.0)), ref.transfer("elu"), strict=True):
        assert (ours(balls[1]) == default(balls[1])).all()


@pytest.mark.parametrize("name", ["tanh", "gelu", "gelu_tanh", "silu", "elu"])
def test_transcendental_functions_refuse_rationals(name):
    """A float would silently end exact arithmetic."""
    with pytest.raises((TypeError, AttributeError)):
        ref.transfer(name).f(np.array([Fraction(1, 3)]))


@pytest.mark.parametrize("name", ref.TRANSFERS)
def test_every_transfer_function_keeps_the_arithmetic(name):
    """float32 stays float32, an array without axes stays one, and balls stay balls as narrow as their precision."""
    for function in ref.transfer(name):
        for h in (np.array([-0.5, 0.75], np.float32), np.array([[0.5, -2]]), np.array(0.25)):
            assert (function(h).dtype, np.shape(function(h))) == (h.dtype, h.shape)
        with flint.ctx.workprec(200):
            balls = function(np.array([flint.arb(v) / 7 for v in (-30, -2, 3)]))
            assert {type(ball) for ball in balls} == {flint.arb}
            assert all(ball.rad() < 1e-50 for ball in balls)


@pytest.mark.parametrize("name", ref.TRANSFERS)
def test_floats_are_within_rounding_of_balls(name):
    """Each function is compared with its own value in balls, relative to the largest of its terms, f(1)."""
    h = np.linspace(-8, 8, 401)
    with flint.ctx.workprec(200):
        balls = np.array([flint.arb(v) for v in h])
        for function in ref.transfer(name):
            truth = np.array([float(v) for v in function(balls)])
            assert np.all(np.abs(function(h) - truth) <= 1e-14 * (np.abs(truth) + np.abs(h) ** 4 * np.exp(-np.abs(h))))


def test_only_two_functions_have_a_parameter():
    message = r"^transfers: expected a parameter only for leaky_relu, elu, got \('relu', 0.1\)$"
    with pytest.raises(ValueError, match=message):
        ref.transfer(("relu", 0.1))
    net, X, Y = network("squared_error", (True, True, True), (("tanh", 2), "tanh"))
    with pytest.raises(ValueError, match="expected a parameter only for leaky_relu, elu"):
        ref.loss(net, X, Y)


@pytest.mark.parametrize("name", ["elu", "leaky_relu"])
@pytest.mark.parametrize("parameter", ["x", None, (0.5,), float("nan"), float("inf"), 1j, float], ids=str)
def test_a_parameter_is_a_finite_number(name, parameter):
    expected = f"transfers: expected a finite int, float or Fraction as the parameter of {name}, got {parameter!r}"
    with pytest.raises(ValueError, match=f"^{re.escape(expected)}$"):
        ref.transfer((name, parameter))
