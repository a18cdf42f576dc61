"""The oracles on rational numbers: the same functions, exact, in two arithmetics, and the bits of float64 against them.

With the squared error and piecewise linear transfer functions nothing in the paper leaves the rationals but
roots, logarithms and eigenvalues: a quantity that says none of these is computed exactly here.
"""

import math
from collections import Counter
from dataclasses import replace
from fractions import Fraction

import flint
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import assume, event, example, given, settings
from kfgn_conformance import QUANTITIES, Problem
from kfgn_conformance.problems.discontinuities import clear_of_kinks
from kfgn_conformance.problems.drawn import DAMPINGS, dyadic, sampling_draws, targets
from kfgn_conformance.problems.layers import dense_layers, weight_shapes
from kfgn_conformance.problems.problem import Arguments, exact
from kfgn_conformance.quantities import REFERENCE_ONLY
from kfgn_conformance.tolerances import telling, tolerances, truth

EVERY = {quantity.name: quantity for quantity in (*QUANTITIES.values(), *REFERENCE_ONLY)}
RATIONAL = {name: quantity for name, quantity in EVERY.items() if not quantity.irrational}

DIVIDES = {"step_size", "reduction_ratio", "damped_factors", "conjugate_gradients", "block_conjugate_gradients"}
"""Rational, but with a quotient of two computed numbers, which has finitely many binary digits only by luck."""


