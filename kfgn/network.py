"""The static description of a network: everything about it but its weights."""

import operator
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .objectives import OBJECTIVES, PSD
from .transfers import TRANSFERS


@dataclass(frozen=True)
class Network:
    """A feedforward network, equation (1), and its objective. Hashable, and holds no array.

    widths:    D_0, ..., D_L, the number of inputs and of the units of each layer
    transfers: f_1, ..., f_{L-1}: identity, relu, leaky_relu, tanh, logistic or softplus; the last layer has none
    objective: squared_error, bernoulli, categorical or mixture (27), which has three outputs
    psd:       what stands for H_L in Gauss-Newton where it is indefinite, as that of the mixture is at every h:
               project  its nearest PSD matrix, negative eigenvalues set to zero, for each datapoint
               scalar   dE/dh_L dE/dh_L^T, which splits the network from its objective at the scalar p(y | h_L)
               raise    nothing: whatever needs a Gauss-Newton matrix raises `ValueError`
               No other objective takes notice. The Hessian and its products have the true H_L.

    Raises `ValueError` if a width is not positive or not what the objective asks for, if there are not L - 1 transfer
    functions, or if a name is unknown; `TypeError` for what is no sequence, and for widths that are no integers.
    """

    widths: tuple[int, ...]
    transfers: tuple[str, ...]
    objective: str
    psd: str = "project"

    def __post_init__(self) -> None:
        object.__setattr__(self, "widths", _positive_integers(self.widths))
        object.__setattr__(self, "transfers", _names(self.transfers))
        if len(self.widths) < 2:
            raise ValueError(f"widths: expected at least two, D_0, ..., D_L, got {self.widths}")
        if len(self.transfers) != self.depth - 1:
            raise ValueError(
                f"transfers: expected {self.depth - 1}, one for each layer but the last, "
                f"got {len(self.transfers)}: {self.transfers}"
            )
        if self.objective not in tuple(OBJECTIVES):  # a tuple, as what cannot be hashed is unknown too
            raise ValueError(f"objective: unknown objective {self.objective!r}; known: {', '.join(OBJECTIVES)}")
        if self.psd not in PSD:
            raise ValueError(f"psd: unknown name {self.psd!r}; known: {', '.join(PSD)}")
        outputs = OBJECTIVES[self.objective].outputs
        if outputs is not None and self.widths[-1] != outputs:
            raise ValueError(f"widths: expected {outputs} outputs D_L for {self.objective}, got {self.widths}")

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


def _positive_integers(widths: Iterable[Any]) -> tuple[int, ...]:
    """The widths as Python integers, whatever kind of integer they came as."""
    try:
        integers = tuple(D if isinstance(D, bool) else operator.index(D) for D in widths)
    except TypeError:
        raise TypeError(f"widths: expected a sequence of positive integers, got {widths!r}") from None
    if any(isinstance(D, bool) or D < 1 for D in integers):
        raise ValueError(f"widths: expected positive integers, got {integers}")
    return integers


def _names(transfers: Iterable[str]) -> tuple[str, ...]:
    """A tuple of names; a bare string would otherwise be read letter by letter."""
    if isinstance(transfers, str):
        raise ValueError(f"transfers: expected a sequence of names such as ({transfers!r},), got {transfers!r}")
    try:
        names = tuple(transfers)
    except TypeError:
        raise TypeError(f"transfers: expected a sequence of names, got {transfers!r}") from None
    for name in names:
        if name not in tuple(TRANSFERS):
            raise ValueError(f"transfers: unknown transfer function {name!r}; known: {', '.join(TRANSFERS)}")
    return names
