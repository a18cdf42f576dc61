"""Textbook formulas of every quantity of the paper, in batched NumPy and float64, with one method per step.

The kit takes the right values from the reference, and not from the textbook. The textbook exists so that one step can
be replaced by a mistake. A mistake is a subclass that overrides methods, and every quantity that depends on these
methods changes. The class `Textbook` itself has no mistake: a test compares every quantity of `Textbook` with the
reference.

* passes:    the forward and the backward pass
* roots:     the roots of H_L
* curvature: Sections 2 and 3, and Appendix D
* products:  Appendix C.2
* solves:    Appendix C.1
* eigenbases: EKFAC, which is not in the paper
* steps:     Algorithm 1
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from ...quantities import Arrays
from .passes import PerLayer
from .steps import Steps

NORMS = ("trace", "frobenius", "spectral")


class Textbook(Steps):
    """The formulas of every quantity of networks without shared weights, for one problem."""

    def answer(self, quantity: str) -> Arrays:
        """The arrays of a quantity in the kit's form: one per layer, a single array, or those of optimiser steps."""
        value = ANSWERS[quantity](self)
        if isinstance(value, dict):
            value = [value[l] for l in sorted(value)]
        return tuple(np.asarray(a) for a in (value if isinstance(value, list) else [value]))


def _each(f: Callable[[Textbook, Any, Any, Any], Any]) -> Callable[[Textbook], PerLayer]:
    """Return the formula that computes f(textbook, Q_l, G_l, V_l) for each layer l.

    Q_l and G_l are KFRA's factors, and V_l is the direction of the problem.
    """
    return lambda t: {l: f(t, Q, G, t.V[l]) for l, (Q, G) in t.factors().items()}


def _factored(method: str) -> Callable[[Textbook], PerLayer]:
    """Return the formula of the blocks Q_l kron G_l. The method that computes G_l is given by name, such as `kfra`."""

    def blocks(t: Textbook) -> PerLayer:
        Q, G = t.q(), getattr(t, method)()
        return {l: t.kronecker(Q[l], G[l]) for l in G}

    return blocks


def _layer_by_layer(f: Callable[[Textbook, PerLayer], PerLayer]) -> Callable[[Textbook], PerLayer]:
    """Return the formula of the product of a matrix's diagonal blocks and V, where f multiplies V by the full matrix.

    Layer l of the product is layer l of f for a V that is 0 in all other layers.
    """
    return lambda t: {l: f(t, t.only_layer(l))[l] for l in t.V}


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
"""The formula of each quantity of networks without shared weights, by the name of the quantity."""

__all__ = ["ANSWERS", "PerLayer", "Textbook"]
