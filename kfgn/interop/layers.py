"""The layers with weights of a PyTorch module: the parameters, the checks of the parameters, and the matrices W_l.

Only modules of `kfgn.interop` import this module. If PyTorch is missing, `kfgn.interop.torch` raises an error that
names the package to install.
"""

import math
from typing import Any, NamedTuple, TypeAlias

import torch
from torch import nn

from .._types import Weights
from .._validation.arrays import check_floating_dtype, check_not_transformed, one_library_and_device
from .._words import type_of
from .modules import CONVOLUTIONS, POOLINGS, WEIGHTED, computes_as, described
from .parameters import check_unshared

Leaves: TypeAlias = list[tuple[str, nn.Module]]
"""The modules that a model applies one after the other, in this order, each with its name in error messages."""


class Layer(NamedTuple):
    """The path, the weight and the bias (D_l,) of a Linear or of a convolution. A missing bias is None.

    patch: the shape (C, *positions) of the inputs that a row of the weight multiplies, with the channels first as in
           PyTorch. In W_l the channels are last. The patch of a Linear is (D_{l-1},), or (C, T) if the Linear follows a
           Flatten of T positions.
    """

    path: str
    weight: torch.Tensor
    bias: torch.Tensor | None = None
    patch: tuple[int, ...] = ()

    @property
    def shape(self) -> tuple[int, int]:
        """The shape of W_l."""
        return self.weight.shape[0], math.prod(self.patch) + (self.bias is not None)

    def parameters(self) -> dict[str, torch.Tensor]:
        """Return a dictionary from the path of each parameter of the layer to the parameter."""
        named = {"weight": self.weight, "bias": self.bias}
        return {f"{self.path}.{name}": p for name, p in named.items() if p is not None}

    def joined(self) -> torch.Tensor:
        """Return W_l as a copy of the parameters."""
        D, weight = self.weight.shape[0], self.weight.detach()
        rows = weight.reshape(D, *self.patch).movedim(1, -1).reshape(D, -1)
        return rows.clone() if self.bias is None else torch.cat((rows, self.bias.detach()[:, None]), 1)

    def split(self, W: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Return pairs of a parameter and its new value, which is a part of W_l."""
        C, *positions = self.patch
        rows = W if self.bias is None else W[:, :-1]
        weight = rows.reshape(-1, *positions, C).movedim(-1, 1).reshape(self.weight.shape)
        return [(self.weight, weight)] if self.bias is None else [(self.weight, weight), (self.bias, W[:, -1])]


def checked_layers(leaves: Leaves) -> list[Layer]:
    """Return the layers with weights, after checks of their parameters and of the widths of neighbouring layers."""
    weighted = [(path, leaf) for path, leaf in leaves if computes_as(leaf, *WEIGHTED)]
    if not weighted:
        raise ValueError("module: expected at least one layer with weights, got none")
    _check_channels_known(leaves)
    layers = [_layer(path, leaf) for path, leaf in weighted]
    parameters = parameters_of(layers)
    check_floating_dtype(one_library_and_device(parameters), parameters)
    check_unshared(parameters)
    fitted = [layers[0]]
    for layer, (_, below), (_, leaf) in zip(layers[1:], weighted, weighted[1:], strict=False):
        fitted.append(_fitted(fitted[-1], layer, below, leaf))
    return fitted


def parameters_of(layers: list[Layer]) -> dict[str, torch.Tensor]:
    """Return a dictionary from the path of each weight and bias to the parameter."""
    return {name: parameter for layer in layers for name, parameter in layer.parameters().items()}


def _check_channels_known(leaves: Leaves) -> None:
    """Raise `ValueError` if the positions that a Linear reads were pooled, but are not those of a convolution.

    Only the weight of a convolution gives the number of channels, which `write_back` needs for the order in W_l.
    """
    kinds = (*CONVOLUTIONS, *POOLINGS, nn.Linear)
    path, first = next((path, leaf) for path, leaf in leaves if computes_as(leaf, *kinds))
    if computes_as(first, *POOLINGS) and not any(computes_as(leaf, *CONVOLUTIONS) for _, leaf in leaves):
        raise ValueError(f"{path}: expected a convolution before or after a pooling, got {described(first)} alone")


def _fitted(before: Layer, layer: Layer, below: nn.Module, leaf: Any) -> Layer:
    """Return a layer, after a check that it fits the layer `before`.

    A Linear after a convolution gets the patch (C, T).

    below, leaf: the modules of `before` and of `layer`
    """
    D, channels = before.weight.shape[0], layer.patch[0] * getattr(leaf, "groups", 1)
    flattens = isinstance(below, CONVOLUTIONS) and not isinstance(leaf, CONVOLUTIONS)
    if flattens and channels % D == 0:
        return layer._replace(patch=(D, channels // D))
    if channels != D:
        expected = f"a multiple of {D} inputs, the channels" if flattens else f"{D} inputs, the outputs"
        raise ValueError(f"{layer.path}: expected {expected} of {before.path}, got {channels}")
    return layer


def _layer(path: str, linear: Any) -> Layer:
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
    axes = 2 + len(getattr(linear, "kernel_size", ()))
    if len(weight) != axes or 0 in weight or bias not in (None, weight[:1]):
        names = "D_l, D_l-1" if axes == 2 else f"D_l, D_l-1 / groups, {'width' if axes == 3 else 'height, width'}"
        raise ValueError(f"{path}: expected weight ({names}) and bias (D_l,), none empty, got {weight} and {bias}")
    return layer._replace(patch=weight[1:])


def check_weights(layers: list[Layer], weights: Weights) -> None:
    """Raise `TypeError` or `ValueError` unless each layer has one tensor of its shape, dtype and device."""
    expected = f"{len(layers)} tensors, one for each layer with weights ({', '.join(layer.path for layer in layers)})"
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
