"""The counted positions of a batch: the maps of the layers, the masks of their outputs, and the divisor of the loss."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from array_api_compat import array_namespace

from .._network.masked_layers import masked_layer, needs_first_positions
from .._network.masks import Mask
from .._network.network import MEAN_OVER_POSITIONS, Network
from .._network.padded import Padded
from .._types import Array, Namespace
from .._validation.arrays import violated


class Counted(NamedTuple):
    """The counted positions of a batch.

    maps:    the map of each layer
    masks:   the mask of the network's inputs, and the mask of each layer's outputs; None if all positions count
    divisor: the number by which the loss of a datapoint is divided, an int, or a 0-d array for a mean over the counted
             positions of a masked batch
    """

    maps: tuple[Any, ...]
    masks: tuple[Mask | None, ...]
    divisor: int | Array

    @property
    def outputs(self) -> Mask | None:
        """The mask of the outputs of the network."""
        return self.masks[-1]

    def part(self, network: Network, start: int, stop: int) -> "Counted":
        """The counted positions of the datapoints start, ..., stop - 1, with the divisor of the whole batch."""
        if self.masks[0] is None:
            return self
        return Counted(*_maps_and_masks(network, self.masks[0].counted[start:stop, ...]), self.divisor)


def counted_positions(network: Network, X: Any) -> Counted:
    """The counted positions of inputs that have been checked.

    Raises `ValueError` if a mask has no meaning for a layer.
    """
    if isinstance(X, Padded):
        maps, masks = _maps_and_masks(network, X.mask)
    else:
        maps, masks = network.maps, (None,) * (len(network.layers) + 1)
    return Counted(maps, masks, _divisor(network, masks[-1], X))


def _divisor(network: Network, mask: Mask | None, X: Any) -> Any:
    """`Network.divisor` as a number: for "positions", the mean number of counted output positions per datapoint.

    mask: the mask of the outputs
    """
    if network.divisor != MEAN_OVER_POSITIONS:
        return network.divisor
    return network.positions[-1] if mask is None else array_namespace(X.values).mean(mask.numbers(X.values))


def _maps_and_masks(network: Network, counted: Array) -> tuple[tuple[Any, ...], tuple[Mask | None, ...]]:
    """The map of each layer, and the masks of the network's inputs and of each layer's outputs.

    If an activation has only one position, this position counts in every datapoint, and no mask is needed.

    counted: the mask of X (N, *positions)
    """
    maps: list[Any] = []
    masks = [_if_needed(Mask(counted), network.positions[0])]
    for l, layer in enumerate(network.maps):
        mask = masks[-1]
        try:
            layer, mask = (layer, None) if mask is None else masked_layer(layer, mask)
        except ValueError as error:
            raise ValueError(
                f"X: expected an array without a mask, since layer {l + 1} is {error}, got a kfgn.Padded"
            ) from None
        maps.append(layer)
        masks.append(_if_needed(mask, network.positions[l + 1]))
    return tuple(maps), tuple(masks)


def _if_needed(mask: Mask | None, T: int) -> Mask | None:
    return None if T == 1 else mask


def kept_outputs(network: Network, X: Any, array: Array, samples: int) -> Array:
    """The given array, with the numbers or rows of masked output positions set to zero.

    array:   (N, *positions) or (N, *positions, D), with `samples` axes after the axis of the datapoints
    samples: 0 or 1
    """
    if not isinstance(X, Padded):
        return array
    mask = _maps_and_masks(network, X.mask)[1][-1]
    if mask is None:
        return array
    xp, positions = array_namespace(array), network.shapes[-1][1:]
    trailing = array.ndim - 1 - samples - len(positions)
    shape = mask.counted.shape[0], *(1,) * samples, *positions, *(1,) * trailing
    return xp.where(xp.reshape(mask.counted, shape), array, xp.zeros_like(array))


def check_mask(network: Network, mask: Array, *, check: bool) -> None:
    """Raise `ValueError` for a network that takes no mask and, with `check`, for a mask that a layer cannot take.

    The values of the mask are read only with `check`.
    """
    _maps_and_masks(network, mask)
    for ok, expected, given in _requirements(network, mask) if check else ():
        xp = array_namespace(ok)
        if violated(xp.all(ok)):
            n = int(xp.argmax(xp.astype(~ok, xp.int8)))
            raise ValueError(f"X.mask: expected {expected}, got {given} in datapoint {n}")


def mask_allowed(xp: Namespace, network: Network, X: Any) -> Array | None:
    """A 0-d boolean, true if all layers can take the mask; None without a mask."""
    found = None
    for ok, *_ in _requirements(network, X.mask) if isinstance(X, Padded) else ():
        found = xp.all(ok) if found is None else found & xp.all(ok)
    return found


def _requirements(network: Network, counted: Array) -> Iterator[tuple[Array, str, str]]:
    """For each requirement, a boolean per datapoint (N,), and words for the expected mask and for a wrong one."""
    yield Mask(counted).exist(), "at least one counted position in each datapoint", "none"
    _, masks = _maps_and_masks(network, counted)
    for l, (layer, mask) in enumerate(zip(network.maps, masks, strict=False)):
        if mask is not None and needs_first_positions(layer):
            name = f"layer {l + 1}, a kfgn.{type(network.layers[l]).__name__}"
            yield mask.come_first(), f"the counted positions first for {name}", "a masked position before a counted one"
            yield mask.of_windows(layer.windows).exist(), f"enough counted positions for a window of {name}", "too few"
