"""Products with the Jacobian, the Gauss-Newton matrix and the Hessian, and the step along a direction (Appendix C.2).

The products are computed without these matrices. The vectors are the direction V and the cotangents u_n in the
arguments of the problem.
"""

from collections.abc import Callable

import kfgn_reference as ref
import numpy as np

from ..problems.problem import Array, Problem
from .quantity import Quantity, in_order, keyed, single
from .sizes import Arrays, largest


def transposed_jacobian_product(p: Problem) -> Arrays:
    """1/N sum_n J_n^T u_n."""
    pairs = zip(p.X, p.arguments.cotangents, strict=True)
    return in_order(ref.expectation(ref.transposed_jacobian_product(p.reference, x, u) for x, u in pairs))


Product = Callable[[ref.Network, Array, Array, ref.PerLayer], ref.PerLayer]


def layer_by_layer(p: Problem, product: Product) -> Arrays:
    """Multiply V by the diagonal blocks of a matrix, where `product` multiplies V by the full matrix.

    Layer l of the result is layer l of `product` for a V that is 0 in all other layers.
    """
    V = keyed(p.arguments.direction)
    zeros = {l: np.zeros_like(V_l) for l, V_l in V.items()}
    return tuple(product(p.reference, p.X, p.Y, zeros | {l: V[l]})[l] for l in V)


def along(p: Problem) -> tuple[ref.Network, Array, Array, ref.PerLayer, Array, Array]:
    """Return the network, X, Y, V, tau and eta, the arguments of the reference's functions for (32) and (39)-(42)."""
    return p.reference, p.X, p.Y, keyed(p.arguments.direction), p.arguments.tau, p.arguments.eta


def size_of_ratio(p: Problem, arrays: Arrays) -> tuple[float, ...]:
    """The size of rho in the tolerance rule: a sum of magnitudes of the terms in (42), divided by the denominator.

    The sum has the terms of the numerator, and |rho| times the terms of the denominator.
    """
    net, X, Y, delta, tau, eta = along(p)
    before, after = (ref.regularised_loss(at, X, Y, eta) for at in (net, ref.moved(net, delta)))
    change = ref.dot(delta, ref.regularised_gradient(net, X, Y, eta))
    curvature = ref.curvature_along(net, X, Y, delta, tau, eta) / 2
    with np.errstate(divide="ignore"):
        terms = before + after + largest(arrays[0]) * (abs(change) + curvature)
        return (float(terms / abs(change + curvature)),)


PRODUCTS = (
    Quantity(
        name="jacobian_product",
        equation="C.2",
        description="J V per datapoint, where J is the Jacobian of h_L with respect to the weights: (N, D_L)",
        oracle=lambda p: single(
            np.stack([ref.jacobian_product(p.reference, x, keyed(p.arguments.direction)) for x in p.X])
        ),
        elements=lambda p: p.arguments.cotangents.size,
        degree=0,
        mean=False,
    ),
    Quantity(
        name="transposed_jacobian_product",
        equation="C.2",
        description="the mean of J^T u over the datapoints, where u are the cotangents; shaped like the weights",
        oracle=transposed_jacobian_product,
        elements=lambda p: p.parameters,
        array_kind="weights",
        degree=0,
    ),
    Quantity(
        name="gauss_newton_product",
        equation="(13)",
        description="the product of the Gauss-Newton matrix of f with V, shaped like the weights",
        oracle=lambda p: in_order(ref.gauss_newton_product(p.reference, p.X, p.Y, keyed(p.arguments.direction))),
        elements=lambda p: p.parameters,
        array_kind="weights",
        degree=1,
    ),
    Quantity(
        name="gauss_newton_block_product",
        equation="(16)",
        description="the diagonal blocks of the Gauss-Newton matrix times V, shaped like the weights",
        oracle=lambda p: layer_by_layer(p, ref.gauss_newton_product),
        elements=lambda p: p.parameters,
        array_kind="weights",
        degree=1,
    ),
    Quantity(
        name="hessian_product",
        equation="(2)",
        description="the product of the Hessian of f with V, shaped like the weights",
        oracle=lambda p: in_order(ref.hessian_product(p.reference, p.X, p.Y, keyed(p.arguments.direction))),
        elements=lambda p: p.parameters,
        array_kind="weights",
        degree=1,
    ),
    Quantity(
        name="hessian_block_product",
        equation="(4)",
        description="the diagonal blocks of the Hessian times V, shaped like the weights",
        oracle=lambda p: layer_by_layer(p, ref.hessian_product),
        elements=lambda p: p.parameters,
        array_kind="weights",
        degree=1,
    ),
    Quantity(
        name="curvature_along",
        equation="(41)",
        description="V^T (G + (tau + eta) I) V, where G is the Gauss-Newton matrix: a number",
        oracle=lambda p: single(ref.curvature_along(*along(p))),
        elements=lambda p: 1,
    ),
    Quantity(
        name="quadratic_model",
        equation="(32)",
        description="the quadratic model of f + eta/2 |theta|^2, damped with tau, at the step V: a number",
        oracle=lambda p: single(ref.model_along(*along(p))),
        elements=lambda p: 1,
    ),
    Quantity(
        name="step_size",
        equation="(39), (40)",
        description="alpha, the factor of V at which the quadratic model is smallest: a number",
        oracle=lambda p: single(ref.step_size(*along(p))),
        elements=lambda p: 1,
    ),
    Quantity(
        name="reduction_ratio",
        equation="(42)",
        description="rho, the change of f + eta/2 |theta|^2 by the step V, divided by the change that the quadratic "
        "model predicts: a number",
        oracle=lambda p: single(ref.reduction_ratio(*along(p))),
        elements=lambda p: 1,
        size=size_of_ratio,
    ),
)
