"""The rule can fail: its power, and the statuses on either side of its lines."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from kfgn_conformance import QUANTITIES, Status
from kfgn_conformance.adapters import Description
from kfgn_conformance.real import autoencoder, digits
from kfgn_conformance.strategies import problems
from kfgn_conformance.tolerances import LOOSE, ROUNDOFF, perturbed, sums, telling, truth
from kfgn_conformance.verdicts import compare, judge

DIGITS = digits()


def rounded(problem, quantity, dtype):
    """The oracle's arrays, rounded to the dtype: the best answer there is."""
    oracle = truth(problem, QUANTITIES[quantity])
    return [array.astype(np.int64 if oracle.integer else dtype) for array in oracle.arrays]


def with_error(problem, quantity, dtype, ratio, where=0):
    """The best answer with an error of so many tolerances planted in the largest element of one array."""
    answer = rounded(problem, quantity, dtype)
    tolerance = sums(problem, QUANTITIES[quantity], dtype)[where]
    flat = answer[where].reshape(-1)
    error = ratio * tolerance
    flat[np.argmax(np.abs(flat))] += np.sign(error) * np.ceil(error) if flat.dtype.kind == "i" else error
    return compare(tuple(answer), problem, QUANTITIES[quantity], dtype)


@pytest.mark.parametrize("dtype", ROUNDOFF)
@pytest.mark.parametrize("quantity", QUANTITIES)
def test_a_planted_error_of_100_tolerances_fails_in_any_array(quantity, dtype):
    for where in range(len(rounded(DIGITS, quantity, dtype))):
        assert with_error(DIGITS, quantity, dtype, 0, where).status is Status.PASS
        assert with_error(DIGITS, quantity, dtype, 100, where).status is Status.FAIL


@given(problem=problems(), quantity=st.sampled_from(sorted(QUANTITIES)), dtype=st.sampled_from(sorted(ROUNDOFF)))
def test_a_planted_error_of_100_tolerances_fails_on_drawn_problems(problem, quantity, dtype):
    assume(telling(problem, QUANTITIES[quantity]))
    assume(sums(problem, QUANTITIES[quantity], dtype)[-1] > 0)
    assert with_error(problem, quantity, dtype, 100, where=-1).status is Status.FAIL


@pytest.mark.parametrize(
    ("ratio", "status"), [(0.8, Status.PASS), (1.3, Status.NON_STRICT), (29, Status.NON_STRICT), (31, Status.FAIL)]
)
def test_the_lines_between_pass_non_strict_and_fail(ratio, status):
    assert with_error(DIGITS, "kfra", "float64", ratio).status is status


def test_a_factor_of_two_fails_for_every_quantity():
    for name, quantity in QUANTITIES.items():
        doubled = tuple(2 * array for array in rounded(DIGITS, name, "float64"))
        assert compare(doubled, DIGITS, quantity, "float64").status is Status.FAIL, name


def test_another_method_fails():
    """KFRA is not KFLR, and the gradient is not that of another batch."""
    kfra = tuple(rounded(DIGITS, "kfra", "float32"))
    assert compare(kfra, DIGITS, QUANTITIES["kflr"], "float32").status is Status.FAIL
    other = tuple(rounded(DIGITS.head(63), "gradient", "float32"))
    assert compare(other, DIGITS, QUANTITIES["gradient"], "float32").status is Status.FAIL


def test_what_cancels_is_inconclusive():
    """At labels equal to the outputs the gradient is a difference of equal numbers, and no answer proves anything."""
    h = DIGITS.X @ DIGITS.weights[0][:, :-1].T + DIGITS.weights[0][:, -1]
    fitted = replace(
        DIGITS,
        layers=(DIGITS.layers[0]._replace(transfer=None),),
        objective="squared_error",
        weights=DIGITS.weights[:1],
        Y=h * (1 + 2**-22),
    )
    gradient = tuple(rounded(fitted, "gradient", "float32"))
    assert compare(gradient, fitted, QUANTITIES["gradient"], "float32").status is Status.INCONCLUSIVE
    assert compare((1000 * gradient[0],), fitted, QUANTITIES["gradient"], "float32").status is Status.FAIL
    assert not telling(fitted, QUANTITIES["gradient"])


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
    verdict = compare(spoil(tuple(rounded(DIGITS, "gradient", "float32"))), DIGITS, QUANTITIES["gradient"], "float32")
    assert verdict.status is Status.FAIL
    assert re.fullmatch(detail, verdict.detail)


def test_classes_are_integers():
    (labels,) = truth(DIGITS, QUANTITIES["labels"]).arrays
    assert compare((labels.astype(np.int32),), DIGITS, QUANTITIES["labels"], "float32").status is Status.PASS
    verdict = compare((labels.astype(np.float32),), DIGITS, QUANTITIES["labels"], "float32")
    assert (verdict.status, verdict.detail) == (Status.FAIL, "array 1: expected an integer dtype, got float32")


def test_an_oracle_that_is_not_finite_passes_nothing():
    broken = replace(QUANTITIES["loss"], oracle=lambda p: (np.asarray(np.nan),))
    with pytest.raises(ValueError, match="loss on digits: the oracle is not finite"):
        compare((np.zeros((), np.float32),), DIGITS, broken, "float32")


class Stub:
    """An adapter that offers the loss and cannot compute it."""

    def describe(self):
        return Description("stub", "0", "float64", frozenset({"loss"}))

    def compute(self, problem, quantity):
        raise ZeroDivisionError(f"{quantity} of {problem.id}")


def test_an_adapter_that_raises_is_an_error_and_what_it_lacks_is_unimplemented():
    verdict = judge(Stub(), DIGITS, QUANTITIES["loss"])
    assert (verdict.status, verdict.detail) == (Status.ERROR, "ZeroDivisionError: loss of digits")
    assert judge(Stub(), DIGITS, QUANTITIES["kfra"]).status is Status.UNIMPLEMENTED


def test_tolerances_are_far_below_what_is_inconclusive():
    for dtype, loose in LOOSE.items():
        for name, quantity in QUANTITIES.items():
            scales = truth(DIGITS, quantity).scales
            relative = max(t / s for t, s in zip(sums(DIGITS, quantity, dtype), scales, strict=True))
            assert relative < loose / 10, name


def test_the_change_is_linear_in_the_step():
    """d, measured at 2^-24 and scaled, stands for moves of another roundoff: it is a first derivative."""
    oracle = QUANTITIES["kflr"].oracle
    base = oracle(DIGITS)
    moved = [oracle(perturbed(DIGITS, np.random.default_rng(7), step)) for step in (2.0**-24, 2.0**-30)]
    for q, coarse, fine in zip(base, *moved, strict=True):
        ratio = np.max(np.abs(coarse - q)) / np.max(np.abs(fine - q))
        assert ratio == pytest.approx(2**6, rel=1e-3)


def test_one_perturbation_is_enough_for_many_weights():
    """d of the autoencoder's matrices from one perturbation and from another: the same within a factor of 3."""
    oracle = QUANTITIES["q"].oracle
    base = oracle(autoencoder())
    moved = [oracle(perturbed(autoencoder(), np.random.default_rng(seed), 2.0**-24)) for seed in range(3)]
    changes = np.array([[np.max(np.abs(b - a)) for a, b in zip(base, arrays, strict=True)] for arrays in moved])
    assert np.all(changes.max(axis=0) < 3 * changes.min(axis=0))
