"""The pairs from which approximations are computed on a problem with shared weights, and numbers of elements."""

import math
from collections.abc import Callable, Iterator
from typing import TypeAlias

import kfgn_reference as ref
import kfgn_reference.shared_weights as shared

from ...per_problem import once_per_problem
from ...problems.layers import group_shapes
from ...problems.problem import Array, Problem
from ...problems.shared_weights.network import batch_of, network_of, sampled_batch_of
from ..sizes import Arrays

Batch: TypeAlias = list[shared.Pairs]
"""The pairs of the N datapoints for one group of one layer.

A pair has the inputs a of the weights of the group, and the roots C, at every position of a datapoint.
"""

Batches = Callable[[Problem], list[Batch]]
"""A function of a problem that returns the pairs of every group of every layer with weights."""


@once_per_problem
def batches(p: Problem) -> list[Batch]:
    """The pairs with the roots (25s)."""
    found = shared.pairs(*batch_of(p))
    return [found[key] for key in sorted(found)]


@once_per_problem
def sampled_batches(p: Problem) -> list[Batch]:
    """The pairs with the gradients at the given labels instead of the roots."""
    found = shared.sampled_pairs(*sampled_batch_of(p))
    return [found[key] for key in sorted(found)]


def for_each_group(f: Callable[[Batch], Array], of: Batches = batches) -> Callable[[Problem], Arrays]:
    """The oracle that computes f(pairs) for every group of every layer with weights."""
    return lambda p: tuple(f(batch) for batch in of(p))


def of_layers(p: Problem, per_layer: ref.PerLayer) -> Arrays:
    """The arrays of the layers with weights, from a dictionary with the layers of the reference as keys."""
    return tuple(per_layer[l] for l in sorted(network_of(p).weighted))


def shapes_of_groups(p: Problem) -> Iterator[tuple[int, int]]:
    """Yield (O, I), the shape of the weights, for every group of every layer with weights."""
    for layer, W in zip(p.weighted, p.weights, strict=True):
        yield from group_shapes(layer, W.shape)


def of_inputs(p: Problem) -> int:
    """The number of elements of all factors of the inputs: the sum of I^2."""
    return sum(I**2 for _, I in shapes_of_groups(p))


def of_group_outputs(p: Problem) -> int:
    """The number of elements of all factors of the pre-activations, one for each group: the sum of O^2."""
    return sum(O**2 for O, _ in shapes_of_groups(p))


def of_group_blocks(p: Problem) -> int:
    """The number of elements of all blocks, one for each group: the sum of (O I)^2."""
    return sum((O * I) ** 2 for O, I in shapes_of_groups(p))


def of_positions(p: Problem) -> int:
    """The number of elements of the matrices over all positions of each activation.

    For activations with C channels at T positions, this number is the sum of (C T)^2.
    """
    return sum(math.prod(shape) ** 2 for shape in p.shapes[1:])
