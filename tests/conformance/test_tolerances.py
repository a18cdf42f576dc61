"""The power of the tolerance rule, and the statuses on either side of its limits."""

import re
from dataclasses import replace
from functools import cache

import kfgn_reference as ref
import numpy as np
import pytest
from hypothesis import assume, given, strategies as st
from kfgn_conformance import QUANTITIES, Status
from kfgn_conformance.adapters import Description
from kfgn_conformance.arithmetic import Single
from kfgn_conformance.changes import PERTURBATIONS, UnusableOracleError, changes, perturbed
from kfgn_conformance.judging import compare, judge
from kfgn_conformance.oracle import Oracle
from kfgn_conformance.problem_sets.drawn import problems
from kfgn_conformance.problems.cases import case, cases
from kfgn_conformance.problems.layers import dense_layers
from kfgn_conformance.problems.real import autoencoder, digits
from kfgn_conformance.quantities.solves import block_systems, damping, factors, full_system, omega_and_root
from kfgn_conformance.tolerances import MAX_RELATIVE_TOLERANCE, ROUNDOFF, C, longest_sum

DIGITS = digits()
CASE = case("bernoulli", "project", ("tanh", "softplus"))

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
    assert (verdict.status, verdict.detail) == (Status.ERROR, "ZeroDivisionError: loss of digits")
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


def magnification(problem, name):
    """size / max|Q| of each array."""
    right = Oracle(problem, QUANTITIES[name])
    return np.array(right.sizes) / np.array(right.scales)


def test_sums_have_the_size_of_their_largest_element_and_differences_and_solves_a_larger_one():
    larger = [
        "reduction_ratio",
        "solve_trace",
        "solve_frobenius",
        "solve_spectral",
        "solve_exact",
        "logdet_trace",
        "logdet_exact",
        "conjugate_gradients",
        "block_conjugate_gradients",
    ]
    for name in QUANTITIES:
        magnified = magnification(CASE, name)
        if name == "kronecker_matvec":  # by as much as its terms cancel, which they need not
            assert np.all(magnified >= 1)
            assert np.any(magnified > 1)
        else:
            assert np.all(magnified > 1) if name in larger else np.all(magnified == 1), name


def test_kappa_is_that_of_the_dense_systems():
    """By singular values of what is solved: the factors of (36), the block (35), and the two systems of (33), (34)."""
    k = damping(CASE)
    for norm in ref.NORMS:
        pairs = [ref.damped_factors(Q, G, *omega_and_root(CASE, Q, G, norm)) for Q, G in factors(CASE)]
        both = [sum(map(np.linalg.cond, pair)) for pair in pairs]
        assert magnification(CASE, f"solve_{norm}") == pytest.approx(both, rel=1e-9)
    twice = [np.linalg.norm(ref.damped_block(2 * Q, G, k), 2) for Q, G in factors(CASE)]
    inverses = [np.linalg.norm(np.linalg.inv(ref.damped_block(Q, G, k)), 2) for Q, G in factors(CASE)]
    assert magnification(CASE, "solve_exact") == pytest.approx(np.multiply(twice, inverses), rel=1e-9)
    assert magnification(CASE, "conjugate_gradients") == pytest.approx(np.linalg.cond(full_system(CASE)), rel=1e-9)
    systems = block_systems(CASE)
    blocks = [np.linalg.cond(systems[l]) for l in sorted(systems)]
    assert magnification(CASE, "block_conjugate_gradients") == pytest.approx(blocks, rel=1e-9)


@pytest.mark.parametrize("name", ["logdet_trace", "logdet_exact"])
def test_the_size_of_a_log_determinant_bounds_what_rounding_makes_of_it(name):
    """Factors whose every element is rounded to float32: the change is below the size, and within 1000 of it."""
    quantity = QUANTITIES[name]

    def log_determinant(Q, G):
        if name == "logdet_exact":
            return ref.exact_log_determinant(Q, G, damping(CASE))
        return ref.factored_log_determinant(Q, G, *omega_and_root(CASE, Q, G, "trace"))

    for (Q, G), size in zip(factors(CASE), Oracle(CASE, quantity).sizes, strict=True):
        Q_32, G_32 = (A.astype(np.float32).astype(np.float64) for A in (Q, G))
        change = max(abs(log_determinant(*pair) - log_determinant(Q, G)) for pair in ((Q_32, G), (Q, G_32)))
        assert size / 1000 < change / ROUNDOFF["float32"] < size


