"""The static description of a network: layers and objective, without the weights."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .._documentation import Documented
from .._types import Arrays, Weights
from .._validation.scalars import checked_count, checked_integer, checked_name, set_fields
from .._words import shown
from .dense import Dense
from .embedding import Embedding
from .fields import checked_inputs, checked_layers, checked_sequence
from .layer_map import Shape, WeightedMap
from .objectives import OBJECTIVES, PSD
from .places import Places, places_of
from .transfers import TransferName, checked_transfer

MEAN_OVER_POSITIONS = "positions"
"""The value of `divisor` with which the loss is the mean over the output positions of a batch."""


@dataclass(frozen=True)
class Network(metaclass=Documented):
    """A feedforward network, equation (1), and its objective, without the weights.

    A `Network` is hashable and holds no array. `dataclasses.replace` makes a changed copy.

    Parameters
    ----------
    inputs : int or tuple of int
        D_0, the number of inputs, positive. The tuple (C, T) describes datapoints with T positions of C channels, such
        as sequences. The tuple (C, H, W) describes datapoints with positions along two axes, such as images. If the
        first layer is an `Embedding`, the number V of different tokens replaces C.
    layers : sequence of Dense, Convolution, Pooling, Flatten, Normalisation, ScaleShift or Embedding
        The layers in their order. The last layer must have the transfer function identity, since the pre-activations of
        this layer are the argument of the objective. If `inputs` is an int, all layers are `Dense`.
    objective : {"squared_error", "bernoulli", "categorical", "mixture"}
        The name of the objective E(h_L, y). The objective mixture is equation (27), and needs three outputs.
    psd : {"project", "scalar", "raise"}, default "project"
        The PSD matrix that replaces an indefinite H_L in Gauss-Newton matrices. Only the H_L of the mixture is
        indefinite. The value "project" gives the nearest PSD matrix, in which negative eigenvalues are set to zero. The
        value "scalar" gives dE/dh_L dE/dh_L^T, from the Gauss-Newton approximation that treats the scalar p(y | h_L) as
        the output of the network. With "raise", functions that need a Gauss-Newton matrix of the mixture raise
        `ValueError`. The Hessian and its products always use the true H_L.
    divisor : int or "positions", default 1
        The number by which the sum of E over the output positions of a datapoint is divided: 1 for the sum, and the
        number of output positions for the mean. With "positions", the loss of a batch is the mean over all its output
        positions, or over the counted ones if X is a `Padded`. The divisor is then the mean number of these positions
        per datapoint.

    Raises
    ------
    TypeError
        For values of a wrong type.
    ValueError
        For a number that is not positive, for a tuple of a wrong length, for an unknown name, and for a divisor other
        than 1 in a network without positions. For a string or an empty sequence as `layers`, and for layers of which
        none has weights. For an `Embedding` that is not the first layer, for a layer that does not fit its inputs, and
        for a last layer whose transfer function is not identity. For a number of outputs that does not fit the
        objective.

    Examples
    --------
    >>> import kfgn
    >>> hidden = kfgn.Dense(5, ("leaky_relu", 0.01), bias=False)
    >>> network = kfgn.Network(4, (hidden, kfgn.Dense(3)), "categorical")
    >>> network.depth, network.widths, network.weight_shapes, network.classes
    (2, (4, 5, 3), ((5, 4), (3, 6)), 3)
    """

    inputs: Any
    layers: tuple[Any, ...]
    objective: str
    psd: str = "project"
    divisor: Any = 1

    def __post_init__(self) -> None:
        set_fields(self, inputs=checked_inputs(self.inputs))
        set_fields(self, layers=checked_layers(self.layers, has_positions=self.has_positions))
        set_fields(self, objective=checked_name("objective", self.objective, tuple(OBJECTIVES)))
        set_fields(self, psd=checked_name("psd", self.psd, PSD), divisor=_checked_divisor(self.divisor))
        if not self.has_positions and self.divisor != 1:
            raise ValueError(f"divisor: expected 1 for a network without positions, got {self.divisor}")
        _check_outputs("layers", self.objective, self.widths)

    @classmethod
    def dense(cls, widths: Any, transfers: Any, objective: str, psd: str = "project") -> "Network":
        """Make a network of dense layers that all have a bias.

        Parameters
        ----------
        widths : sequence of L + 1 int
            D_0, ..., D_L: the number of inputs, and the number of units of each layer.
        transfers : sequence of L - 1 names or pairs
            f_1, ..., f_{L-1}: identity, relu, leaky_relu, tanh, logistic, softplus, elu, silu, gelu or gelu_tanh, or a
            pair such as ("leaky_relu", 0.01) or ("elu", 0.5). The last layer has no transfer function.
        objective : {"squared_error", "bernoulli", "categorical", "mixture"}
            E(h_L, y).
        psd : {"project", "scalar", "raise"}, default "project"
            The PSD matrix that replaces an indefinite H_L in Gauss-Newton matrices: the nearest PSD matrix for
            "project", and dE/dh_L dE/dh_L^T for "scalar". With "raise", functions that need a Gauss-Newton matrix of
            the mixture raise `ValueError`.

        Returns
        -------
        Network
            The network, whose weights have the shapes (D_l, D_{l-1} + 1).

        Raises
        ------
        TypeError
            For values of a wrong type.
        ValueError
            For fewer than two widths, for widths that are not positive, for a wrong number of transfer functions, and
            for a number of outputs that does not fit the objective. For a string instead of a sequence, for an unknown
            name, for a pair of a wrong length, and for a parameter that float32 cannot hold.

        Examples
        --------
        >>> import kfgn
        >>> network = kfgn.Network.dense((784, 100, 10), ("tanh",), "categorical")
        >>> network.transfers, network.weight_shapes
        (('tanh',), ((100, 785), (10, 101)))
        """
        widths = tuple(checked_count("widths", D) for D in checked_sequence("widths", widths, "positive integers"))
        names = tuple(checked_transfer("transfers", name) for name in checked_sequence("transfers", transfers, "names"))
        if len(widths) < 2:
            raise ValueError(f"widths: expected at least two numbers D_0, ..., D_L, got {shown(widths)}")
        if len(names) != len(widths) - 2:
            raise ValueError(
                f"transfers: expected {len(widths) - 2} transfer functions for the widths {shown(widths)}, one for "
                f"each layer except the last, got {len(names)}: {shown(names)}"
            )
        _check_outputs("widths", checked_name("objective", objective, tuple(OBJECTIVES)), widths)
        layers = tuple(Dense(D, name) for D, name in zip(widths[1:], (*names, "identity"), strict=True))
        return cls(widths[0], layers, objective, psd)

    @property
    def has_positions(self) -> bool:
        """True if `inputs` is a tuple. The activations of a datapoint then have positions."""
        return isinstance(self.inputs, tuple)

    @property
    def has_tokens(self) -> bool:
        """True if the first layer is an `Embedding`. X then has a token at each position, and no channels."""
        return isinstance(self.layers[0], Embedding)

    @property
    def depth(self) -> int:
        """L, the number of layers with weights."""
        return len(self.weighted)

    @property
    def widths(self) -> tuple[int, ...]:
        """The numbers of channels of the inputs and of each layer's outputs: D_0, ..., D_L if all layers are dense."""
        return self._places.widths

    @property
    def positions(self) -> tuple[int, ...]:
        """The numbers of positions of the inputs and of each layer's outputs. Without positions, each number is 1."""
        return self._places.positions

    @property
    def transfers(self) -> tuple[TransferName, ...]:
        """The transfer functions of all layers except the last one."""
        return tuple(layer.transfer for layer in self.layers[:-1])

    @property
    def classes(self) -> int | None:
        """The number of classes: D_L for the categorical objective, 2 for the mixture, None for real targets."""
        count = OBJECTIVES[self.objective].classes
        return None if count is None else count(self.widths[-1])

    @property
    def weight_shapes(self) -> tuple[tuple[int, int], ...]:
        """The shape of the weights of each layer with weights.

        The weights of a dense layer have the shape (D_l, D_{l-1} + 1), or (D_l, D_{l-1}) without a bias. `Convolution`,
        `ScaleShift` and `Embedding` describe the shapes of their weights.
        """
        return tuple(self.layers[l].weight_shape(self.shapes[l][0]) for l in self.weighted)

    @property
    def block_shapes(self) -> tuple[tuple[int, int], ...]:
        """For each Kronecker block, the shape of its weights: the rows of W_l that belong to one group of layer l.

        The weights of a `ScaleShift` have one block, and are vec(W_l) as a column.
        """
        layers = zip(self.weighted.values(), self.weight_shapes, strict=True)
        return tuple(shape for layer, weight_shape in layers for shape in layer.block_shapes(weight_shape))

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """The shapes (C, T) or (C, H, W) of the inputs and of each layer's outputs, and (D,) without positions."""
        return self._places.shapes

    @property
    def maps(self) -> tuple[Any, ...]:
        """The linear map of each layer at its place in the network, a `LayerMap`."""
        return self._places.maps

    @property
    def weighted(self) -> dict[int, WeightedMap]:
        """The maps of the layers with weights. The keys are the indices of these layers in `layers`, counted from 0."""
        return self._places.weighted

    @cached_property
    def _places(self) -> Places:
        """The maps and the shapes.

        `__post_init__` computes both, since PyTorch's compiler cannot trace this property.
        """
        return places_of(self.inputs, self.layers)

    def by_layer(self, weights: Weights) -> tuple[Any, ...]:
        """One entry per layer: the array of a layer with weights, and None for a layer without weights."""
        if len(self.weighted) == len(self.layers):
            return tuple(weights)
        found = dict(zip(self.weighted, weights, strict=True))
        return tuple(found.get(l) for l in range(len(self.layers)))

    def of_weighted(self, arrays: Arrays) -> Arrays:
        """The arrays of the layers with weights, selected from one array per layer."""
        return tuple(arrays[l] for l in self.weighted)


def _checked_divisor(value: Any) -> Any:
    """Return a positive integer, or the name of the mean over positions."""
    if isinstance(value, str) and value == MEAN_OVER_POSITIONS:
        return MEAN_OVER_POSITIONS
    return checked_integer("divisor", value, lower=1, expected=f'a positive integer or "{MEAN_OVER_POSITIONS}"')


def _check_outputs(name: str, objective: str, widths: tuple[int, ...]) -> None:
    """Raise `ValueError` if the objective fixes the number of outputs and the network has a different number."""
    outputs = OBJECTIVES[objective].outputs
    if outputs is not None and widths[-1] != outputs:
        raise ValueError(f"{name}: expected {outputs} outputs D_L for {objective}, got widths {shown(widths)}")
