"""The factors and the blocks of expand and reduce, at the exact roots and at given labels, and the factors of KFRA."""

import kfgn_reference.shared_weights as shared

from ...problems.layers import Dense
from ...problems.problem import Problem
from ...problems.shared_weights.network import network_of
from ..quantity import Quantity, of_preactivations
from .pairs import (
    for_each_group,
    of_group_blocks,
    of_group_outputs,
    of_inputs,
    of_layers,
    of_positions,
    sampled_batches,
)

SOURCE = "Eschenhagen et al. 2023"


def is_token_wise(p: Problem) -> bool:
    """True if no layer mixes positions."""
    return all(isinstance(layer, Dense) for layer in p.layers)


FACTORS = (
    Quantity(
        name="expand_q",
        equation=SOURCE,
        description="Q of expand, the mean of a a^T over the datapoints and the positions: (I, I) for each group, "
        "where a is a patch, with a 1 appended if the layer has a bias",
        oracle=for_each_group(lambda batch: shared.expand(batch).Q),
        elements=of_inputs,
        array_kind="inputs",
        degree=0,
        mean=False,
        of_shared_weights=True,
        per_group=True,
    ),
    Quantity(
        name="expand_g",
        equation=SOURCE,
        description="G of expand, the mean over the datapoints of the sum of C C^T over the positions, where C is the "
        "root of the Gauss-Newton matrix carried back to a position: (O, O) for each group",
        oracle=for_each_group(lambda batch: shared.expand(batch).G),
        elements=of_group_outputs,
        degree=1,
        of_shared_weights=True,
        per_group=True,
    ),
    Quantity(
        name="reduce_q",
        equation=SOURCE,
        description="Q of reduce, the mean over the datapoints of b b^T, where b is the mean of the patches over the "
        "positions: (I, I) for each group",
        oracle=for_each_group(lambda batch: shared.reduce(batch).Q),
        elements=of_inputs,
        array_kind="inputs",
        degree=0,
        mean=False,
        of_shared_weights=True,
        per_group=True,
    ),
    Quantity(
        name="reduce_g",
        equation=SOURCE,
        description="G of reduce, the mean over the datapoints of S S^T, where S is the sum of C over the positions: "
        "(O, O) for each group",
        oracle=for_each_group(lambda batch: shared.reduce(batch).G),
        elements=of_group_outputs,
        degree=1,
        of_shared_weights=True,
        per_group=True,
    ),
    Quantity(
        name="expand_blocks",
        equation=SOURCE,
        description="Q kron G of expand, with respect to the vec of the weights of a group",
        oracle=for_each_group(lambda batch: shared.expand(batch).block),
        elements=of_group_blocks,
        array_kind="blocks",
        degree=1,
        of_shared_weights=True,
        per_group=True,
    ),
    Quantity(
        name="reduce_blocks",
        equation=SOURCE,
        description="Q kron G of reduce, with respect to the vec of the weights of a group",
        oracle=for_each_group(lambda batch: shared.reduce(batch).block),
        elements=of_group_blocks,
        array_kind="blocks",
        degree=1,
        of_shared_weights=True,
        per_group=True,
    ),
    Quantity(
        name="expand_kfac_blocks",
        equation=SOURCE,
        description="Q kron G of expand, where the gradients at the given labels replace the root C: KFAC with shared "
        "weights",
        oracle=for_each_group(lambda batch: shared.expand(batch).block, sampled_batches),
        elements=of_group_blocks,
        array_kind="blocks",
        degree=2,
        of_shared_weights=True,
        per_group=True,
    ),
    Quantity(
        name="reduce_kfac_blocks",
        equation=SOURCE,
        description="Q kron G of reduce, where the gradients at the given labels replace the root C: KFAC with shared "
        "weights",
        oracle=for_each_group(lambda batch: shared.reduce(batch).block, sampled_batches),
        elements=of_group_blocks,
        array_kind="blocks",
        degree=2,
        of_shared_weights=True,
        per_group=True,
    ),
    Quantity(
        name="kfra_over_positions",
        equation="(26)",
        description="the matrices of KFRA's recursion over all positions of the pre-activations: (O T, O T) for each "
        "layer, with the outputs of a position next to each other",
        oracle=lambda p: of_layers(p, shared.kfra_over_positions(network_of(p), p.X, p.Y)),
        elements=of_positions,
        degree=1,
        of_shared_weights=True,
    ),
    Quantity(
        name="kfra_over_tokens",
        equation="(26)",
        description="G_l of KFRA's recursion with tokens as datapoints, a sum over the positions and a mean over the "
        "datapoints: (O, O) for each layer, for networks that do not mix positions",
        oracle=lambda p: of_layers(p, shared.kfra_over_tokens(network_of(p), p.X, p.Y)),
        elements=of_preactivations,
        degree=1,
        of_shared_weights=True,
        condition=is_token_wise,
    ),
    Quantity(
        name="kfra_over_taps",
        equation="(26)",
        description="G_l of KFRA's recursion in closed form over the taps of each layer, a sum over the positions and "
        "a mean over the datapoints: (O, O) for each layer",
        oracle=lambda p: of_layers(p, shared.kfra_over_taps(network_of(p), p.X, p.Y)),
        elements=of_preactivations,
        degree=1,
        of_shared_weights=True,
    ),
)