FEWER = settings(max_examples=max(1, settings.default.max_examples // 4))
"""A second or two for each problem, most of it for the Fisher matrix."""


@st.composite
def rational_problems(draw, transfers, datapoints, step):
    """The squared error with 1 to 3 layers of 1 to 3 units, 1 or 2 outputs; weights and inputs multiples of `step`."""
    widths = (*draw(st.lists(st.integers(1, 3), min_size=1, max_size=3)), draw(st.integers(1, 2)))
    N, S, D = draw(st.sampled_from(datapoints)), draw(st.sampled_from((2, 1))), widths[-1]
    chosen = tuple(draw(st.sampled_from(transfers)) for _ in widths[1:-1])
    layers = dense_layers(widths, chosen)
    of_weights = weight_shapes(widths[0], layers)
    problem = Problem(
        id="rational",
        objective="squared_error",
        inputs=widths[0],
        layers=layers,
        weights=tuple(draw(dyadic(shape, -1, 1, step)) for shape in of_weights),
        X=draw(dyadic((N, widths[0]), -1, 1, step)),
        Y=draw(targets("squared_error", (N,), D)),
        labels=draw(targets("squared_error", (N, S), D)),
        draws=draw(sampling_draws("squared_error", (N, S), D)),
        arguments=Arguments(
            direction=tuple(draw(dyadic(shape, -1, 1, step)) for shape in of_weights),
            cotangents=draw(dyadic((N, D), -1, 1, step)),
            projections=draw(dyadic((N, S, D), -2, 2, step)),
            tau=draw(DAMPINGS),
            gamma=draw(DAMPINGS),
            eta=draw(DAMPINGS),
        ),
    )
    assume(all(np.any(V) for V in problem.arguments.direction))
    return exact(problem)


def fraction(value):
    """Any number of this module as a Fraction."""
    if isinstance(value, flint.fmpq):
        return Fraction(int(value.p), int(value.q))
    return Fraction(value.item() if isinstance(value, np.generic) else value)


def in_arithmetic(make, problem):
    """The problem with every real number x as make(numerator, denominator)."""
    number = np.frompyfunc(lambda x: make(*float(x).as_integer_ratio()), 1, 1)
    return problem.map_reals(lambda x: np.asarray(number(x), dtype=object))


def elements(arrays):
    """Every number of a quantity, array by array."""
    return [list(array.flat) for array in arrays]


def exact_answers(make, problem):
    """Every rational quantity. A problem on which one divides by 0 is no problem."""
    there = in_arithmetic(make, problem)
    try:
        return {name: elements(quantity.oracle(there)) for name, quantity in RATIONAL.items()}
    except ZeroDivisionError:
        assume(False)


def ratio(problem, quantity, answer):
    """The worst error / tolerance of float64, itself without a rounding."""
    worst = Fraction(0)
    allowed = tolerances(problem, quantity, "float64")
    for rounded, right, tolerance in zip(truth(problem, quantity).arrays, answer, allowed, strict=True):
        error = max((abs(fraction(a) - fraction(b)) for a, b in zip(rounded.flat, right, strict=True)), default=0)
        assert error == 0 or tolerance > 0, quantity.name
        worst = max(worst, error / Fraction(tolerance) if error else Fraction(0))
    return worst


def test_what_is_rational():
    """The rest says why it is not, and has no rational form indeed: its oracle needs a root, a log or an eigenvalue."""
    assert {name: quantity.irrational for name, quantity in EVERY.items() if quantity.irrational} == {
        "omega": "a square root",
        "solve_trace": "square roots of k and of norms",
        "solve_frobenius": "square roots of k and of norms",
        "solve_spectral": "square roots of k and of norms",
        "solve_exact": "eigenvalues",
        "logdet_trace": "logarithms",
        "logdet_exact": "logarithms of eigenvalues",
        "algorithm_1": "square roots of k and omega^2",
        "trajectory": "square roots of k and omega^2",
    }


def test_two_exact_arithmetics_agree_and_float64_rounds_them():
    """Fraction is Python's and fmpq is FLINT's; neither shares code with the other or with float64."""
    judged = Counter()

    @FEWER
    @given(rational_problems(("identity", "leaky_relu", "relu"), (3, 1, 2), 2**-4))
    def check(problem):
        assume(clear_of_kinks(problem))
        fractions, fmpqs = (exact_answers(make, problem) for make in (Fraction, flint.fmpq))
        for name, quantity in RATIONAL.items():
            ours, theirs = fractions[name], fmpqs[name]
            assert {type(v) for array in ours for v in array} <= {Fraction, int}, name
            assert {type(v) for array in theirs for v in array} <= {flint.fmpq, int}, name
            # a numerator of int64 would overflow
            assert {type(v.numerator) for array in ours for v in array} == {int}, name
            assert [[fraction(v) for v in array] for array in theirs] == ours, name
            if telling(problem, quantity):
                judged[name] += 1
                assert ratio(problem, quantity, ours) <= 1, name

    check()
    assert set(judged) == set(RATIONAL)


def exponent(value):
    """e of a value k 2^-e in lowest terms, None if it is not dyadic."""
    power = value.denominator
    return power.bit_length() - 1 if power & (power - 1) == 0 else None


def elementwise(operation):
    """An operation of two `Tracked`, one of which may be an integer; NumPy takes arrays apart itself."""

    def operate(self, other):
        return NotImplemented if isinstance(other, np.ndarray) else operation(self, Tracked.of(other))

    return operate


class Tracked:
    """A rational number that knows whether float64 computes it without any rounding, in whatever order it adds.

    value: the number
    size:  the sum of |term| over the terms of the sum that made it
    grid:  every one of those terms is a multiple of 2^-grid
    bits:  the most bits that it, or any number that it was made of, may need; infinity if one is not dyadic

    Whatever order BLAS adds in, and whether or not it fuses a product with a sum, each number that it holds on the way
    is a sum of some of the terms: a multiple of 2^-grid and at most `size`, so it has at most as many bits as the
    integer size 2^grid. Products and quotients are taken of stored numbers, never of parts of a sum, so they start
    anew. That is a proof, and 53 bits need no slack.
    """

    __slots__ = ("bits", "grid", "size", "value")

    def __init__(self, value, size, grid, bits):
        self.value, self.size, self.grid, self.bits = value, size, grid, bits

    @classmethod
    def stored(cls, value, bits=0):
        """One operation's result, or a number of the problem, made of numbers of so many bits."""
        grid = exponent(value)
        if grid is None:
            return cls(value, abs(value), 0, math.inf)
        return cls(value, abs(value), grid, max(bits, value.numerator.bit_length()))

    @classmethod
    def made(cls, numerator, denominator):
        return cls.stored(Fraction(numerator, denominator))

    @classmethod
    def of(cls, other):
        return other if isinstance(other, cls) else cls.stored(Fraction(int(other)))

    @elementwise
    def __add__(self, other):
        size, grid = self.size + other.size, max(self.grid, other.grid)
        bits = max(self.bits, other.bits, int(size * 2**grid).bit_length())
        return Tracked(self.value + other.value, size, grid, bits)

    @elementwise
    def __mul__(self, other):
        return self.stored(self.value * other.value, max(self.bits, other.bits))

    @elementwise
    def __truediv__(self, other):
        """IEEE division rounds the exact quotient: no error where that is dyadic and fits."""
        return self.stored(self.value / other.value, max(self.bits, other.bits))

    def __neg__(self):
        return Tracked(-self.value, self.size, self.grid, self.bits)

    @elementwise
    def __sub__(self, other):
        return self + -other

    @elementwise
    def __rsub__(self, other):
        return other + -self

    @elementwise
    def __rtruediv__(self, other):
        return other / self

    def __pow__(self, power):
        assert power == 2  # the only one that is taken of a rational
        return self * self

    __radd__ = __add__
    __rmul__ = __mul__

    @elementwise
    def __gt__(self, other):
        return self.value > other.value

    @elementwise
    def __lt__(self, other):
        return self.value < other.value


@pytest.mark.parametrize(
    ("number", "bits"),
    [
        (Tracked.made(3, 8), 2),
        (Tracked.made(1, 3), math.inf),
        (Tracked.made(1, 3) * 3, math.inf),
        (Tracked.made(2**53 - 1, 1) + 0, 53),
        (Tracked.made(2**53, 1) + 1, 54),
        (Tracked.made(2**53, 1) - 2**53, 55),  # nothing is left, but a sum in another order may have held 2^54
        (Tracked.made(1, 2**30) + 2**30, 61),
        (Tracked.made(2**30 - 1, 1) * (2**30 - 1), 60),
        ((Tracked.made(2**30 - 1, 1) * (2**30 - 1)) * 0, 60),
        (6 / Tracked.made(3, 4), 4),
        (1 - Tracked.made(1, 4), 3),
        (Tracked.made(-3, 4) ** 2, 4),
    ],
)
def test_bits_are_counted(number, bits):
    assert number.bits == bits


NETWORK_OF_ONE_UNIT = Problem(
    id="one unit",
    objective="squared_error",
    inputs=1,
    layers=dense_layers((1, 1, 1), ("relu",)),
    weights=(np.array([[1.0, 0.5]]), np.array([[0.5, 1.0]])),
    X=np.array([[0.5]]),
    Y=np.array([[1.0]]),
    labels=np.array([[[0.5]]]),
    draws=np.array([[[0.25]]]),
    arguments=Arguments(
        direction=(np.array([[0.5, 0.25]]), np.array([[-0.5, 1.0]])),
        cotangents=np.array([[0.5]]),
        projections=np.array([[[0.25]]]),
        tau=np.array(0.5),
        gamma=np.array(0.25),
        eta=np.array(0.25),
    ),
)


def test_float64_has_the_bits_of_the_rational():
    """Element by element, wherever `Tracked` proves that nothing is rounded; also at the kinks.

    Each quantity is proved in full on some problem, but for those that divide.
    """
    whole = Counter()

    @FEWER
    @given(rational_problems(("identity", "relu"), (2, 1, 4), 2**-2))
    @example(NETWORK_OF_ONE_UNIT)
    def check(problem):
        answers = exact_answers(Tracked.made, problem)
        for name, quantity in RATIONAL.items():
            rounded = quantity.oracle(problem)
            proved = total = 0
            for floats, numbers in zip(rounded, answers[name], strict=True):
                for value, number in zip(np.asarray(floats).flat, map(Tracked.of, numbers), strict=True):
                    total += 1
                    if number.bits <= 53:
                        proved += 1
                        assert fraction(value) == number.value, name
            whole[name] += proved == total
        event(f"quantities proved to the bit: {sum(1 for name in whole if whole[name])}")

    check()
    assert {name for name in RATIONAL if not whole[name]} <= DIVIDES


def test_a_rounding_is_seen():
    """0.1 is not 1/10, and a number too long for float64 is not itself."""
    tenth = replace(NETWORK_OF_ONE_UNIT, X=np.array([[0.1]]))
    quantity = RATIONAL["loss"]
    (number,) = quantity.oracle(in_arithmetic(Tracked.made, tenth))[0].flat
    assert number.bits > 53
    assert fraction(quantity.oracle(tenth)[0].item()) != number.value
