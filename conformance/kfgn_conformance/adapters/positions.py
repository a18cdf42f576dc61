"""Conventions of layers with shared weights: the order of the inputs of a patch, and the divisors of factors."""

from collections.abc import Iterator

import numpy as np

from ..problems.layers import Convolution, Weighted, positions_of
from ..problems.masked import is_masked
from ..problems.problem import Array, Problem
from ..quantities import Arrays, Quantity

DIVISORS = ("positions", "datapoints", "none")
"""The known divisors of a factor: N T, N and 1, where T is the number of positions of the outputs of a layer.

If the problem has a mask, the number of counted positions of the batch replaces N T.
"""

DIVIDED = {
    "expand_q": "positions",
    "expand_g": "datapoints",
    "reduce_q": "datapoints",
    "reduce_g": "datapoints",
    "kfra_over_tokens": "datapoints",
    "kfra_over_taps": "datapoints",
}
"""The quantities whose divisor can be declared, with the divisor of the kit."""


def divisor_faults(given: object) -> Iterator[str]:
    """Messages about unknown names and unknown divisors in `Conventions.divisors`."""
    if not isinstance(given, dict):
        yield f"divisors: expected a dict with quantities as keys, got {type(given).__qualname__}"
        return
    for name, divisor in given.items():
        if name not in DIVIDED:
            yield f"divisors: expected quantities among {', '.join(DIVIDED)}, got {name!r}"
        if divisor not in DIVISORS:
            yield f"divisors: expected {' or '.join(DIVISORS)} for {name}, got {divisor!r}"


def with_divisor(arrays: Arrays, problem: Problem, quantity: Quantity, divisor: str) -> Arrays:
    """Multiply each factor by the declared divisor, and divide the factor by the divisor of the kit."""
    scaled = []
    counts = zip(problem.layers, numbers_of_positions(problem), strict=True)
    positions = [count for layer, count in counts if _has_weights(layer)]
    each = [
        count
        for layer, count in zip(problem.weighted, positions, strict=True)
        for _ in range(layer.groups if quantity.per_group else 1)
    ]
    for array, count in zip(arrays, each, strict=False):
        sizes = {"positions": count, "datapoints": problem.N, "none": 1}
        factor = sizes[divisor] / sizes[DIVIDED[quantity.name]]
        scaled.append(np.asarray(array * np.asarray(factor, array.dtype)))
    return (*scaled, *arrays[len(scaled) :])


def numbers_of_positions(problem: Problem) -> list[int]:
    """The number of positions of the outputs of each layer over all datapoints, N T.

    If the problem has a mask, only counted positions are included.
    """
    if is_masked(problem):
        return [int(np.sum(mask)) for mask in problem.masks[1:]]
    return [problem.N * positions_of(shape) for shape in problem.shapes[1:]]


def _has_weights(layer: object) -> bool:
    return isinstance(layer, Weighted)


def has_patches(problem: Problem) -> bool:
    """True if some layer is a convolution."""
    return any(isinstance(layer, Convolution) for layer in problem.layers)


def taps_first(array: Array, layer: Weighted, shape: tuple[int, int], kind: str) -> Array:
    """Reorder the inputs of a convolution from channel by channel to tap by tap, in weights, in Q or in a block.

    The constant input 1 of the bias stays the last input. An array is unchanged if its layer is not a convolution, or
    if its shape does not fit the shape of the weights.

    shape: the shape (D, P) of the weights to which the array belongs
    """
    D, P = shape
    if not isinstance(layer, Convolution) or layer.taps > P:
        return array
    channels = P // layer.taps
    order = np.arange(channels * layer.taps).reshape(channels, layer.taps).T.ravel()
    order = np.concatenate([order, np.arange(len(order), P)])
    if kind == "weights" and array.shape == (D, P):
        return array[:, order]
    if kind == "inputs" and array.shape == (P, P):
        return array[order][:, order]
    if kind == "blocks" and array.shape == (D * P, D * P):
        return array.reshape(P, D, P, D)[order][:, :, order].reshape(D * P, D * P)
    return array
