"""The loss, its gradient, and the curvature matrices of Sections 2 and 3 and of Appendix D.

Each quantity is a mean over the batch or is computed from such means, except the labels and the quantities per
datapoint.
"""

from collections.abc import Callable

import kfgn_reference as ref

from ..problems.problem import Problem
from .quantity import Quantity, in_order, of_blocks, of_inputs, of_preactivations, single, stacked
from .sizes import Arrays


def kflr(p: Problem) -> ref.PerLayer:
    """G_l of KFLR for each layer."""
    return ref.kflr(p.reference, p.X, p.Y)


def kfra(p: Problem) -> ref.PerLayer:
    """G_l of KFRA for each layer."""
    return ref.kfra(p.reference, p.X, p.Y)


def kfac(p: Problem) -> ref.PerLayer:
    """G_l of KFAC for each layer, at the given labels."""
    return ref.kfac(p.reference, p.X, p.labels)


def blocks(p: Problem, second_factors: ref.PerLayer) -> Arrays:
    """Q_l kron G_l for each layer. An implementation with the factors c Q_l and G_l / c has the same product."""
    return in_order(ref.factored_blocks(ref.expected_q(p.reference, p.X), second_factors))


def blocks_of(name: str, equation: str, second_factors: Callable[[Problem], ref.PerLayer], degree: int) -> Quantity:
    """Make the quantity Q_l kron G_l, with the second factors G_l of a method."""
    return Quantity(
        name=name,
        equation=f"(20), {equation}",
        description=f"Q_l kron G_l of {name.removesuffix('_blocks').upper()}, with respect to vec(W_l)",
        oracle=lambda p: blocks(p, second_factors(p)),
        elements=of_blocks,
        array_kind="blocks",
        degree=degree,
    )


CURVATURE = (
    Quantity(
        name="loss",
        equation="Section 2.1",
        description="f, the mean of the loss E over the datapoints: a number",
        oracle=lambda p: single(ref.loss(p.reference, p.X, p.Y)),
        elements=lambda p: 1,
        degree=1,
    ),
    Quantity(
        name="gradient",
        equation="(3)",
        description="the gradient of f, shaped like the weights",
        oracle=lambda p: in_order(ref.gradient(p.reference, p.X, p.Y)),
        elements=lambda p: p.parameters,
        array_kind="weights",
        degree=1,
    ),
    Quantity(
        name="preactivation_hessians",
        equation="(8)-(10)",
        description="the Hessian of E with respect to h_l, per datapoint: (N, D_l, D_l) for each layer",
        oracle=lambda p: stacked(ref.sample_preactivation_hessians, p),
        elements=lambda p: p.N * of_preactivations(p),
        per_datapoint=True,
        mean=False,
        degree=1,
    ),
    Quantity(
        name="hessian_blocks",
        equation="(4), (7)",
        description="the diagonal blocks of the Hessian of f with respect to vec(W_l)",
        oracle=lambda p: in_order(ref.hessian_blocks(p.reference, p.X, p.Y)),
        elements=of_blocks,
        array_kind="blocks",
        degree=1,
    ),
    Quantity(
        name="preactivation_gauss_newton",
        equation="(15), (22)",
        description="J^T H_L J per datapoint, where J is the Jacobian of h_L with respect to h_l: "
        "(N, D_l, D_l) for each layer",
        oracle=lambda p: stacked(ref.sample_preactivation_gauss_newton, p),
        elements=lambda p: p.N * of_preactivations(p),
        per_datapoint=True,
        mean=False,
        degree=1,
    ),
    Quantity(
        name="gauss_newton_blocks",
        equation="(12)-(16)",
        description="the diagonal blocks of the Gauss-Newton matrix with respect to vec(W_l)",
        oracle=lambda p: in_order(ref.gauss_newton_blocks(p.reference, p.X, p.Y)),
        elements=of_blocks,
        array_kind="blocks",
        degree=1,
    ),
    Quantity(
        name="q",
        equation="(18), (21)",
        description="Q_l = E[a a^T] for each layer, where a is a_{l-1}, with a 1 appended if the layer has a bias",
        oracle=lambda p: in_order(ref.expected_q(p.reference, p.X)),
        elements=of_inputs,
        array_kind="inputs",
        degree=0,
        mean=False,  # with sums over the datapoints, G and Q kron G are N times as large, and Q is unchanged
    ),
    Quantity(
        name="kflr",
        equation="(23)-(25)",
        description="G_l of KFLR, the mean Gauss-Newton matrix with respect to h_l, computed from a square root of "
        "H_L: (D_l, D_l) for each layer",
        oracle=lambda p: in_order(kflr(p)),
        elements=of_preactivations,
        degree=1,
    ),
    Quantity(
        name="kfra",
        equation="(26)",
        description="G_l of KFRA, by the recursion over means that begins with E[H_L]: (D_l, D_l) for each layer",
        oracle=lambda p: in_order(kfra(p)),
        elements=of_preactivations,
        degree=1,
    ),
    Quantity(
        name="kfac",
        equation="(59)",
        description="G_l of KFAC, the mean of g g^T, where g is dE/dh_l at the given labels: (D_l, D_l) for each layer",
        oracle=lambda p: in_order(kfac(p)),
        elements=of_preactivations,
        degree=2,
    ),
    Quantity(
        name="rp",
        equation="(24)",
        description="G_l, computed from the given random projections of the square root of H_L: "
        "(D_l, D_l) for each layer",
        oracle=lambda p: in_order(ref.rp(p.reference, p.X, p.Y, p.arguments.projections)),
        elements=of_preactivations,
        degree=1,
    ),
    blocks_of("kflr_blocks", "(25)", kflr, degree=1),
    blocks_of("kfra_blocks", "(26)", kfra, degree=1),
    blocks_of("kfac_blocks", "(59)", kfac, degree=2),
    Quantity(
        name="labels",
        equation="D.3",
        description="labels sampled from the network's predictive distribution with the given draws: "
        "(N, S, D_L), or (N, S) classes",
        oracle=lambda p: single(ref.draw_labels(p.reference, p.X, p.draws)),
        elements=lambda p: p.draws.size,
        degree=0,
        mean=False,
    ),
)
