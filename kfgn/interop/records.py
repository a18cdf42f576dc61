"""The records of a network's layers, such as `Dense`, from the modules that PyTorch applies one after the other.

Only `kfgn.interop.torch` imports this module. If PyTorch is missing, `kfgn.interop.torch` raises an error that names
the package to install.
"""

from dataclasses import replace
from typing import Any

from torch import nn

from .._network.dense import Dense
from .._network.flatten import Flatten
from .._network.layer_map import Shape
from .._network.transfers import TransferName
from .layers import Leaves
from .modules import CONVOLUTIONS, KINDS, POOLINGS, advice, computes_as, described
from .positions import convolution, pooling


def records(leaves: Leaves, inputs: Shape | None) -> tuple[Any, ...]:
    """Return the records of the layers. An activation becomes the transfer function of the layer before it.

    inputs: the shape (C, T) or (C, H, W) of a datapoint if the module has convolutions or pooling, and otherwise None

    Raises `ValueError` for a module that is in a wrong place, that does not fit its inputs, or that has options that
    kfgn does not have.
    """
    reader = _Reader(inputs)
    for path, leaf in leaves:
        reader.read(path, leaf)
    if not reader.flat:
        reader.last = leaves[-1]
    if reader.records and reader.last is not None:
        path, leaf = reader.last
        raise ValueError(
            f"{path}: expected a Linear at the end, since the objective needs the outputs of a Linear, "
            f"got {described(leaf)}{advice(leaf)}"
        )
    return tuple(reader.records)


class _Reader:
    """A reader of the modules that a model applies, one by one.

    records: the records so far
    shape:   the shape of the last activation of a datapoint; None in a network without positions
    flat:    True if the last activation in PyTorch has the shape (N, D)
    last:    the last module that became a record or a transfer function; None if that module has weights
    takes_activation: True if the last record has weights, and no activation has followed it
    """

    def __init__(self, shape: Shape | None) -> None:
        self.records: list[Any] = []
        self.shape = shape
        self.flat = shape is None
        self.last: tuple[str, nn.Module] | None = None
        self.takes_activation = False

    def read(self, path: str, leaf: nn.Module) -> None:
        if computes_as(leaf, nn.Linear):
            self.add(path, leaf, self.dense(path, leaf))
        elif computes_as(leaf, *CONVOLUTIONS, *POOLINGS):
            self.add(path, leaf, self.of_positions(path, leaf))
        elif (transfer := _transfer(path, leaf)) is not None:
            self.activate(path, leaf, transfer)
        elif isinstance(leaf, nn.Flatten) and not self.flat:
            self.add(path, leaf, Flatten())
            self.flat = True

    def dense(self, path: str, leaf: Any) -> Dense:
        if not self.flat:
            raise ValueError(
                f"{path}: expected a Flatten between the positions and a Linear, got inputs of shape {self.shape} for "
                f"each datapoint"
            )
        if self.shape is not None and (came := leaf.weight.shape[1]) != self.shape[0]:
            raise ValueError(f"{path}: expected {self.shape[0]} inputs, got {came}")
        return Dense(leaf.weight.shape[0], bias=leaf.bias is not None)

    def of_positions(self, path: str, leaf: Any) -> Any:
        if self.flat or self.shape is None:
            raise ValueError(f"{path}: expected inputs with positions, got {described(leaf)} after a Flatten")
        if computes_as(leaf, *CONVOLUTIONS):
            if (channels := leaf.weight.shape[1] * leaf.groups) != self.shape[0]:
                raise ValueError(f"{path}: expected {channels} channels, got inputs of shape {self.shape}")
            return convolution(path, leaf)
        return pooling(path, leaf, self.shape[1:])

    def add(self, path: str, leaf: nn.Module, record: Any) -> None:
        """Append a record, after a check that the layer fits the last activation."""
        if self.shape is not None:
            try:
                _, self.shape = record.at(self.shape)
            except ValueError as error:
                raise ValueError(
                    f"{path}: expected a layer for inputs of shape {self.shape}, got {described(leaf)}: {error}"
                ) from None
        self.records.append(record)
        self.takes_activation = record.weight_shape(1) is not None
        self.last = None if self.takes_activation else (path, leaf)

    def activate(self, path: str, leaf: nn.Module, transfer: TransferName) -> None:
        """Set the transfer function of the last record."""
        if not self.takes_activation:
            raise ValueError(f"{path}: expected a layer with weights before each activation, got {described(leaf)}")
        self.records[-1] = replace(self.records[-1], transfer=transfer)
        self.takes_activation, self.last = False, (path, leaf)


def _transfer(path: str, leaf: nn.Module) -> TransferName | None:
    """Return the transfer function of a module; None for a module that does not change a batch (N, D)."""
    kind = next(kind for module, kind in KINDS.items() if computes_as(leaf, module))
    if not kind.supported(leaf):
        raise ValueError(f"{path}: expected {kind.expected}, got {described(leaf)}{kind.advice}")
    return kind.transfer(leaf)
