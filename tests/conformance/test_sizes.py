"""The size in the tolerance rule: of sums, products, quotients, solves and log determinants."""

from dataclasses import replace
from functools import cache

import kfgn_reference as ref
import numpy as np
import pytest
from kfgn_conformance import QUANTITIES, Status
from kfgn_conformance.judging import compare
from kfgn_conformance.oracle import Oracle
from kfgn_conformance.problems.cases import case, cases
from kfgn_conformance.quantities.solves import block_systems, damping, factors, full_system, omega_and_root
from kfgn_conformance.tolerances import ROUNDOFF, C

CASE = case("bernoulli", "project", ("tanh", "softplus"))


@cache
def oracle(problem, quantity):
    """The oracle of a quantity, by name."""
    return Oracle(problem, QUANTITIES[quantity])


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


@cache
def with_weak_damping(step):
    """Every `step`-th case, and each of them with weak damping, for which the tolerance is computed."""
    return [p for problem in cases()[::step] for p in (problem, less_damped(problem, 2.0**-5))]


@pytest.mark.parametrize("dtype", ROUNDOFF)
@pytest.mark.parametrize("name", LINEAR)
def test_a_right_solve_passes_in_either_dtype(name, dtype, thorough):
    """Also where the damping is weak and kappa some tens or hundreds."""
    for p in with_weak_damping(7 if thorough else 14):
        verdict = compare(by_lapack(p, name, dtype), oracle(p, name), dtype).verdict
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
