"""Checks of the fields of a network: its inputs and its layers."""

from collections.abc import Mapping, Set
from typing import Any

from .._validation.scalars import checked_count, checked_integer
from .._words import shown
from .convolution import Convolution
from .dense import Dense
from .embedding import Embedding
from .flatten import Flatten
from .normalisation import Normalisation
from .pooling import Pooling
from .scale_shift import ScaleShift

WITH_POSITIONS = (Dense, Convolution, Pooling, Flatten, Normalisation, ScaleShift, Embedding)
"""The kinds of layers of a network with positions. Only `Dense` can be a layer of a network without positions."""

NEEDS_POSITIONS = ", since `inputs` is an int and not (C, T) or (C, H, W)"
"""The explanation in an error about a layer that needs positions."""


def checked_inputs(value: Any) -> Any:
    """Return a positive int, or a tuple of two or three positive int."""
    if not isinstance(value, (tuple, list)):
        return checked_integer("inputs", value, lower=1, expected="a positive integer, or a tuple (C, T) or (C, H, W)")
    if len(value) not in (2, 3):
        raise ValueError(f"inputs: expected a number D_0, (C, T) or (C, H, W), got {shown(value)}")
    return tuple(checked_count("inputs", n) for n in value)


def checked_layers(values: Any, *, has_positions: bool) -> tuple[Any, ...]:
    """Return the layers as a tuple, after a check of their kinds.

    At least one layer must have weights, only the first layer can be an `Embedding`, and the last layer must have the
    transfer function identity.
    """
    layers = tuple(checked_sequence("layers", values, "layers"))
    if not layers:
        raise ValueError("layers: expected at least one layer, got none")
    kinds = WITH_POSITIONS if has_positions else (Dense,)
    expected = " or ".join(f"kfgn.{kind.__name__}" for kind in kinds)
    for l, layer in enumerate(layers, start=1):
        if not isinstance(layer, kinds):
            place = NEEDS_POSITIONS if isinstance(layer, WITH_POSITIONS) else ""
            raise TypeError(f"layers: expected a {expected} as layer {l}{place}, got {shown(layer)}")
        if isinstance(layer, Embedding) and l > 1:
            raise ValueError(f"layers: expected a kfgn.Embedding only as layer 1, got one as layer {l}")
    if layers[-1].transfer != "identity":
        raise ValueError(
            "layers: expected the transfer function identity in the last layer, whose pre-activations are the "
            f"argument of the objective, got {shown(layers[-1].transfer)}"
        )
    if all(layer.weight_shape(1) is None for layer in layers):
        raise ValueError(f"layers: expected at least one layer with weights, got {shown(layers)}")
    return layers


def checked_sequence(name: str, values: Any, of: str) -> tuple[Any, ...]:
    """Return the values as a tuple.

    Text and bytes are rejected, since they would be read element by element. Sets are rejected, since they have no
    order. Mappings are rejected, since only their keys would be read.
    """
    if isinstance(values, str):
        example = f" such as ({values[:20]!r},)" if of == "names" else ""
        raise ValueError(f"{name}: expected a sequence of {of}{example}, got {shown(values)}")
    if not isinstance(values, (bytes, bytearray, memoryview, Set, Mapping)):
        try:
            return tuple(values)
        except TypeError:
            pass
    raise TypeError(f"{name}: expected a sequence of {of}, got {shown(values)}")
