"""Arithmetic of 24 and 40 bits: correct rounding, a fixed order of sums, and no dependence on the processor."""

from fractions import Fraction

import flint
import kfgn_reference as ref
import numpy as np
import pytest
from hypothesis import assume, given, strategies as st
from kfgn_conformance.arithmetic import Single, Triple, rounded_to
from kfgn_conformance.arithmetic.elementary import EXACT, ULPS, exactly
from kfgn_conformance.arithmetic.rounding import near_tie, nearest, rounded
from kfgn_conformance.changes import at, in_bits
from kfgn_conformance.problem_sets.drawn import problems
from kfgn_conformance.problems.cases import SPLITS
from kfgn_conformance.problems.dyadic import Shape, clear
from kfgn_conformance.quantities import QUANTITIES, REFERENCE_ONLY
from kfgn_reference._special import ERFC

RNG = np.random.default_rng(0)
SINGLES = RNG.normal(size=(2, 1000)).astype(np.float32)
BALLS = {
    np.exp: "exp",
    np.expm1: "expm1",
    np.log: "log",
    np.log1p: "log1p",
    np.tanh: "tanh",
    np.cosh: "cosh",
    ERFC: "erfc",
}


def same(a, b, **options):
    return np.array_equal(np.asarray(a), np.asarray(b), **options)


def single(x):
    return rounded_to(Single, np.asarray(x, np.float64))


@given(x=st.floats(min_value=2.0**-126, max_value=2.0**127) | st.sampled_from((0.0, np.inf, -1.5, 1 + 2.0**-24)))
def test_24_bits_are_those_of_float32_within_its_range(x):
    assert rounded(np.array(x), 24) == np.float32(x)


def test_ties_go_to_the_even_number_and_a_carry_raises_the_exponent():
    ties = np.array([1 + 2.0**-24, 1 + 3 * 2.0**-24, 2 - 2.0**-24])
    assert rounded(ties, 24).tolist() == [1.0, 1 + 2.0**-22, 2.0]


def test_the_range_is_that_of_float64():
    extremes = np.array([1e-300, -1e300, 5e-324, np.inf, -np.inf, 0.0])
    finite = extremes[:2]
    assert np.all(np.abs(rounded(finite, 24) - finite) <= 2.0**-24 * np.abs(finite))
    assert same(rounded(extremes, 24)[3:], extremes[3:])
    assert np.isnan(rounded(np.array([np.nan, -np.nan]), 24)).all()


@given(x=st.floats(allow_nan=False, allow_infinity=False), bits=st.sampled_from((24, 40)))
def test_rounding_bits_is_rounding_an_exact_number(x, bits):
    assume(np.isfinite(rounded(np.array(x), bits)))
    assert rounded(np.array(x), bits) == nearest(Fraction(x), bits)


@pytest.mark.parametrize("operator", [np.add, np.subtract, np.multiply, np.divide])
def test_operators_are_those_of_float32(operator):
    a, b = SINGLES
    assert same(operator(single(a), single(b)), operator(a, b).astype(np.float64))
    assert isinstance(operator(1, single(a)), Single)


def test_roots_and_squares_are_those_of_float32():
    a = np.abs(SINGLES[0])
    assert same(np.sqrt(single(a)), np.sqrt(a))
    assert same(single(a) ** 2, a * a)
    assert same(single(a) ** 3, a * a * a)


@pytest.mark.parametrize("function", EXACT)
@pytest.mark.parametrize("precision", [Single, Triple])
def test_elementary_functions_are_rounded_correctly(function, precision):
    """Compared with balls of 200 bits, for arguments of every size."""
    x = np.concatenate([SINGLES[0], 2.0 ** RNG.uniform(-60, 5, 1000) * RNG.choice([-1, 1], 1000)])
    x = np.abs(x) if function in (np.log, np.log1p) else x
    x = np.asarray(rounded_to(precision, x))
    ours = function(rounded_to(precision, x))
    with flint.ctx.workprec(200):
        balls = [getattr(flint.arb(float(value)), BALLS[function])() for value in x]
        exact = [nearest(Fraction(int(m.numer()), int(m.denom())), precision.bits) for m in map(as_rational, balls)]
    assert same(ours, exact)


