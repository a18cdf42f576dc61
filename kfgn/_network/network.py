"""The static description of a network: layers and objective, without the weights."""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any

from .._documentation import Documented
from .._validation.scalars import checked_count, checked_name, set_fields
from .._words import shown
from .dense import Dense
from .objectives import OBJECTIVES, PSD
from .transfers import TransferName, checked_transfer


@dataclass(frozen=True)
class Network(metaclass=Documented):
    """A feedforward network, equation (1), and its objective, without the weights.

    A `Network` is hashable and holds no array. `dataclasses.replace` makes a changed copy.

    Parameters
    ----------
    inputs : int
        D_0, the number of inputs, positive.
    layers : sequence of L Dense
        The layers l = 1, ..., L. The last layer must have the transfer function identity, since the objective takes the
        pre-activations h_L.
    objective : {"squared_error", "bernoulli", "categorical", "mixture"}
        The name of the objective E(h_L, y). The objective mixture is equation (27), and needs three outputs.
    psd : {"project", "scalar", "raise"}, default "project"
        The PSD matrix that replaces an indefinite H_L in Gauss-Newton matrices. Only the H_L of the mixture is
        indefinite. The value "project" gives the nearest PSD matrix, in which negative eigenvalues are set to zero. The
        value "scalar" gives dE/dh_L dE/dh_L^T, from the Gauss-Newton approximation that treats the scalar p(y | h_L) as
        the output of the network. With "raise", functions that need a Gauss-Newton matrix raise `ValueError`. The
        Hessian and its products always use the true H_L.

    Raises
    ------
    TypeError
        For values of a wrong type.
    ValueError
        For an unknown name, for an empty sequence of layers, and for a last layer whose transfer function is not
        identity. A `ValueError` is also raised if the number of outputs does not fit the objective.

    Examples
    --------
    >>> import kfgn
    >>> hidden = kfgn.Dense(5, ("leaky_relu", 0.01), bias=False)
    >>> network = kfgn.Network(4, (hidden, kfgn.Dense(3)), "categorical")
    >>> network.depth, network.widths, network.weight_shapes, network.classes
    (2, (4, 5, 3), ((5, 4), (3, 6)), 3)
    """

    inputs: int
    layers: tuple[Dense, ...]
    objective: str
    psd: str = "project"

    def __post_init__(self) -> None:
        set_fields(self, inputs=checked_count("inputs", self.inputs), layers=_layers(self.layers))
        set_fields(self, objective=checked_name("objective", self.objective, tuple(OBJECTIVES)))
        set_fields(self, psd=checked_name("psd", self.psd, PSD))
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
            "project", and dE/dh_L dE/dh_L^T for "scalar". With "raise", functions that need a Gauss-Newton matrix raise
            `ValueError`.

        Returns
        -------
        Network
            The network, whose weights have the shapes (D_l, D_{l-1} + 1).

        Raises
        ------
        TypeError
            For values of a wrong type.
        ValueError
            For widths that are not positive, for a wrong number of transfer functions, for an unknown name, and for a
            number of outputs that does not fit the objective.

        Examples
        --------
        >>> import kfgn
        >>> network = kfgn.Network.dense((784, 100, 10), ("tanh",), "categorical")
        >>> network.transfers, network.weight_shapes
        (('tanh',), ((100, 785), (10, 101)))
        """
        widths = tuple(checked_count("widths", D) for D in _sequence("widths", widths, "positive integers"))
        names = tuple(checked_transfer("transfers", name) for name in _sequence("transfers", transfers, "names"))
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
        """The number of classes: D_L for the categorical objective, 2 for the mixture, None for real targets."""
        count = OBJECTIVES[self.objective].classes
        return None if count is None else count(self.widths[-1])

    @property
    def weight_shapes(self) -> tuple[tuple[int, int], ...]:
        """The shape of W_l for l = 1, ..., L: (D_l, D_{l-1} + 1), or (D_l, D_{l-1}) for a layer without a bias."""
        return tuple(layer.weight_shape(D) for layer, D in zip(self.layers, self.widths[:-1], strict=True))


def _check_outputs(name: str, objective: str, widths: tuple[int, ...]) -> None:
    """Raise `ValueError` if the objective fixes the number of outputs and the network has a different number."""
    outputs = OBJECTIVES[objective].outputs
    if outputs is not None and widths[-1] != outputs:
        raise ValueError(f"{name}: expected {outputs} outputs D_L for {objective}, got widths {shown(widths)}")


def _layers(values: Any) -> tuple[Dense, ...]:
    """Check that there is a layer and that the last layer has no transfer function. Return the layers as a tuple."""
    layers = tuple(_sequence("layers", values, "layers"))
    if not layers:
        raise ValueError("layers: expected at least one layer, got none")
    for l, layer in enumerate(layers, start=1):
        if not isinstance(layer, Dense):
            raise TypeError(f"layers: expected a kfgn.Dense as layer {l}, got {shown(layer)}")
    if layers[-1].transfer != "identity":
        raise ValueError(
            "layers: expected the transfer function identity in the last layer, whose pre-activations are the "
            f"argument of the objective, got {shown(layers[-1].transfer)}"
        )
    return layers


def _sequence(name: str, values: Any, of: str) -> tuple[Any, ...]:
    """Return the values as a tuple.

    Text is rejected, since it would be read letter by letter. Sets and mappings are rejected, since their order has no
    meaning.
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
