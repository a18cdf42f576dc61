"""Every quantity by the formulas of a textbook: batched NumPy in float64, one method to a step.

It is no oracle: the reference is. It is here so that a mistake can be made in one place: a mistaken textbook overrides
one step, and all that follows from that step follows. Without an override it equals the reference (a test has it).

* passes: forward and backward; curvature: Sections 2 and 3; products: Appendix C.2; solves: C.1; steps: Algorithm 1
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from ...quantities import Arrays
from .passes import PerLayer
from .steps import Steps

NORMS = ("trace", "frobenius", "spectral")


class Textbook(Steps):
    """Answers by name of quantity."""

    def answer(self, quantity: str) -> Arrays:
        """The quantity as the kit compares it: one array for each layer, or a single one."""
        value = ANSWERS[quantity](self)
        if isinstance(value, dict):
            value = [value[l] for l in sorted(value)]
        return tuple(np.asarray(a) for a in (value if isinstance(value, list) else [value]))


def _each(f: Callable[[Textbook, Any, Any, Any], Any]) -> Callable[[Textbook], PerLayer]:
    """f of the factors of each block, and V_l."""
    return lambda t: {l: f(t, Q, G, t.V[l]) for l, (Q, G) in t.factors().items()}


def _factored(method: str) -> Callable[[Textbook], PerLayer]:
    """Q_l kron G_l."""

    def blocks(t: Textbook) -> PerLayer:
        Q, G = t.q(), getattr(t, method)()
        return {l: t.kronecker(Q[l], G[l]) for l in G}

    return blocks


def _layer_by_layer(f: Callable[[Textbook, PerLayer], PerLayer]) -> Callable[[Textbook], PerLayer]:
    """The part of layer l in the product with V_l alone."""
    return lambda t: {l: f(t, t.alone(l))[l] for l in t.V}


ANSWERS: dict[str, Callable[[Textbook], Any]] = {
    "loss": lambda t: t.loss(),
    "gradient": lambda t: t.gradient(),
    "preactivation_hessians": lambda t: t.preactivation_hessians(),
    "hessian_blocks": lambda t: t.hessian_blocks(),
    "preactivation_gauss_newton": lambda t: t.preactivation_gauss_newton(),
    "gauss_newton_blocks": lambda t: t.gauss_newton_blocks(),
    "q": lambda t: t.q(),
    "kflr": lambda t: t.kflr(),
    "kfra": lambda t: t.kfra(),
    "kfac": lambda t: t.kfac(),
    "rp": lambda t: t.rp(),
    "labels": lambda t: t.labels(),
    "jacobian_product": lambda t: t.jacobian_product(t.V),
    "transposed_jacobian_product": lambda t: t.pulled_back(t.problem.arguments.cotangents),
    "gauss_newton_product": lambda t: t.gauss_newton_product(t.V),
    "gauss_newton_block_product": _layer_by_layer(lambda t, V: t.gauss_newton_product(V)),
    "hessian_product": lambda t: t.hessian_product(t.V),
    "hessian_block_product": _layer_by_layer(lambda t, V: t.hessian_product(V)),
    "curvature_along": lambda t: t.curvature_along(t.V),
    "quadratic_model": lambda t: t.quadratic_model(t.V),
    "step_size": lambda t: t.step_size(t.V),
    "reduction_ratio": lambda t: t.reduction_ratio(t.V),
    "omega": _each(lambda t, Q, G, V: np.stack([t.omega(Q, G, norm) for norm in NORMS])),
    **{f"{method}_blocks": _factored(method) for method in ("kflr", "kfra", "kfac")},
    "kronecker_matvec": _each(lambda t, Q, G, V: t.kronecker_matvec(Q, G, V)),
    "kronecker_trace": _each(lambda t, Q, G, V: t.kronecker_trace(Q, G)),
    "solve_trace": _each(lambda t, Q, G, V: t.factored_solve(Q, G, V, "trace")),
    "solve_frobenius": _each(lambda t, Q, G, V: t.factored_solve(Q, G, V, "frobenius")),
    "solve_spectral": _each(lambda t, Q, G, V: t.factored_solve(Q, G, V, "spectral")),
    "solve_exact": _each(lambda t, Q, G, V: t.exact_solve(Q, G, V)),
    "logdet_trace": _each(lambda t, Q, G, V: t.logdet_factored(Q, G)),
    "logdet_exact": _each(lambda t, Q, G, V: t.logdet_exact(Q, G)),
    "conjugate_gradients": lambda t: t.whole_solve(t.V),
    "block_conjugate_gradients": lambda t: t.block_solve(t.V),
    "optimiser_step": lambda t: t.optimiser_step(),
}

__all__ = ["ANSWERS", "PerLayer", "Textbook"]
