"""The problems with shared weights that the adapters of this folder convert: sequences, with four kinds of layers."""

from ...problems.layers import Convolution, Dense, Flatten, Pooling
from ...problems.problem import Problem
from .. import UnsupportedError

Kind = Dense | Convolution | Pooling | Flatten
"""A layer that the adapters of this folder convert."""


def layers_over_sequences(problem: Problem) -> list[Kind]:
    """The layers of a problem over sequences. Raises `UnsupportedError` for images, and for layers not in `Kind`."""
    if len(problem.shapes[0]) > 2:
        raise UnsupportedError("no images in this adapter")
    found: list[Kind] = []
    for layer in problem.layers:
        if not isinstance(layer, Dense | Convolution | Pooling | Flatten):
            raise UnsupportedError(f"no {type(layer).__name__} layers in this adapter")
        found.append(layer)
    return found
