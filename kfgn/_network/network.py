"""The static description of a network: everything about it but its weights."""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any

from .._validation.scalars import checked_count, checked_name, settle
from .._words import shown
from .objectives import OBJECTIVES, PSD
from .transfers import TRANSFERS


@dataclass(frozen=True)
class Network:
    """A feedforward network, equation (1), and its objective. Hashable, and holds no array.

    widths:    D_0, ..., D_L, the number of inputs and of the units of each layer
    transfers: f_1, ..., f_{L-1}: identity, relu, leaky_relu, tanh, logistic or softplus; the last layer has none
    objective: squared_error, bernoulli, categorical or mixture (27), which has three outputs
    psd:       the matrix in the place of an indefinite H_L in Gauss-Newton, which the mixture has at every h:
               project  its nearest PSD matrix, negative eigenvalues set to zero, for each datapoint
               scalar   dE/dh_L dE/dh_L^T, which splits the network from its objective at the scalar p(y | h_L)
               raise    none: every function that needs a Gauss-Newton matrix raises `ValueError`
               The other objectives ignore it. The Hessian and its products have the true H_L.

    Raises `ValueError` if a width is not positive or not what the objective needs, if there are not L - 1 transfer
    functions, or for an unknown name; `TypeError` for collections without an order, and for widths that are no
    integers.
    """

    widths: tuple[int, ...]
    transfers: tuple[str, ...]
    objective: str
    psd: str = "project"

    def __post_init__(self) -> None:
        settle(self, widths=_widths(self.widths), transfers=_transfers(self.transfers))
        if len(self.widths) < 2:
            raise ValueError(f"widths: expected at least two, D_0, ..., D_L, got {shown(self.widths)}")
        if len(self.transfers) != self.depth - 1:
            raise ValueError(
                f"transfers: expected {self.depth - 1}, one for each layer but the last of widths "
                f"{shown(self.widths)}, got {len(self.transfers)}: {shown(self.transfers)}"
            )
        settle(self, objective=checked_name("objective", self.objective, tuple(OBJECTIVES)))
        settle(self, psd=checked_name("psd", self.psd, PSD))
        outputs = OBJECTIVES[self.objective].outputs
        if outputs is not None and self.widths[-1] != outputs:
            raise ValueError(f"widths: expected {outputs} outputs D_L for {self.objective}, got {shown(self.widths)}")

    @property
    def depth(self) -> int:
        """L, the number of layers."""
        return len(self.widths) - 1

    @property
    def classes(self) -> int | None:
        """How many classes a label is the index of: D_L for the categorical, 2 for the mixture; None for vectors."""
        count = OBJECTIVES[self.objective].classes
        return None if count is None else count(self.widths[-1])

    @property
    def weight_shapes(self) -> tuple[tuple[int, int], ...]:
        """(D_l, D_{l-1} + 1) for l = 1, ..., L."""
        return tuple((self.widths[l + 1], self.widths[l] + 1) for l in range(self.depth))


def _widths(widths: Any) -> tuple[int, ...]:
    """The widths as Python integers, whatever kind of integer they came as."""
    return tuple(checked_count("widths", D) for D in _sequence("widths", widths, "positive integers"))


def _transfers(transfers: Any) -> tuple[str, ...]:
    """A tuple of names."""
    names = _sequence("transfers", transfers, "names")
    return tuple(checked_name("transfers", name, tuple(TRANSFERS)) for name in names)


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
