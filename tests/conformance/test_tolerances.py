"""The power of the tolerance rule, and the statuses on either side of its limits."""

import re
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import assume, given, strategies as st
from kfgn_conformance import QUANTITIES, Status
from kfgn_conformance.adapters import Description
from kfgn_conformance.judging import compare, judge
from kfgn_conformance.oracle import Oracle
from kfgn_conformance.problem_sets.drawn import problems
from kfgn_conformance.problems.cases import case
from kfgn_conformance.problems.real import digits
from kfgn_conformance.tolerances import MAX_RELATIVE_TOLERANCE, ROUNDOFF, C, longest_sum

DIGITS = digits()
CASE = case("bernoulli", "project", ("softplus", "tanh"))  # its d ships

SLOW = ("conjugate_gradients", "block_conjugate_gradients")
"""Systems of 1353 and 1040 unknowns on the digits, which the reference eliminates row by row."""


def problem_of(quantity):
    """The digits, or a case where they would take half a minute."""
    return CASE if quantity in SLOW else DIGITS


@cache
def oracle(problem, quantity):
    """The oracle of a quantity, by name."""
    return Oracle(problem, QUANTITIES[quantity])


def rounded(oracle, dtype):
    """The oracle's arrays, rounded to the dtype: the best possible answer."""
    kind = np.int64 if oracle.value.integer else dtype
    return [array.astype(kind, order="C") for array in oracle.arrays]


def with_error(oracle, dtype, ratio, where=0):
    """The verdict on the best answer with an error of `ratio` tolerances in the largest element of one array."""
    answer = rounded(oracle, dtype)
    tolerance = oracle.tolerances(dtype)[where]
    flat = answer[where].reshape(-1)
    error = ratio * tolerance
    flat[np.argmax(np.abs(flat))] += np.sign(error) * np.ceil(error) if flat.dtype.kind == "i" else error
    return compare(tuple(answer), oracle, dtype).verdict


@pytest.mark.parametrize("dtype", ROUNDOFF)
@pytest.mark.parametrize("quantity", QUANTITIES)
def test_a_planted_error_of_100_tolerances_fails_in_any_array(quantity, dtype):
    right = oracle(problem_of(quantity), quantity)
    for where in range(len(right.arrays)):
        assert with_error(right, dtype, 0, where).status is Status.PASS
        assert with_error(right, dtype, 100, where).status is Status.FAIL


@given(problem=problems(), quantity=st.sampled_from(sorted(QUANTITIES)), dtype=st.sampled_from(sorted(ROUNDOFF)))
def test_a_planted_error_of_100_tolerances_fails_on_drawn_problems(problem, quantity, dtype):
    right = Oracle(problem, QUANTITIES[quantity])
    assume(right.is_conclusive)
    assume(right.tolerances(dtype)[-1] > 0)
    assert with_error(right, dtype, 100, where=-1).status is Status.FAIL


@pytest.mark.parametrize(
    ("ratio", "status"), [(0.8, Status.PASS), (1.3, Status.NON_STRICT), (29, Status.NON_STRICT), (31, Status.FAIL)]
)
def test_the_lines_between_pass_non_strict_and_fail(ratio, status):
    assert with_error(oracle(DIGITS, "kfra"), "float64", ratio).status is status


def test_a_factor_of_two_fails_for_every_quantity():
    for name in QUANTITIES:
        right = oracle(problem_of(name), name)
        doubled = tuple(2 * array for array in rounded(right, "float64"))
        assert compare(doubled, right, "float64").verdict.status is Status.FAIL, name