def test_the_size_of_a_product_is_that_of_its_terms():
    """A product that is a small difference of large terms has errors of either sign."""
    Q, G = factors(CASE)[0]
    V = CASE.arguments.direction[0]
    terms = np.einsum("ij,jk,kl->iljk", G, V, Q)
    assert oracle(CASE, "kronecker_matvec").sizes[0] == pytest.approx(
        max(np.max(np.abs(np.sum(terms, (2, 3)))), np.max(np.sqrt(np.sum(terms**2, (2, 3)))))
    )


def test_the_size_of_the_reduction_ratio_is_that_of_what_its_two_differences_cancel():
    """A short step changes the loss by little of itself, and rho keeps so many digits fewer."""

    def shorter(problem, factor):
        direction = tuple(V * factor for V in problem.arguments.direction)
        return replace(problem, arguments=problem.arguments._replace(direction=direction))

    long, short = (magnification(shorter(CASE, factor), "reduction_ratio") for factor in (2.0**-6, 2.0**-12))
    assert 2**5 < short / long < 2**7
    loss = oracle(CASE, "loss").scales[0]
    before = loss + float(CASE.arguments.eta) * sum(np.sum(W**2) for W in CASE.weights) / 2
    delta = dict(enumerate(shorter(CASE, 2.0**-12).arguments.direction, start=1))
    slope = ref.dot(delta, ref.regularised_gradient(CASE.reference, CASE.X, CASE.Y, CASE.arguments.eta))
    assert short == pytest.approx(2 * before / abs(slope) + 1, rel=1e-2)


def less_damped(problem, size):
    """The problem with weaker damping, and so with worse systems."""
    gamma, eta = np.array(size), np.array(size / 4)
    return replace(problem, arguments=problem.arguments._replace(tau=gamma, gamma=gamma, eta=eta))


def by_lapack(problem, name, dtype):
    """An answer of a solve by another algorithm, LU with pivots, in the dtype, from matrices that it rounds first."""
    V = dict(enumerate(problem.arguments.direction, start=1))
    if name == "conjugate_gradients":
        x = np.linalg.solve(full_system(problem).astype(dtype), ref.theta(V).astype(dtype))
        return tuple(ref.per_layer(problem.reference, x).values())
    if name == "solve_exact":
        systems = [ref.damped_block(Q, G, damping(problem)) for Q, G in factors(problem)]
    else:
        blocks = block_systems(problem)
        systems = [blocks[l] for l in sorted(blocks)]
    pairs = zip(systems, V.values(), strict=True)
    return tuple(ref.unvec(np.linalg.solve(A.astype(dtype), ref.vec(V_l).astype(dtype)), len(V_l)) for A, V_l in pairs)


LINEAR = ("solve_exact", "conjugate_gradients", "block_conjugate_gradients")


@pytest.mark.parametrize("dtype", ROUNDOFF)
@pytest.mark.parametrize("name", LINEAR)
def test_a_right_solve_passes_in_either_dtype(name, dtype):
    """Also where the damping is weak and kappa some tens or hundreds."""
    for problem in cases()[::7]:
        for p in (problem, less_damped(problem, 2.0**-5)):
            verdict = compare(by_lapack(p, name, dtype), Oracle(p, QUANTITIES[name]), dtype).verdict
            assert verdict.status is Status.PASS, verdict


def test_kappa_is_for_algorithms_that_lose_more_than_that_of_the_reference():
    """The solution of a block that is off by 8 u of its norm, as a solver of the dense block may have it.

    d alone is what the reference loses by eigenvalues of both factors, and too little for this right answer.
    """
    excess = []
    for problem in cases()[::7]:
        p = less_damped(problem, 2.0**-10)
        right = Oracle(p, QUANTITIES["solve_exact"])
        d = [change * ROUNDOFF["float64"] / ROUNDOFF["float32"] for change in right.changes]
        answer = []
        for (Q, G), V in zip(factors(p), p.arguments.direction, strict=True):
            block = ref.damped_block(Q, G, damping(p))
            values, vectors = np.linalg.eigh(block)
            weakest = vectors[:, :1] @ vectors[:, :1].T * values[-1]  # where an error is magnified most
            answer.append(ref.unvec(np.linalg.solve(block - 8 * 2.0**-53 * weakest, ref.vec(V)), len(V)))
        assert compare(tuple(answer), right, "float64").verdict.ratio < 1
        excess.extend(np.max(np.abs(a - b)) / (C * d_l) for a, b, d_l in zip(answer, right.arrays, d, strict=True))
    assert max(excess) > 1


