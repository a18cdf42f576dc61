"""Omega, products with Kronecker blocks and their traces, and damped solves and log determinants (Appendix C.1).

The curvature matrix of conjugate gradients is the exact Gauss-Newton matrix or one of its diagonal blocks. All other
quantities of this module have the curvature matrices Q_l kron G_l of KFRA. The right-hand side is the direction V of
the problem.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import kfgn_reference as ref
import numpy as np

from ..per_problem import once_per_problem
from ..problems.problem import Array, Problem
from .quantity import Quantity, in_order, keyed, of_blocks, of_preactivations
from .sizes import Arrays, LargestMagnitude, condition, magnified_by, size_of_log_determinant

NORMS = ("trace", "frobenius", "spectral")


@once_per_problem
def factors(p: Problem) -> list[tuple[Array, Array]]:
    """The factors Q_l and G_l of KFRA for each layer."""
    return list(zip(in_order(ref.expected_q(p.reference, p.X)), in_order(ref.kfra(p.reference, p.X, p.Y)), strict=True))


def for_each_block(p: Problem, f: Callable[[Array, Array, Array], Any]) -> Arrays:
    """f(Q, G, V) for each layer."""
    return tuple(np.asanyarray(f(Q, G, V)) for (Q, G), V in zip(factors(p), p.arguments.direction, strict=True))


def damping(p: Problem) -> Array:
    """k = gamma + eta."""
    return p.arguments.gamma + p.arguments.eta


def omega_and_root(p: Problem, Q: Array, G: Array, norm: str) -> tuple[Any, Any]:
    """The numbers omega and sqrt(k) of (36)."""
    return ref.omega(Q, G, norm), np.sqrt(damping(p))


def factored_solve(p: Problem, norm: str) -> Arrays:
    """The product of the inverse of the factored damped block (36) and V, for each layer."""
    return for_each_block(p, lambda Q, G, V: ref.factored_layer_direction(Q, G, V, *omega_and_root(p, Q, G, norm)))


def factored_condition(p: Problem, norm: str) -> tuple[float, ...]:
    """kappa(Q + omega sqrt(k) I) + kappa(G + omega^-1 sqrt(k) I) for each layer.

    kappa is the condition number.
    """
    damped = (ref.damped_factors(Q, G, *omega_and_root(p, Q, G, norm)) for Q, G in factors(p))
    return tuple(condition(Q) + condition(G) for Q, G in damped)


def exact_condition(p: Problem) -> tuple[float, ...]:
    """The condition number of Q kron G + k I for each layer, with the largest eigenvalue of Q kron G counted twice.

    The largest eigenvalue counts twice because both factors are rounded, and their rounding errors add up in Q kron G.
    """

    def of_block(products: Array, k: float) -> float:
        return float((2 * np.max(products) + k) / (np.min(products) + k))

    return tuple(of_block(*spectrum) for spectrum in spectra(p))


def spectra(p: Problem) -> list[tuple[Array, float]]:
    """The eigenvalues of Q kron G, as a matrix shaped like W_l^T, and the damping k, for each layer."""
    k = float(damping(p))
    return [(np.outer(np.linalg.eigvalsh(Q), np.linalg.eigvalsh(G)), k) for Q, G in factors(p)]


def size_of_exact_log_determinant(p: Problem, _arrays: Arrays) -> tuple[float, ...]:
    """The size of log det(Q kron G + k I) for each layer, with rounding errors in both factors."""
    return tuple(size_of_log_determinant(products + k, 2 * products + k) for products, k in spectra(p))


def size_of_factored_log_determinant(p: Problem, _arrays: Arrays) -> tuple[float, ...]:
    """The size of the log determinant of (36) for each layer.

    The log determinant is D_l log det(Q + omega sqrt(k) I) + P_l log det(G + omega^-1 sqrt(k) I), where P_l is the
    number of rows of Q.
    """

    def of_block(Q: Array, G: Array, _V: Array) -> float:
        q, g = (np.linalg.eigvalsh(A) for A in ref.damped_factors(Q, G, *omega_and_root(p, Q, G, "trace")))
        return len(g) * size_of_log_determinant(q, q) + len(q) * size_of_log_determinant(g, g)

    return tuple(map(float, for_each_block(p, of_block)))


def full_system(p: Problem) -> Array:
    """The matrix C-bar = G-bar + (tau + eta) I of Appendix C."""
    return ref.damped(ref.gauss_newton(p.reference, p.X, p.Y), p.arguments.tau + p.arguments.eta)


def block_systems(p: Problem) -> ref.PerLayer:
    """The diagonal blocks of the exact Gauss-Newton matrix, each plus (gamma + eta) I."""
    blocks = ref.gauss_newton_blocks(p.reference, p.X, p.Y)
    return {l: ref.damped(blocks[l], damping(p)) for l in blocks}


def conjugate_gradients(p: Problem) -> Arrays:
    """The product of the inverse of C-bar and V: (33) with C-bar instead of C-tilde, and V instead of grad f."""
    solution = ref.direction(full_system(p), ref.theta(keyed(p.arguments.direction)))
    return in_order(ref.per_layer(p.reference, solution))


def magnitudes_of_matvec(p: Problem, arrays: Arrays) -> Arrays:
    """Return a magnitude of each element of the product G V Q that stays large if terms nearly cancel.

    The magnitude of an element is the larger of two numbers. The first number is |G V Q|. The second number is the
    square root of the sum of (G_ij V_jk Q_kl)^2 over j and k. The tolerance rule assumes rounding errors with random
    signs, so the squares of rounding errors add up.
    """
    squares = for_each_block(p, lambda Q, G, V: np.sqrt(G**2 @ V**2 @ Q**2))
    return tuple(np.maximum(np.abs(a), b) for a, b in zip(arrays, squares, strict=True))


SOLVES = (
    Quantity(
        name="omega",
        equation="(38)",
        description="omega, the ratio that distributes the damping over Q and G: three numbers for each layer, with "
        "the trace norm, the Frobenius norm and the spectral norm",
        oracle=lambda p: for_each_block(p, lambda Q, G, V: np.stack([ref.omega(Q, G, norm) for norm in NORMS])),
        elements=lambda p: len(NORMS) * len(p.layers),
        irrational="a square root",
    ),
    Quantity(
        name="kronecker_matvec",
        equation="(20)",
        description="(Q_l kron G_l) vec(V_l), where Q_l and G_l are KFRA's factors; shaped like the weights",
        oracle=lambda p: for_each_block(p, lambda Q, G, V: ref.factored_product(Q, G, V)),
        elements=lambda p: p.parameters,
        array_kind="weights",
        degree=1,
        size=LargestMagnitude(magnitudes_of_matvec),
    ),
    Quantity(
        name="kronecker_trace",
        equation="(20)",
        description="tr(Q_l kron G_l), where Q_l and G_l are KFRA's factors: a number for each layer",
        oracle=lambda p: for_each_block(p, lambda Q, G, V: ref.trace(Q) * ref.trace(G)),
        elements=lambda p: len(p.layers),
        degree=1,
    ),
    *(
        Quantity(
            name=f"solve_{norm}",
            equation="(34), (36)",
            description="the solution X_l of A vec(X_l) = vec(V_l), shaped like the weights, where A is "
            "(Q_l + omega sqrt(k) I) kron (G_l + sqrt(k)/omega I) and k is gamma + eta; Q_l and G_l are KFRA's "
            f"factors, and omega is computed with the {norm} norm",
            oracle=partial(factored_solve, norm=norm),
            elements=of_preactivations,
            array_kind="weights",
            size=magnified_by(partial(factored_condition, norm=norm)),
            irrational="square roots of k and of norms",
        )
        for norm in NORMS
    ),
    Quantity(
        name="solve_exact",
        equation="(34), (35)",
        description="the solution X_l of A vec(X_l) = vec(V_l), shaped like the weights, where A is Q_l kron G_l + k I "
        "and k is gamma + eta; Q_l and G_l are KFRA's factors",
        oracle=lambda p: for_each_block(p, lambda Q, G, V: ref.exact_direction(Q, G, damping(p), V)),
        elements=of_preactivations,
        array_kind="weights",
        size=magnified_by(exact_condition),
        irrational="eigenvalues",
    ),
    Quantity(
        name="logdet_trace",
        equation="(36)",
        description="the log determinant of the matrix A of solve_trace: a number for each layer",
        oracle=lambda p: for_each_block(
            p, lambda Q, G, V: ref.factored_log_determinant(Q, G, *omega_and_root(p, Q, G, "trace"))
        ),
        elements=of_preactivations,
        size=size_of_factored_log_determinant,
        irrational="logarithms",
    ),
    Quantity(
        name="logdet_exact",
        equation="(35)",
        description="the log determinant of the matrix A of solve_exact: a number for each layer",
        oracle=lambda p: for_each_block(p, lambda Q, G, V: ref.exact_log_determinant(Q, G, damping(p))),
        elements=of_preactivations,
        size=size_of_exact_log_determinant,
        irrational="logarithms of eigenvalues",
    ),
    Quantity(
        name="conjugate_gradients",
        equation="(33)",
        description="C^-1 V, where C is the Gauss-Newton matrix plus (tau + eta) I; shaped like the weights",
        oracle=conjugate_gradients,
        elements=lambda p: p.parameters**2,
        array_kind="weights",
        size=magnified_by(lambda p: (condition(full_system(p)),)),
    ),
    Quantity(
        name="block_conjugate_gradients",
        equation="(34)",
        description="C^-1 V_l for each layer, where C is the layer's diagonal block of the Gauss-Newton matrix plus "
        "(gamma + eta) I",
        oracle=lambda p: in_order(ref.layer_directions(block_systems(p), keyed(p.arguments.direction))),
        elements=of_blocks,
        array_kind="weights",
        size=magnified_by(lambda p: tuple(condition(C) for C in in_order(block_systems(p)))),
    ),
)