@pytest.mark.parametrize(
    ("quantity", "other"),
    [
        ("kflr", "kfra"),
        ("kflr", "kfac"),
        ("kflr", "rp"),
        ("hessian_blocks", "gauss_newton_blocks"),
        ("hessian_product", "gauss_newton_product"),
        ("gauss_newton_product", "gauss_newton_block_product"),
        ("hessian_product", "hessian_block_product"),
        ("solve_trace", "solve_frobenius"),
        ("solve_trace", "solve_spectral"),
        ("solve_frobenius", "solve_spectral"),
        ("solve_trace", "solve_exact"),
        ("solve_exact", "block_conjugate_gradients"),
        ("conjugate_gradients", "block_conjugate_gradients"),
        ("logdet_trace", "logdet_exact"),
    ],
)
def test_another_method_fails(quantity, other):
    """As KFRA is not KFLR: each is near the other, and no tolerance is so wide, float32's neither."""
    answer = tuple(rounded(oracle(CASE, other), "float32"))
    assert compare(answer, oracle(CASE, quantity), "float32").verdict.status is Status.FAIL


def test_another_batch_fails():
    other = tuple(rounded(Oracle(DIGITS.head(63), QUANTITIES["gradient"]), "float32"))
    assert compare(other, oracle(DIGITS, "gradient"), "float32").verdict.status is Status.FAIL


def test_what_cancels_is_inconclusive():
    """At labels equal to the outputs the gradient is a difference of equal numbers, and no answer proves anything."""
    h = DIGITS.X @ DIGITS.weights[0][:, :-1].T + DIGITS.weights[0][:, -1]
    fitted = replace(
        DIGITS,
        layers=(replace(DIGITS.layers[0], transfer="identity"),),
        objective="squared_error",
        weights=DIGITS.weights[:1],
        Y=h * (1 + 2**-22),
    )
    right = Oracle(fitted, QUANTITIES["gradient"])
    gradient = tuple(rounded(right, "float32"))
    assert compare(gradient, right, "float32").verdict.status is Status.INCONCLUSIVE
    assert compare((1000 * gradient[0],), right, "float32").verdict.status is Status.FAIL
    assert not right.is_conclusive


@pytest.mark.parametrize(
    ("spoil", "detail"),
    [
        (lambda a: a[:-1], "expected 3 arrays, got 2"),
        (lambda a: (a[0].T, *a[1:]), r"array 1: expected shape \(16, 65\), got \(65, 16\)"),
        (lambda a: (a[0], a[1].astype(np.float64), a[2]), "array 2: expected dtype float32, got float64"),
        (lambda a: (a[0], a[1], a[2] * np.nan), "array 3: expected finite values, got NaN or infinity"),
        (lambda a: (a[0] + 0j, *a[1:]), "array 1: expected dtype float32, got complex64"),
        (lambda a: (a[0].astype(np.int32), *a[1:]), "array 1: expected dtype float32, got int32"),
        (lambda a: list(a), "expected a tuple of NumPy arrays, got list"),
        (lambda a: None, "expected a tuple of NumPy arrays, got NoneType"),
        (lambda a: (a[0].tolist(), *a[1:]), "expected a tuple of NumPy arrays, got tuple"),
    ],
)
def test_a_misshapen_answer_fails_and_says_how(spoil, detail):
    right = oracle(DIGITS, "gradient")
    verdict = compare(spoil(tuple(rounded(right, "float32"))), right, "float32").verdict
    assert verdict.status is Status.FAIL
    assert re.fullmatch(detail, verdict.detail)


def test_classes_are_integers():
    right = oracle(DIGITS, "labels")
    (labels,) = right.arrays
    assert compare((labels.astype(np.int32),), right, "float32").verdict.status is Status.PASS
    verdict = compare((labels.astype(np.float32),), right, "float32").verdict
    assert (verdict.status, verdict.detail) == (Status.FAIL, "array 1: expected an integer dtype, got float32")


ZEROS = replace(QUANTITIES["loss"], oracle=lambda p: (0 * p.X,))


