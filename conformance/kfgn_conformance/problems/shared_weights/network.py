"""The network of a problem with shared weights, as `kfgn_reference.shared_weights` represents it.

In a problem, a layer with weights includes its transfer function. In the reference, a transfer function is a
separate layer, and an identity is left out.
"""

from collections.abc import Iterator
from typing import TypeAlias

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
    layers = [made for layer in problem.layers for made in _layers(layer, weights)]
    return shared.Network(tuple(layers), problem.objective, problem.divisor, problem.psd)


def _layers(layer: Layer, weights: Iterator[Array]) -> Iterator[Made]:
    """Yield the layers of the reference for a layer of a problem. A layer with weights takes the next of `weights`."""
    if isinstance(layer, Pooling):
        yield shared.Pooling(layer.width, layer.stride, layer.kind)
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