def as_floats(function, x):
    """The function as an array of floats. Python computes erfc, so NumPy gives its values as objects."""
    return np.asarray(function(x), np.float64)


def as_rational(ball):
    mantissa, exponent = ball.mid().man_exp()
    return flint.fmpq(mantissa) * flint.fmpq(2) ** exponent


@pytest.mark.parametrize("function", EXACT)
def test_near_a_tie_the_value_is_computed_exactly(function, monkeypatch):
    """The margin is wider than the kit's, so some of the random arguments are within it."""
    monkeypatch.setattr("kfgn_conformance.arithmetic.elementary.ULPS", 2**20)
    x = np.asarray(single(RNG.uniform(0.1, 2, 20_000)))
    close = x[near_tie(as_floats(function, x), 24, 2**20)]
    assert len(close) > 10
    for argument in close:
        assert function(single([argument]))[0] == exactly(function, float(argument), 24)


@pytest.mark.parametrize("function", EXACT)
def test_a_wrong_last_bit_of_the_processor_changes_nothing(function):
    """For arguments whose value is so near to a tie that a wrong last bit could change its rounding."""
    x = np.asarray(single(RNG.uniform(0.1, 2, 3_000_000)))
    close = x[near_tie(as_floats(function, x), 24, 3 * ULPS)]
    for argument in close[:20]:
        right = exactly(function, float(argument), 24)
        for units in (-4, 4):
            value = function(argument) + units * np.spacing(function(argument))
            if near_tie(value, 24, ULPS):
                continue  # computed exactly, whatever value the processor gives
            assert rounded(np.asarray(value), 24) == right


def test_sums_are_taken_from_the_first_to_the_last():
    x = SINGLES[0]
    total = np.float32(0)
    for value in x:
        total = np.float32(total + value)
    assert np.sum(single(x)) == total
    assert np.cumsum(single(x))[-1] == total
    assert np.sum(single(x).reshape(10, 100), axis=0).shape == (100,)
    assert np.sum(single(x)[:0]) == 0


@pytest.mark.parametrize(("M", "K", "N"), [(3, 5, 2), (1, 40, 1), (2, 0, 3)])
def test_matrix_products_are_sums_of_rounded_products(M, K, N):
    A, B = RNG.normal(size=(M, K)).astype(np.float32), RNG.normal(size=(K, N)).astype(np.float32)
    expected = np.zeros((M, N), np.float32)
    for k in range(K):
        expected += A[:, k, None] * B[None, k, :]
    assert same(single(A) @ single(B), expected)
    assert same(single(A)[0] @ single(B), expected[0])
    assert same(single(A) @ single(B)[:, 0], expected[:, 0])


def test_a_product_in_parts_equals_the_whole_product(monkeypatch):
    A, B = single(SINGLES[0].reshape(20, 50)), single(SINGLES[1].reshape(50, 20))
    whole = A @ B
    monkeypatch.setattr("kfgn_conformance.arithmetic.summation.ELEMENTS", 3 * 20 * 20)
    assert same(A @ B, whole)


@pytest.mark.parametrize(
    "function",
    [
        np.sin,
        np.linalg.inv,
        np.mean,
        lambda x: np.dot(x, x),
        np.multiply.reduce,
        lambda x: np.einsum("ij->j", x),
        lambda x: x**-1,
    ],
)
def test_a_function_without_a_defined_rounding_is_an_error(function):
    with pytest.raises(TypeError, match=r"expected a function in the tables|expected an integer exponent"):
        function(single(np.eye(3)))


def test_a_single_element_computes_in_the_same_arithmetic():
    x = single([1.0, 3.0])
    assert isinstance(x[1], Single)
    assert x[0] / x[1] == np.float32(1) / np.float32(3)
    assert [type(row) for row in single(np.eye(2))] == [Single, Single]


