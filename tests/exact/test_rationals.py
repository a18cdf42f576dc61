"""The oracles on rational numbers: two exact arithmetics agree, and float64 rounds their values.

With the squared error and piecewise linear transfer functions, only roots, logarithms and eigenvalues leave the
rationals. Every quantity without them is computed exactly here.
"""

from collections import Counter
from dataclasses import replace
from fractions import Fraction

import flint
import hypothesis.strategies as st
import numpy as np
from hypothesis import assume, event, example, given, settings
from kfgn_conformance import QUANTITIES, Problem
from kfgn_conformance.oracle import Oracle
from kfgn_conformance.problem_sets.drawn import DAMPINGS, dyadic, sampling_draws, targets
from kfgn_conformance.problems.discontinuities import clear_of_kinks
from kfgn_conformance.problems.layers import dense_layers, weight_shapes
from kfgn_conformance.problems.problem import Arguments, exact
from kfgn_conformance.quantities import REFERENCE_ONLY

from .tracked import Tracked

EVERY = {quantity.name: quantity for quantity in (*QUANTITIES.values(), *REFERENCE_ONLY)}


RATIONAL = {name: quantity for name, quantity in EVERY.items() if not quantity.irrational}


DIVIDES = {"step_size", "reduction_ratio", "damped_factors", "conjugate_gradients", "block_conjugate_gradients"}
"""Rational quantities with a quotient of two computed numbers, which rarely has finitely many binary digits."""


FEWER = settings(max_examples=max(1, settings.default.max_examples // 8))
"""Fewer examples, since each problem takes some tenths of a second."""

SMALL = 10
"""The largest number of weights for which float64 is judged in matrices over all weights, unless with --thorough.

The tolerance of the Fisher matrix takes seconds for twice as many weights, and the exact arithmetics do not.
"""


@st.composite
def rational_problems(draw, transfers, datapoints, step):
    """Problems with squared error, 1 to 3 layers of 1 to 3 units, 1 or 2 outputs, and multiples of `step`."""
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
    """Any number in this module as a Fraction."""
    if isinstance(value, flint.fmpq):
        return Fraction(int(value.p), int(value.q))
    return Fraction(value.item() if isinstance(value, np.generic) else value)


def in_arithmetic(make, problem):
    """The problem with every real number converted by make(numerator, denominator)."""
    number = np.frompyfunc(lambda x: make(*float(x).as_integer_ratio()), 1, 1)
    return problem.map_reals(lambda x: np.asarray(number(x), dtype=object))


def elements(arrays):
    """All numbers of a quantity, array by array."""
    return [list(array.flat) for array in arrays]


def exact_answers(make, problem):
    """Every rational quantity of a problem. Hypothesis discards a problem in which one divides by 0."""
    there = in_arithmetic(make, problem)
    try:
        return {name: elements(quantity.oracle(there)) for name, quantity in RATIONAL.items()}
    except ZeroDivisionError:
        assume(False)


def ratio(oracle, answer):
    """The largest error / tolerance of float64, computed without rounding."""
    worst = Fraction(0)
    allowed = oracle.tolerances("float64")
    for rounded, right, tolerance in zip(oracle.arrays, answer, allowed, strict=True):
        error = max((abs(fraction(a) - fraction(b)) for a, b in zip(rounded.flat, right, strict=True)), default=0)
        assert error == 0 or tolerance > 0, oracle.quantity.name
        worst = max(worst, error / Fraction(tolerance) if error else Fraction(0))
    return worst


def test_what_is_rational():
    """Each other quantity states why it is irrational: its oracle needs a root, a logarithm or an eigenvalue."""
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


def test_two_exact_arithmetics_agree_and_float64_rounds_them(thorough):
    """Fraction of Python, fmpq of FLINT and float64 share no code.

    float64 is judged on one problem for each quantity, or on all with --thorough, since the tolerances take most of the
    time.
    """
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
            oracle = Oracle(problem, quantity)
            costly = judged[name] or (name not in QUANTITIES and problem.parameters > SMALL)
            if (thorough or not costly) and oracle.is_conclusive:
                judged[name] += 1
                assert ratio(oracle, ours) <= 1, name

    check()
    assert set(judged) == set(RATIONAL)


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
    """float64 equals the rational in every element for which `Tracked` proves that nothing is rounded.

    Each quantity is proved in full on some problem, except those that divide.
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
    """The loss at an input of 0.1 needs more than 53 bits, and float64 rounds it."""
    tenth = replace(NETWORK_OF_ONE_UNIT, X=np.array([[0.1]]))
    quantity = RATIONAL["loss"]
    (number,) = quantity.oracle(in_arithmetic(Tracked.made, tenth))[0].flat
    assert number.bits > 53
    assert fraction(quantity.oracle(tenth)[0].item()) != number.value
