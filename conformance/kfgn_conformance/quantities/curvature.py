"""The loss, its gradient, and the curvature of Sections 2 and 3 and Appendix D: everything is a mean over the batch,
but for what is said to be per datapoint.
"""

import kfgn_reference as ref

from .quantity import Quantity, in_order, of_blocks, of_inputs, of_preactivations, single, stacked

CURVATURE = (
    Quantity(
        name="loss",
        equation="Section 2.1",
        oracle=lambda p: single(ref.loss(p.reference, p.X, p.Y)),
        elements=lambda p: 1,
    ),
    Quantity(
        name="gradient",
        equation="(3)",
        oracle=lambda p: in_order(ref.gradient(p.reference, p.X, p.Y)),
        elements=lambda p: p.parameters,
    ),
    Quantity(
        name="preactivation_hessians",
        equation="(8)-(10)",
        oracle=lambda p: stacked(ref.sample_preactivation_hessians, p),
        elements=lambda p: p.N * of_preactivations(p),
        per_datapoint=True,
    ),
    Quantity(
        name="hessian_blocks",
        equation="(4), (7)",
        oracle=lambda p: in_order(ref.hessian_blocks(p.reference, p.X, p.Y)),
        elements=of_blocks,
    ),
    Quantity(
        name="preactivation_gauss_newton",
        equation="(15), (22)",
        oracle=lambda p: stacked(ref.sample_preactivation_gauss_newton, p),
        elements=lambda p: p.N * of_preactivations(p),
        per_datapoint=True,
    ),
    Quantity(
        name="gauss_newton_blocks",
        equation="(12)-(16)",
        oracle=lambda p: in_order(ref.gauss_newton_blocks(p.reference, p.X, p.Y)),
        elements=of_blocks,
    ),
    Quantity(
        name="q",
        equation="(18), (21)",
        oracle=lambda p: in_order(ref.expected_q(p.reference, p.X)),
        elements=of_inputs,
    ),
    Quantity(
        name="kflr",
        equation="(23)-(25)",
        oracle=lambda p: in_order(ref.kflr(p.reference, p.X, p.Y)),
        elements=of_preactivations,
    ),
    Quantity(
        name="kfra",
        equation="(26)",
        oracle=lambda p: in_order(ref.kfra(p.reference, p.X, p.Y)),
        elements=of_preactivations,
    ),
    Quantity(
        name="kfac",
        equation="(59)",
        oracle=lambda p: in_order(ref.kfac(p.reference, p.X, p.labels)),
        elements=of_preactivations,
    ),
    Quantity(
        name="rp",
        equation="(24)",
        oracle=lambda p: in_order(ref.rp(p.reference, p.X, p.Y, p.probes.projections)),
        elements=of_preactivations,
    ),
    Quantity(
        name="labels",
        equation="D.3",
        oracle=lambda p: single(ref.draw_labels(p.reference, p.X, p.draws)),
        elements=lambda p: p.draws.size,
    ),
)
