"""The network of a problem with shared weights, as `kfgn_reference.shared_weights` represents it.

In a problem, a layer with weights includes its transfer function. In the reference, a transfer function is a
separate layer, and an identity is left out. If a problem has a mask, the reference gets the datapoints without their
masked positions.
"""

from collections.abc import Iterator
from typing import Any, TypeAlias

import kfgn_reference.shared_weights as shared
import numpy as np

from ..arrays import Array
from ..layers import (
    Convolution,
    Dense,
    Embedding,
    Flatten,
    Layer,
    Normalisation,
    Pooling,
    ScaleShift,
    Transfer,
    Weighted,
)
from ..masked import has_all_positions, is_masked
from ..problem import Problem

Made: TypeAlias = (
    shared.Dense
    | shared.Convolution
    | shared.Embedding
    | shared.ScaleShift
    | shared.Normalisation
    | shared.Pooling
    | shared.Flatten
    | shared.Elementwise
)
"""A layer of the reference."""


def network_of(problem: Problem) -> shared.Network:
    """The network as the reference represents it."""
    weights = iter(problem.weights)
    pairs = zip(problem.layers, problem.shapes, strict=False)
    layers = [
        made
        for layer, below in pairs
        for made in _layers(layer, weights, one_window=is_masked(problem) and has_all_positions(layer, below))
    ]
    return shared.Network(tuple(layers), problem.objective, problem.divisor, problem.psd)


def _layers(layer: Layer, weights: Iterator[Array], *, one_window: bool) -> Iterator[Made]:
    """Yield the layers of the reference for a layer of a problem. A layer with weights takes the next of `weights`.

    one_window: True for a pooling layer whose window has all counted positions of each datapoint
    """
    if isinstance(layer, Pooling):
        yield shared.Pooling(None if one_window else layer.width, layer.stride, layer.kind)
    elif isinstance(layer, Flatten):
        yield shared.Flatten()
    elif isinstance(layer, Normalisation):
        yield shared.Normalisation(layer.epsilon)
    elif isinstance(layer, Embedding):
        yield shared.Embedding(next(weights))
    elif isinstance(layer, ScaleShift):
        yield shared.ScaleShift(next(weights), layer.bias)
    elif isinstance(layer, Dense):
        yield shared.Dense(next(weights), layer.bias)
    elif isinstance(layer, Convolution):
        yield shared.Convolution(
            next(weights),
            layer.width,
            layer.stride,
            layer.padding,
            layer.circular,
            layer.dilation,
            layer.groups,
            layer.bias,
        )
    if isinstance(layer, Weighted) and layer.transfer != "identity":
        yield shared.Elementwise(layer.transfer)


def batch_of(problem: Problem) -> tuple[shared.Network, Any, Any]:
    """The network, X and Y as arguments for the reference: arrays, or lists of the datapoints of a masked batch."""
    return network_of(problem), *counted(problem, problem.Y)


def sampled_batch_of(problem: Problem) -> tuple[shared.Network, Any, Any]:
    """The network, X and the given labels as arguments for the reference."""
    if not is_masked(problem):
        return network_of(problem), problem.X, problem.labels
    samples = [counted(problem, problem.labels[:, s])[1] for s in range(problem.labels.shape[1])]
    labels = [np.stack(of_datapoint) for of_datapoint in zip(*samples, strict=True)]
    return network_of(problem), counted(problem, problem.Y)[0], labels


def counted(problem: Problem, Y: Array) -> tuple[Any, Any]:
    """X and an array Y (N, *positions, ...) with the positions of the outputs, both without masked positions."""
    if not is_masked(problem):
        return problem.X, Y
    return shared.counted(problem.X, Y, problem.mask, problem.masks[-1])


def preactivations(problem: Problem, x: Array) -> list[tuple[Transfer, Array]]:
    """Each transfer function except identities, with its pre-activations (C_l, *positions) for a datapoint x."""
    net = network_of(problem)
    a = shared.forward(net, x)
    pairs = enumerate(net.layers, start=1)
    return [(layer.transfer, a[l - 1]) for l, layer in pairs if isinstance(layer, shared.Elementwise)]


def outputs(problem: Problem, x: Array) -> Array:
    """The outputs h_L of a datapoint x, with the positions before the outputs: (*positions, D_L)."""
    net = network_of(problem)
    h: Array = np.moveaxis(shared.forward(net, x)[net.L], 0, -1)
    return h
