"""Layers of a batch with a mask: the maps that differ from those of a batch without a mask.

A layer that acts on each position alone needs no other map, since derivatives at masked positions are 0. A pooling
with windows needs no other map either, since the windows of counted outputs have counted positions alone.
"""

import functools
import math
import operator
from dataclasses import dataclass
from typing import Any

from array_api_compat import array_namespace

from .._types import Array, Namespace
from .convolution_map import ConvolutionMap
from .flatten import FlattenMap
from .masks import Mask
from .pooling import PoolingMap


@dataclass(frozen=True, eq=False)
class MaskedConvolutionMap(ConvolutionMap):
    """A convolution that reads zeros at masked positions.

    Without padding after the last position, the patches of counted outputs have counted positions alone, so that no
    zeros are needed.

    mask: the mask of the inputs
    """

    mask: Mask

    __eq__, __hash__ = object.__eq__, object.__hash__  # the mask is a part of the map

    @property
    def _reads_masked(self) -> bool:
        """True if the patch of a counted output can have a masked position."""
        return any(w.padding[1] for w in self.windows)

    def pulled_back(self, W: Array, rows: Array) -> Array:
        """The transposed convolution of rows (..., R', C'), with zeros at masked positions."""
        found = super().pulled_back(W, rows)
        return self.mask.kept(found) if self._reads_masked else found

    def _padded(self, xp: Namespace, a: Array) -> Array:
        return super()._padded(xp, self.mask.kept(a) if self._reads_masked else a)

    def _part_read(self, tap: tuple[int, ...], like: Array) -> Array:
        """The part of all counted outputs for which a tap reads a counted input, 0-d."""
        xp, lengths = array_namespace(like), self.mask.lengths()
        numbers = (w.reads_of(k, T) for w, k, T in zip(self.windows, tap, lengths, strict=True))
        read = functools.reduce(operator.mul, numbers)
        outputs = xp.sum(self.mask.of_windows(self.windows).numbers(like))
        return xp.sum(xp.astype(read, like.dtype)) / outputs


@dataclass(frozen=True, eq=False)
class MaskedPoolingMap(PoolingMap):
    """One window over all counted positions of each datapoint.

    mask: the mask of the inputs
    """

    mask: Mask

    __eq__, __hash__ = object.__eq__, object.__hash__  # the mask is a part of the map

    def _divisors(self, like: Array) -> Array:
        """For the mean, the number T_n of counted positions of each datapoint, and for the sum 1: (N, 1)."""
        T = self.mask.numbers(like)
        return T if self.kind == "mean" else array_namespace(T).ones_like(T)

    def preactivation_tangents(self, W: None, R_a: Array) -> Array:  # noqa: ARG002
        """The mean or the sum of the rows of R_a (..., R, C) at the counted positions of each datapoint."""
        xp = array_namespace(R_a)
        kept, T = self.mask.kept(R_a), math.prod([w.length for w in self.windows])
        total = xp.sum(xp.reshape(kept, (*R_a.shape[:-2], -1, T, self.channels)), axis=-2)
        return total / self._divisors(R_a)

    def pulled_back(self, W: None, rows: Array) -> Array:  # noqa: ARG002
        """Each row, divided as in the forward pass, at all counted positions of its datapoint."""
        xp = array_namespace(rows)
        parts, T = rows / self._divisors(rows), math.prod([w.length for w in self.windows])
        spread = xp.broadcast_to(parts[..., None, :], (*parts.shape[:-1], T, self.channels))
        return self.mask.kept(xp.reshape(spread, (*rows.shape[:-2], -1, self.channels)))

    def carried_over_taps(self, W: None, G: Array) -> Array:  # noqa: ARG002
        """The mean over datapoints of T_n / divisor^2, times G, with T_n and the divisors of `_divisors`."""
        xp, divisors = array_namespace(G), self._divisors(G)
        return xp.mean(self.mask.numbers(G) / (divisors * divisors)) * G


def masked_layer(layer: Any, mask: Mask) -> tuple[Any, Mask | None]:
    """The map of a layer for inputs with a mask, and the mask of the outputs, or None if all outputs count.

    Raises `ValueError` with a description of the layer if a masked batch has no meaning for the layer.
    """
    if isinstance(layer, FlattenMap):
        raise ValueError("a kfgn.Flatten of several positions")
    if isinstance(layer, ConvolutionMap):
        if any(w.circular and sum(w.padding) for w in layer.windows):
            raise ValueError("a kfgn.Convolution with circular padding")
        options = layer.units, layer.channels, layer.windows, layer.channel_groups, layer.bias
        return MaskedConvolutionMap(*options, mask), mask.of_windows(layer.windows)
    if isinstance(layer, PoolingMap):
        if layer.whole:
            return MaskedPoolingMap(layer.kind, layer.channels, layer.windows, layer.whole, mask), None
        return layer, mask.of_windows(layer.windows)
    return layer, mask


def needs_first_positions(layer: Any) -> bool:
    """True for a layer with windows, which needs the counted positions of each datapoint first."""
    return isinstance(layer, ConvolutionMap) or (isinstance(layer, PoolingMap) and not layer.whole)
