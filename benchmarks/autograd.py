"""The gradient by PyTorch's autograd, the unit of the tables, and the network of a batch as a module."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

import kfgn

from .batch import Batch

KINDS = {"squared_error": nn.MSELoss, "bernoulli": nn.BCEWithLogitsLoss, "categorical": nn.CrossEntropyLoss}
"""The losses of PyTorch. `MSELoss` and `BCEWithLogitsLoss` are means over the outputs too."""


class Transposed(nn.Module):
    """The exchange of tokens (N, C, T), the inputs of a network, and (N, T, C), the inputs of a `Linear`."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The tensor with its last two axes exchanged."""
        return x.mT


def module(b: Batch) -> nn.Sequential:
    """The network of a batch as a module of X, with the weights of the batch.

    The network is one of dense layers, also over tokens, or one of images that ends with a flattening and dense layers.
    """
    network, weights = b.network, iter(b.weights)
    layers: list[nn.Module] = []
    for l, layer in enumerate(network.layers):
        match layer:
            case kfgn.Dense():
                layers.append(_linear(next(weights), flattened=network.shapes[l - 1] if _flattens(network, l) else ()))
            case kfgn.Convolution():
                layers.append(_convolution(layer, next(weights), network.widths[l]))
            case kfgn.Pooling():
                layers.append(nn.AvgPool2d(layer.width, layer.stride))
            case kfgn.Flatten():
                layers.append(nn.Flatten())
        if layer.transfer == "tanh":
            layers.append(nn.Tanh())
    over_tokens = [Transposed()] * (network.positions[-1] > 1)
    return nn.Sequential(*over_tokens, *layers, *over_tokens)


def _flattens(network: kfgn.Network, l: int) -> bool:
    """True if the layer before layer l is a flattening."""
    return l > 0 and isinstance(network.layers[l - 1], kfgn.Flatten)


def _linear(W: torch.Tensor, flattened: tuple[int, ...]) -> nn.Linear:
    """A layer with the weights W, whose inputs are the flattened images of a shape (C, H, W) if one is given.

    PyTorch flattens the channels first, and kfgn the positions.
    """
    kernel = W[:, :-1]
    if flattened:
        kernel = kernel.reshape(len(W), -1, flattened[0]).mT.reshape(len(W), -1)
    return _with_parameters(nn.Linear(kernel.shape[1], len(W), device=W.device, dtype=W.dtype), kernel, W[:, -1])


def _convolution(layer: kfgn.Convolution, W: torch.Tensor, channels: int) -> nn.Conv2d:
    """A convolution of images with the weights W, and with equal padding at both ends of an axis."""
    padding = tuple(before for before, _ in layer.padding)
    conv = nn.Conv2d(channels, layer.units, layer.width, layer.stride, padding, device=W.device, dtype=W.dtype)
    return _with_parameters(conv, W[:, :-1].reshape(layer.units, *layer.width, channels).movedim(-1, 1), W[:, -1])


def _with_parameters(layer: Any, weight: torch.Tensor, bias: torch.Tensor) -> Any:
    with torch.no_grad():
        layer.weight.copy_(weight)
        layer.bias.copy_(bias)
    return layer


def targets(b: Batch) -> torch.Tensor:
    """Y as the losses of PyTorch expect it: without an axis of positions of length 1."""
    return b.Y[:, 0] if b.network.shapes[-1][1:] == (1,) else b.Y


def loss_module(b: Batch) -> nn.Module:
    """The loss of PyTorch for the objective."""
    return KINDS[b.network.objective]()


def gradient(b: Batch) -> Callable[[], Any]:
    """A call of the forward pass and of autograd's backward pass."""
    model, loss, Y = module(b), loss_module(b), targets(b)
    parameters = list(model.parameters())
    return b.library.waiting(lambda: torch.autograd.grad(loss(model(b.X), Y), parameters))