def test_a_size_that_is_not_finite_passes_nothing():
    singular = replace(QUANTITIES["gradient"], size=lambda p, arrays: (np.inf,))
    with pytest.raises(ValueError, match=f"gradient on {CASE.id}: the oracle is not finite"):
        Oracle(CASE, singular).value  # noqa: B018
    assert not Oracle(CASE, singular).is_conclusive


def test_an_oracle_without_a_value_in_24_bits_passes_nothing():
    def unusable(p):
        if isinstance(p.X, Single):
            raise ValueError("not positive definite")
        return (np.ones(1),)

    broken = replace(QUANTITIES["loss"], oracle=unusable)
    with pytest.raises(UnusableOracleError, match="loss on digits: no value with 24 bits: not positive definite"):
        Oracle(DIGITS, broken).changes  # noqa: B018
    assert not Oracle(DIGITS, broken).is_conclusive


def test_d_is_at_least_the_last_rounding_and_nothing_for_integers():
    """A value that no perturbation moves is still rounded once."""
    constant = replace(QUANTITIES["loss"], oracle=lambda p: (np.full(2, 0.1), np.arange(3)))
    assert changes(CASE, constant) == (float(f"{0.1 * 2.0**-24:.3g}"), 0.0)


def test_d_is_at_least_twice_the_root_mean_square():
    """The changes of one number may all be small by chance, and then their largest is too low a bound."""
    calls = iter(range(PERTURBATIONS + 1))
    steady = replace(QUANTITIES["loss"], oracle=lambda p: (np.array(1.0 if next(calls) == 0 else 1 + 2.0**-10),))
    assert changes(CASE, steady) == (float(f"{2 * 2.0**-10:.3g}"),)


def test_d_is_the_same_when_it_is_computed_again():
    for name in ("loss", "kfra", "solve_exact"):
        assert changes(CASE.head(2), QUANTITIES[name]) == changes(CASE.head(2), QUANTITIES[name])


def test_d_sees_what_a_recursion_cancels():
    """w^T G w with G = C C^T and a small C^T w: rounding G loses what no move of the problem's numbers shows."""
    C_T, w = np.array([[1.0, 0.9375], [0.9375, 0.875]]), np.array([[0.9375], [-1.0]])
    weights = tuple(np.column_stack([W, np.zeros(len(W))]) for W in (np.ones((1, 1)), w, C_T))
    problem = replace(
        CASE,
        inputs=1,
        layers=dense_layers((1, 1, 2, 2), ("identity", "identity")),
        objective="squared_error",
        weights=weights,
        X=np.ones((1, 1)),
        Y=np.zeros((1, 2)),
    )
    quantity = QUANTITIES["preactivation_gauss_newton"]
    right = Oracle(problem, quantity)
    (G, *_), d = right.arrays, right.changes[0]
    neighbours = [perturbed(problem, np.random.default_rng(seed), 2.0**-24) for seed in range(8)]
    moved = max(np.max(np.abs(quantity.oracle(neighbour)[0] - G)) for neighbour in neighbours)
    assert d > 30 * moved


def test_the_change_is_linear_in_the_step():
    """d is a first derivative, so d measured at 2^-24 can be scaled to a different roundoff."""
    oracle = QUANTITIES["kflr"].oracle
    base = oracle(DIGITS)
    moved = [oracle(perturbed(DIGITS, np.random.default_rng(7), step)) for step in (2.0**-24, 2.0**-30)]
    for q, coarse, fine in zip(base, *moved, strict=True):
        ratio = np.max(np.abs(coarse - q)) / np.max(np.abs(fine - q))
        assert ratio == pytest.approx(2**6, rel=1e-3)


def test_one_perturbation_is_enough_for_many_weights():
    """d of the autoencoder's matrices from one perturbation and from another: the same within a factor of 3."""
    oracle = QUANTITIES["q"].oracle
    problem = autoencoder().head(16)
    base = oracle(problem)
    moved = [oracle(perturbed(problem, np.random.default_rng(seed), 2.0**-24)) for seed in range(3)]
    changes = np.array([[np.max(np.abs(b - a)) for a, b in zip(base, arrays, strict=True)] for arrays in moved])
    assert np.all(changes.max(axis=0) < 3 * changes.min(axis=0))
