"""The places of the layers in a network: the maps and the shapes that follow from its inputs and its layers."""

from math import prod
from typing import Any, NamedTuple

from .._words import shown
from .layer_map import LayerMap, Shape, WeightedMap


class Places(NamedTuple):
    """The maps of the layers, and the shapes of the activations.

    maps:      the linear map of each layer at its place in the network
    weighted:  the maps of the layers with weights; the keys are the indices of these layers, counted from 0
    shapes:    the shapes (C, T), (C, H, W) or (D,) of the network's inputs and of each layer's outputs
    widths:    the numbers of channels of the network's inputs and of each layer's outputs
    positions: the numbers of positions of the network's inputs and of each layer's outputs
    """

    maps: tuple[LayerMap, ...]
    weighted: dict[int, WeightedMap]
    shapes: tuple[Shape, ...]
    widths: tuple[int, ...]
    positions: tuple[int, ...]


def places_of(inputs: Any, layers: tuple[Any, ...]) -> Places:
    """The places of layers. Raises `ValueError`, with the number of the layer, for a layer that does not fit."""
    maps: list[Any] = []
    shapes: list[Shape] = [inputs if isinstance(inputs, tuple) else (inputs,)]
    for l, layer in enumerate(layers, start=1):
        try:
            layer_map, shape = layer.at(shapes[-1])
        except ValueError as error:
            raise ValueError(
                f"layers: expected layer {l} to fit inputs of shape {shapes[-1]}, got {shown(layer)}: {error}"
            ) from None
        maps.append(layer_map)
        shapes.append(shape)
    weighted = {l: maps[l] for l, layer in enumerate(layers) if layer.weight_shape(1) is not None}
    widths, positions = [shape[0] for shape in shapes], [prod(shape[1:]) for shape in shapes]
    return Places(tuple(maps), weighted, tuple(shapes), tuple(widths), tuple(positions))
