"""The loss of a network with shared weights, its gradient, and its exact Hessian and Gauss-Newton blocks."""

import kfgn_reference.shared_weights as shared

from ...problems.shared_weights.network import batch_of
from ..quantity import Quantity, of_blocks, single
from .pairs import of_layers

EXACT = (
    Quantity(
        name="shared_loss",
        equation="Section 2.1",
        description="f with shared weights, the mean over the datapoints of the sum of E over the positions of the "
        "outputs, divided by the divisor: a number",
        oracle=lambda p: single(shared.loss(*batch_of(p))),
        elements=lambda p: 1,
        degree=1,
        of_shared_weights=True,
    ),
    Quantity(
        name="shared_gradient",
        equation="(3)",
        description="the gradient of f with shared weights, shaped like the weights: the mean over the datapoints of "
        "the sum of dE/dh a^T over the positions",
        oracle=lambda p: of_layers(p, shared.gradient(*batch_of(p))),
        elements=lambda p: p.parameters,
        array_kind="weights",
        degree=1,
        of_shared_weights=True,
    ),
    Quantity(
        name="shared_hessian_blocks",
        equation="(7s), (8s)",
        description="the diagonal blocks of the Hessian of f with respect to vec(W_l), with all pairs of positions",
        oracle=lambda p: of_layers(p, shared.hessian_blocks(*batch_of(p))),
        elements=of_blocks,
        array_kind="blocks",
        degree=1,
        of_shared_weights=True,
    ),
    Quantity(
        name="shared_gauss_newton_blocks",
        equation="(7s), (15s)",
        description="the diagonal blocks of the Gauss-Newton matrix with respect to vec(W_l), with all pairs of "
        "positions",
        oracle=lambda p: of_layers(p, shared.gauss_newton_blocks(*batch_of(p))),
        elements=of_blocks,
        array_kind="blocks",
        degree=1,
        of_shared_weights=True,
    ),
)
