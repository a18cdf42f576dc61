"""The factors and the blocks of expand and reduce, from roots and from given labels, and the matrices of KFRA.

Expand and reduce are the approximations K-FAC-expand and K-FAC-reduce (Eschenhagen et al. 2023). O and I are the
numbers of rows and columns of the weights of a group or layer, where a bias is the last column. T is the number of
positions of the pre-activations.
"""

from collections.abc import Callable
from typing import Any

import kfgn_reference as ref
import kfgn_reference.shared_weights as shared

from ...problems.layers import Convolution, Flatten, Pooling
from ...problems.masked import is_masked
from ...problems.problem import Array, Problem
from ...problems.shared_weights.network import batch_of
from ..quantity import Quantity, of_preactivations
from ..sizes import Arrays
from .pairs import (
    Batch,
    Batches,
    batches,
    for_each_group,
    of_group_blocks,
    of_group_outputs,
    of_inputs,
    of_layers,
    of_positions,
    sampled_batches,
)

Factors = Callable[[Batch], shared.Factors]
"""A function of the reference that computes the two factors of a group from its pairs."""


def factor_q(name: str, factors: Factors, description: str) -> Quantity:
    """The row of the first factor, Q."""
    as_q: dict[str, Any] = {"array_kind": "inputs", "degree": 0, "mean": False}
    return of_groups(name, lambda batch: factors(batch).Q, of_inputs, description, **as_q)


def factor_g(name: str, factors: Factors, description: str) -> Quantity:
    """The row of the second factor, G."""
    return of_groups(name, lambda batch: factors(batch).G, of_group_outputs, description, degree=1)


def block(name: str, factors: Factors, description: str, of: Batches = batches, degree: int = 1) -> Quantity:
    """The row of the block Q kron G."""
    as_block: dict[str, Any] = {"array_kind": "blocks", "degree": degree}
    return of_groups(name, lambda batch: factors(batch).block, of_group_blocks, description, of, **as_block)


def of_groups(
    name: str,
    f: Callable[[Batch], Array],
    elements: Callable[[Problem], int],
    description: str,
    of: Batches = batches,
    **fields: Any,
) -> Quantity:
    """The row of a quantity that `f` computes from the pairs of each group. fields: further fields of the row."""
    return Quantity(
        name=name,
        equation="Eschenhagen et al. 2023",
        description=description,
        oracle=for_each_group(f, of),
        elements=elements,
        of_shared_weights=True,
        per_group=True,
        **fields,
    )


def recursion(
    name: str,
    f: Callable[[shared.Network, Any, Any], ref.PerLayer],
    elements: Callable[[Problem], int],
    description: str,
    **fields: Any,
) -> Quantity:
    """The row of a recursion of KFRA, with a matrix for each layer with weights. fields: further fields of the row."""

    def oracle(p: Problem) -> Arrays:
        return of_layers(p, f(*batch_of(p)))

    return Quantity(
        name=name,
        equation="(26)",
        description=description,
        oracle=oracle,
        elements=elements,
        degree=1,
        of_shared_weights=True,
        **fields,
    )


def is_token_wise(p: Problem) -> bool:
    """True if no layer mixes positions."""
    return not any(isinstance(layer, Convolution | Pooling | Flatten) for layer in p.layers)


def has_no_mask(p: Problem) -> bool:
    """True if all datapoints have the same number of positions, so that their matrices over positions have a mean."""
    return not is_masked(p)


FACTORS = (
    factor_q(
        "expand_q",
        shared.expand,
        "Q of expand, the mean of a a^T over the datapoints and the positions: (I, I) for each group, where a is a "
        "patch, with a 1 appended if the layer has a bias",
    ),
    factor_g(
        "expand_g",
        shared.expand,
        "G of expand, the mean over the datapoints of the sum of C C^T over the positions, where C is the root of the "
        "Gauss-Newton matrix of the pre-activations at a position: (O, O) for each group",
    ),
    factor_q(
        "reduce_q",
        shared.reduce,
        "Q of reduce, the mean over the datapoints of b b^T, where b is the mean of the patches over the positions: "
        "(I, I) for each group",
    ),
    factor_g(
        "reduce_g",
        shared.reduce,
        "G of reduce, the mean over the datapoints of S S^T, where S is the sum of C over the positions: (O, O) for "
        "each group",
    ),
    block("expand_blocks", shared.expand, "Q kron G of expand, with respect to the vec of the weights of a group"),
    block("reduce_blocks", shared.reduce, "Q kron G of reduce, with respect to the vec of the weights of a group"),
    block(
        "expand_kfac_blocks",
        shared.expand,
        "Q kron G of expand, where the gradients at the given labels replace the root C: KFAC with shared weights",
        sampled_batches,
        degree=2,
    ),
    block(
        "reduce_kfac_blocks",
        shared.reduce,
        "Q kron G of reduce, where the gradients at the given labels replace the root C: KFAC with shared weights",
        sampled_batches,
        degree=2,
    ),
    recursion(
        "kfra_over_positions",
        shared.kfra_over_positions,
        of_positions,
        "the matrices of KFRA's recursion over all positions of the pre-activations: (O T, O T) for each layer, with "
        "the outputs of a position next to each other",
        condition=has_no_mask,
    ),
    recursion(
        "kfra_over_tokens",
        shared.kfra_over_tokens,
        of_preactivations,
        "G_l of KFRA's recursion with tokens as datapoints, as a sum over the positions and a mean over the "
        "datapoints: (O, O) for each layer, only for networks that do not mix positions",
        condition=is_token_wise,
    ),
    recursion(
        "kfra_over_taps",
        shared.kfra_over_taps,
        of_preactivations,
        "G_l of KFRA's recursion in closed form over the taps of each layer, as a sum over the positions and a mean "
        "over the datapoints: (O, O) for each layer",
    ),
)