def symmetric(D, seed=0):
    A = np.random.default_rng(seed).normal(size=(D, D))
    return A + A.T


@pytest.mark.parametrize("precision", [Single, Triple])
@pytest.mark.parametrize("A", [symmetric(1), symmetric(2), symmetric(3), symmetric(8), symmetric(17), np.ones((4, 4))])
def test_jacobi_decomposes_a_symmetric_matrix(A, precision):
    A = rounded_to(precision, A)
    values, vectors = np.linalg.eigh(A)
    allowed = 20 * len(A) * 2.0**-precision.bits * np.linalg.norm(np.asarray(A))
    assert isinstance(values, precision)
    assert np.all(np.diff(np.asarray(values)) >= 0)
    plain = np.asarray(vectors)
    assert np.max(np.abs((plain * np.asarray(values)) @ plain.T - np.asarray(A))) <= allowed
    assert np.max(np.abs(plain.T @ plain - np.eye(len(A)))) <= 20 * len(A) * 2.0**-precision.bits
    assert same(np.linalg.eigvalsh(A), values)


def test_jacobi_accepts_zeros_and_raises_for_nan():
    assert same(np.linalg.eigvalsh(single(np.zeros((3, 3)))), np.zeros(3))
    with pytest.raises(ArithmeticError, match="finite symmetric matrix"):
        np.linalg.eigvalsh(single(np.full((2, 2), np.nan)))


SMALL = [
    clear(f"small-{objective}-{psd}", Shape(objective, (1, 2, 3), (transfer,), 2, 2, psd))
    for (objective, psd), transfer in zip(SPLITS, ("tanh", "softplus", "logistic", "leaky_relu", "relu"), strict=True)
]


@pytest.mark.parametrize("name", ref.TRANSFERS)
@pytest.mark.parametrize("precision", [Single, Triple])
def test_transfer_functions_stay_in_the_arithmetic_they_are_given(name, precision):
    """The results are rounded too. Those of 40 bits are near those of float64."""
    x = rounded_to(precision, RNG.uniform(-3, 3, 50))
    for function in ref.transfer(name):
        value = function(x)
        assert isinstance(value, precision)
        assert same(value, rounded(np.asarray(value), precision.bits))
        assert np.allclose(np.asarray(value), function(np.asarray(x)), rtol=0, atol=60 * 2.0**-precision.bits)


@pytest.mark.parametrize("problem", SMALL, ids=lambda problem: problem.id)
@pytest.mark.parametrize("quantity", [*QUANTITIES.values(), *REFERENCE_ONLY], ids=lambda quantity: quantity.name)
def test_the_reference_stays_in_the_arithmetic_it_is_given(problem, quantity):
    """An ordinary array in a recursion would have a rounding that depends on the processor."""
    with np.errstate(all="ignore"):
        arrays = quantity.value(in_bits(problem, Single))
    for array in arrays:
        assert isinstance(array, Single) or quantity.name == "labels"  # a list, which the kit converts to an array
        assert same(array, rounded(np.asarray(array, np.float64), 24), equal_nan=True)


@given(problem=problems())
def test_40_bits_are_nearer_to_float64_than_24(problem):
    """40 bits replace the exact value in the rule of d: their error is negligible compared with that of 24 bits."""
    for name in ("loss", "gradient", "kflr", "kfra", "hessian_product"):
        quantity = QUANTITIES[name]
        for q, a in zip(quantity.value(problem), at(in_bits(problem, Triple), quantity), strict=True):
            assert np.max(np.abs(a - q), initial=0) <= 2.0**-30 * max(1.0, np.max(np.abs(q), initial=0))


def test_a_problem_in_24_bits_keeps_its_classes():
    problem = ref.Network((single(np.ones((2, 2))),), (), "categorical")
    assert ref.draw_labels(problem, single(np.ones((1, 1))), single([[0.75]])) == [[1]]