@pytest.mark.parametrize("dtype", ROUNDOFF)
def test_a_zero_is_right_up_to_the_smallest_normal_number(dtype):
    """The tolerance of an array of zeros is the smallest normal number alone. Both verdicts prove something."""
    small = np.full(CASE.X.shape, np.finfo(dtype).smallest_normal, dtype)
    right = Oracle(CASE, ZEROS)
    for answer in (0 * small, small, -small / 2):
        assert compare((answer,), right, dtype).verdict.status is Status.PASS
    assert compare((40 * small,), right, dtype).verdict.status is Status.FAIL
    assert right.is_conclusive


@pytest.mark.parametrize("dtype", ROUNDOFF)
def test_a_true_value_below_the_smallest_normal_number_may_be_zero(dtype):
    tiny = replace(QUANTITIES["loss"], oracle=lambda p: (p.X * np.finfo(dtype).smallest_normal / 2,))
    zeros = np.zeros(CASE.X.shape, dtype)
    assert compare((zeros,), Oracle(CASE, tiny), dtype).verdict.status is Status.PASS
    normal = replace(QUANTITIES["loss"], oracle=lambda p: (p.X * np.finfo(dtype).smallest_normal * 2**60,))
    assert compare((zeros,), Oracle(CASE, normal), dtype).verdict.status is Status.FAIL


def test_a_zero_that_rounding_leaves_no_zero_proves_nothing():
    """An answer near 0 may be right or wrong if the reference cancels to 0 and rounded numbers do not."""
    cancels = replace(QUANTITIES["loss"], oracle=lambda p: ((p.X - p.X) + (p.Y - CASE.Y).sum(),))
    answer = np.zeros(CASE.X.shape, np.float32)
    right = Oracle(CASE, cancels)
    assert compare((answer,), right, "float32").verdict.status is Status.INCONCLUSIVE
    assert not right.is_conclusive


def test_an_oracle_that_is_not_finite_passes_nothing():
    broken = replace(QUANTITIES["loss"], oracle=lambda p: (np.asarray(np.nan),))
    with pytest.raises(ValueError, match="loss on digits: the oracle is not finite"):
        compare((np.zeros((), np.float32),), Oracle(DIGITS, broken), "float32")


class Stub:
    """An adapter that offers the loss and cannot compute it."""

    def describe(self):
        return Description("stub", "0", "float64", frozenset({"loss"}))

    def compute(self, problem, quantity):
        raise ZeroDivisionError(f"{quantity} of {problem.id}")


def test_an_adapter_that_raises_is_an_error_and_what_it_lacks_is_unimplemented():
    verdict = judge(Stub(), DIGITS, QUANTITIES["loss"])
    assert verdict.status is Status.ERROR
    assert re.fullmatch(r"ZeroDivisionError: loss of digits \(test_tolerances.py:\d+\)", verdict.detail)
    assert judge(Stub(), DIGITS, QUANTITIES["kfra"]).status is Status.UNIMPLEMENTED


def test_tolerances_are_far_below_what_is_inconclusive():
    for dtype, loose in MAX_RELATIVE_TOLERANCE.items():
        for name in QUANTITIES:
            right = oracle(problem_of(name), name)
            relative = max(t / s for t, s in zip(right.tolerances(dtype), right.scales, strict=True))
            margin = 4 if name in ("reduction_ratio", "logdet_trace") else 10  # differences of larger numbers
            assert relative < loose / margin, name


@pytest.mark.parametrize("dtype", ROUNDOFF)
@pytest.mark.parametrize("quantity", QUANTITIES)
def test_the_rule(quantity, dtype):
    """c (sqrt(n) u size + d), term by term."""
    n, u = longest_sum(CASE), ROUNDOFF[dtype]
    assert n == 13  # the datapoints: more than the 11 + 1 inputs that a layer might have
    right = oracle(CASE, quantity)
    for i, tolerance in enumerate(right.tolerances(dtype)):
        assert right.scales[i] == np.max(np.abs(right.arrays[i]))
        moved = right.changes[i] * u / 2.0**-24
        assert tolerance == pytest.approx(C * (n**0.5 * u * right.sizes[i] + moved), rel=1e-12)
