"""The Linear layers of a module: the parameters, the checks of the parameters, and the matrices W_l.

Only `kfgn.interop.torch` imports this module. If PyTorch is missing, `kfgn.interop.torch` raises an error that names
the package to install.
"""

import itertools
from typing import NamedTuple, TypeAlias

import torch
from torch import nn

from .._types import Weights
from .._validation.arrays import check_floating_dtype, check_not_transformed, one_library_and_device
from .._words import type_of
from .modules import computes_as, described
from .parameters import check_unshared

Leaves: TypeAlias = list[tuple[str, nn.Module]]
"""The modules that a model applies one after the other, in this order, each with its name in error messages."""


class Layer(NamedTuple):
    """The path, the weight (D_l, D_{l-1}) and the bias (D_l,) of a Linear. A missing bias is None."""

    path: str
    weight: torch.Tensor
    bias: torch.Tensor | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """The shape of W_l."""
        D, below = self.weight.shape
        return D, below + (self.bias is not None)

    def parameters(self) -> dict[str, torch.Tensor]:
        """Return a dictionary from the path of each parameter of the Linear to the parameter."""
        named = {"weight": self.weight, "bias": self.bias}
        return {f"{self.path}.{name}": p for name, p in named.items() if p is not None}

    def joined(self) -> torch.Tensor:
        """Return W_l as a copy of the parameters."""
        if self.bias is None:
            return self.weight.detach().clone()
        return torch.cat((self.weight.detach(), self.bias.detach()[:, None]), 1)

    def split(self, W: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Return pairs of a parameter and its new value, which is a part of W_l."""
        return [(self.weight, W)] if self.bias is None else [(self.weight, W[:, :-1]), (self.bias, W[:, -1])]


def checked_layers(leaves: Leaves) -> list[Layer]:
    """Return the Linear layers, after checking that their widths fit and that they share no parameter."""
    layers = [_layer(path, leaf) for path, leaf in leaves if computes_as(leaf, nn.Linear)]
    if not layers:
        raise ValueError("module: expected at least one Linear, got none")
    parameters = parameters_of(layers)
    check_floating_dtype(one_library_and_device(parameters), parameters)
    check_unshared(parameters)
    for before, layer in itertools.pairwise(layers):
        D = before.weight.shape[0]
        if (came := layer.weight.shape[1]) != D:
            raise ValueError(f"{layer.path}: expected {D} inputs, the outputs of {before.path}, got {came}")
    return layers


def parameters_of(layers: list[Layer]) -> dict[str, torch.Tensor]:
    """Return a dictionary from the path of each weight and bias to the parameter."""
    return {name: parameter for layer in layers for name, parameter in layer.parameters().items()}


def _layer(path: str, linear: nn.Linear) -> Layer:
    # weight_norm, parametrize and prune compute .weight from parameters of other names, so that writing .weight has no
    # effect
    parameters = dict(linear.named_parameters())
    expected = {"weight"} if "bias" in vars(linear)["_parameters"] and linear.bias is None else {"weight", "bias"}
    if parameters.keys() != expected:
        names = ", ".join(parameters) or "none"
        raise ValueError(
            f"{path}: expected the parameters {' and '.join(sorted(expected, reverse=True))}, got {names} in "
            f"{described(linear)}"
        )
    for name, parameter in parameters.items():
        check_not_transformed(f"{path}.{name}", parameter)
        if type(parameter) is not nn.Parameter or getattr(linear, name) is not parameter:
            raise TypeError(f"{path}.{name}: expected an initialised nn.Parameter, got {type_of(parameter)}")
    layer = Layer(path, **parameters)
    weight = tuple(layer.weight.shape)
    bias = None if layer.bias is None else tuple(layer.bias.shape)
    if len(weight) != 2 or 0 in weight or bias not in (None, weight[:1]):
        raise ValueError(f"{path}: expected weight (D_l, D_l-1) and bias (D_l,), none empty, got {weight} and {bias}")
    return layer


def check_weights(layers: list[Layer], weights: Weights) -> None:
    """Raise `TypeError` or `ValueError` unless each layer has one tensor of its shape, dtype and device."""
    expected = f"{len(layers)} tensors, one for each Linear ({', '.join(layer.path for layer in layers)})"
    if not isinstance(weights, (tuple, list)):
        raise TypeError(f"weights: expected a tuple or list of {expected}, got {type_of(weights)}")
    if len(weights) != len(layers):
        raise ValueError(f"weights: expected {expected}, got {len(weights)}")
    for l, (layer, W) in enumerate(zip(layers, weights, strict=True), start=1):
        named = {f"{layer.path}.weight": layer.weight, f"W_{l}": W}
        check_floating_dtype(one_library_and_device(named), named)
        if (came := tuple(W.shape)) != layer.shape:
            where = "without a bias" if layer.bias is None else "bias in the last column"
            raise ValueError(f"W_{l}: expected shape {layer.shape} for {layer.path}, {where}, got {came}")
