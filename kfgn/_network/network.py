"""The static description of a network: everything about it but its weights."""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any

from .._validation.scalars import checked_count, checked_name, set_fields
from .._words import shown
from .dense import Dense
from .objectives import OBJECTIVES, PSD
from .transfers import TransferName, checked_transfer


@dataclass(frozen=True)
class Network:
    """A feedforward network, equation (1), and its objective. It is hashable and holds no array.

    inputs:    D_0
    layers:    the layers l = 1, ..., L; the last one has the transfer function identity, since its pre-activations h_L
               are the argument of the objective
    objective: squared_error, bernoulli, categorical or mixture (27), which has three outputs
    psd:       the matrix that replaces H_L in Gauss-Newton matrices where H_L is indefinite, as that of the mixture is:
               project  the nearest PSD matrix of each datapoint: negative eigenvalues are set to zero
               scalar   dE/dh_L dE/dh_L^T, which splits the network from its objective at the scalar p(y | h_L)
               raise    none: every function that needs a Gauss-Newton matrix raises `ValueError`
               The other objectives ignore it. The Hessian and its products have the true H_L.

    Raises `ValueError` if there is no layer, if the last layer does not fit the objective, or for an unknown name, and
    `TypeError` for values of another type.
    """

    inputs: int
    layers: tuple[Dense, ...]
    objective: str
    psd: str = "project"

    def __post_init__(self) -> None:
        set_fields(self, inputs=checked_count("inputs", self.inputs), layers=_layers(self.layers))
        set_fields(self, objective=checked_name("objective", self.objective, tuple(OBJECTIVES)))
        set_fields(self, psd=checked_name("psd", self.psd, PSD))
        outputs = OBJECTIVES[self.objective].outputs
        if outputs is not None and self.widths[-1] != outputs:
            raise ValueError(f"widths: expected {outputs} outputs D_L for {self.objective}, got {shown(self.widths)}")

    @classmethod
    def dense(cls, widths: Any, transfers: Any, objective: str, psd: str = "project") -> "Network":
        """A network of dense layers that all have a bias.

        widths:    D_0, ..., D_L, the number of inputs and of the units of each layer
        transfers: f_1, ..., f_{L-1}: identity, relu, leaky_relu, tanh, logistic or softplus, or a pair of a name and a
                   parameter; the last layer has none
        """
        widths = tuple(checked_count("widths", D) for D in _sequence("widths", widths, "positive integers"))
        names = tuple(checked_transfer("transfers", name) for name in _sequence("transfers", transfers, "names"))
        if len(widths) < 2:
            raise ValueError(f"widths: expected at least two, D_0, ..., D_L, got {shown(widths)}")
        if len(names) != len(widths) - 2:
            raise ValueError(
                f"transfers: expected {len(widths) - 2}, one for each layer but the last of widths "
                f"{shown(widths)}, got {len(names)}: {shown(names)}"
            )
        layers = tuple(Dense(D, name) for D, name in zip(widths[1:], (*names, "identity"), strict=True))
        return cls(widths[0], layers, objective, psd)

    @property
    def depth(self) -> int:
        """L, the number of layers."""
        return len(self.layers)

    @property
    def widths(self) -> tuple[int, ...]:
        """D_0, ..., D_L."""
        return (self.inputs, *(layer.units for layer in self.layers))

    @property
    def transfers(self) -> tuple[TransferName, ...]:
        """f_1, ..., f_{L-1}."""
        return tuple(layer.transfer for layer in self.layers[:-1])

    @property
    def classes(self) -> int | None:
        """The number of classes if a label is an index: D_L for the categorical, 2 for the mixture; else None."""
        count = OBJECTIVES[self.objective].classes
        return None if count is None else count(self.widths[-1])

    @property
    def weight_shapes(self) -> tuple[tuple[int, int], ...]:
        """The shape of W_l for l = 1, ..., L: (D_l, D_{l-1} + 1), or (D_l, D_{l-1}) for a layer without a bias."""
        return tuple(layer.weight_shape(D) for layer, D in zip(self.layers, self.widths[:-1], strict=True))


def _layers(layers: Any) -> tuple[Dense, ...]:
    """The layers as a tuple, once there is one and the last has no transfer function."""
    found = tuple(_sequence("layers", layers, "layers, such as kfgn.Dense"))
    if not found:
        raise ValueError("layers: expected at least one layer, got none")
    for l, layer in enumerate(found, start=1):
        if not isinstance(layer, Dense):
            raise TypeError(f"layers: expected a kfgn.Dense as layer {l}, got {shown(layer)}")
    if found[-1].transfer != "identity":
        raise ValueError(
            f"layers: expected the transfer function identity in the last layer, whose pre-activations are the "
            f"argument of the objective, got {shown(found[-1].transfer)}"
        )
    return found


def _sequence(name: str, values: Any, of: str) -> tuple[Any, ...]:
    """The values in their order. Text is refused, since it would be read letter by letter, as are sets and mappings."""
    if isinstance(values, str):
        raise ValueError(f"{name}: expected a sequence of {of} such as ({values[:20]!r},), got {shown(values)}")
    if not isinstance(values, (bytes, bytearray, memoryview, Set, Mapping)):
        try:
            return tuple(values)
        except TypeError:
            pass
    raise TypeError(f"{name}: expected a sequence of {of}, got {shown(values)}")
