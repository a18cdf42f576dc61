"""What is done with a damped curvature matrix, Appendix C.1: Kronecker blocks of KFRA's factors, and the exact systems
that conjugate gradients solve. The right-hand side is the problem's direction V.
"""

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import kfgn_reference as ref
import numpy as np

from ..problems import Array, Problem
from .quantity import Arrays, Quantity, in_order, keyed, of_blocks, of_preactivations

NORMS = ("trace", "frobenius", "spectral")


@lru_cache(maxsize=32)
def factors(p: Problem) -> list[tuple[Array, Array]]:
    """Q and KFRA's G of each layer."""
    return list(zip(in_order(ref.expected_q(p.reference, p.X)), in_order(ref.kfra(p.reference, p.X, p.Y)), strict=True))


def for_each_block(p: Problem, f: Callable[[Array, Array, Array], Any]) -> Arrays:
    """f(Q, G, V) of each layer."""
    return tuple(np.asarray(f(Q, G, V)) for (Q, G), V in zip(factors(p), p.probes.direction, strict=True))


def damping(p: Problem) -> Array:
    """k = gamma + eta."""
    return p.probes.gamma + p.probes.eta


def omega_and_root(p: Problem, Q: Array, G: Array, norm: str) -> tuple[Any, Any]:
    """omega and sqrt(k) of (36)."""
    return ref.omega(Q, G, norm), np.sqrt(damping(p))


def factored_solve(p: Problem, norm: str) -> Arrays:
    """(36)^-1 V."""
    return for_each_block(p, lambda Q, G, V: ref.factored_layer_direction(Q, G, V, *omega_and_root(p, Q, G, norm)))


def condition(A: Array) -> float:
    """The condition number of a symmetric positive definite matrix."""
    values = np.linalg.eigvalsh(A)
    return float(values[-1] / values[0])


def factored_condition(p: Problem, norm: str) -> tuple[float, ...]:
    """kappa(Q + omega sqrt(k) I) + kappa(G + omega^-1 sqrt(k) I)."""
    damped = (ref.damped_factors(Q, G, *omega_and_root(p, Q, G, norm)) for Q, G in factors(p))
    return tuple(condition(Q) + condition(G) for Q, G in damped)


def exact_condition(p: Problem) -> tuple[float, ...]:
    """kappa(Q kron G + k I)."""
    k = float(damping(p))

    def of_block(Q: Array, G: Array) -> float:
        products = np.outer(np.linalg.eigvalsh(Q), np.linalg.eigvalsh(G)) + k
        return float(np.max(products) / np.min(products))

    return tuple(of_block(Q, G) for Q, G in factors(p))


def full_system(p: Problem) -> Array:
    """C-bar = G-bar + (tau + eta) I."""
    return ref.damped(ref.gauss_newton(p.reference, p.X, p.Y), p.probes.tau + p.probes.eta)


def block_systems(p: Problem) -> ref.PerLayer:
    """G_l + (gamma + eta) I, exact blocks."""
    blocks = ref.gauss_newton_blocks(p.reference, p.X, p.Y)
    return {l: ref.damped(blocks[l], damping(p)) for l in blocks}


def conjugate_gradients(p: Problem) -> Arrays:
    """C-bar^-1 V."""
    solution = ref.direction(full_system(p), ref.theta(keyed(p.probes.direction)))
    return in_order(ref.per_layer(p.reference, solution))


SOLVES = (
    Quantity(
        name="omega",
        equation="(38)",
        oracle=lambda p: for_each_block(p, lambda Q, G, V: np.stack([ref.omega(Q, G, norm) for norm in NORMS])),
        elements=lambda p: len(NORMS) * len(p.layers),
        irrational="a square root",
    ),
    Quantity(
        name="kronecker_dense",
        equation="(20)",
        oracle=lambda p: for_each_block(p, lambda Q, G, V: np.kron(Q, G)),
        elements=of_blocks,
    ),
    Quantity(
        name="kronecker_matvec",
        equation="(20)",
        oracle=lambda p: for_each_block(p, lambda Q, G, V: ref.factored_product(Q, G, V)),
        elements=lambda p: p.parameters,
    ),
    Quantity(
        name="kronecker_trace",
        equation="(20)",
        oracle=lambda p: for_each_block(p, lambda Q, G, V: ref.trace(Q) * ref.trace(G)),
        elements=lambda p: len(p.layers),
    ),
    *(
        Quantity(
            name=f"solve_{norm}",
            equation="(34), (36)",
            oracle=partial(factored_solve, norm=norm),
            elements=of_preactivations,
            condition=partial(factored_condition, norm=norm),
            irrational="square roots of k and of norms",
        )
        for norm in NORMS
    ),
    Quantity(
        name="solve_exact",
        equation="(34), (35)",
        oracle=lambda p: for_each_block(p, lambda Q, G, V: ref.exact_direction(Q, G, damping(p), V)),
        elements=of_preactivations,
        condition=exact_condition,
        irrational="eigenvalues",
    ),
    Quantity(
        name="logdet_trace",
        equation="(36)",
        oracle=lambda p: for_each_block(
            p, lambda Q, G, V: ref.factored_log_determinant(Q, G, *omega_and_root(p, Q, G, "trace"))
        ),
        elements=of_preactivations,
        condition=partial(factored_condition, norm="trace"),
        irrational="logarithms",
    ),
    Quantity(
        name="logdet_exact",
        equation="(35)",
        oracle=lambda p: for_each_block(p, lambda Q, G, V: ref.exact_log_determinant(Q, G, damping(p))),
        elements=of_preactivations,
        condition=exact_condition,
        irrational="logarithms of eigenvalues",
    ),
    Quantity(
        name="conjugate_gradients",
        equation="(33)",
        oracle=conjugate_gradients,
        elements=lambda p: p.parameters**2,
        condition=lambda p: (condition(full_system(p)),),
    ),
    Quantity(
        name="block_conjugate_gradients",
        equation="(34)",
        oracle=lambda p: in_order(ref.layer_directions(block_systems(p), keyed(p.probes.direction))),
        elements=of_blocks,
        condition=lambda p: tuple(condition(C) for C in in_order(block_systems(p))),
    ),
)
