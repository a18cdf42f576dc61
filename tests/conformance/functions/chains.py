"""The networks of the reference with shared weights as modules of PyTorch, with its own layers and kernels."""

import kfgn_reference.shared_weights as shared
import numpy as np
import torch
from torch import nn

TRANSFERS = {"tanh": nn.Tanh, "logistic": nn.Sigmoid, "softplus": nn.Softplus, "silu": nn.SiLU}


class OverPositions(nn.Module):
    """A layer on channels last, for activations (N, C, T) or (N, C, H, W)."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, a):
        return self.layer(a.movedim(1, -1)).movedim(-1, 1)


class Padded(nn.Module):
    """Positions added on both sides, zeros or the other end of the input."""

    def __init__(self, padding, circular):
        super().__init__()
        last_axis_first = np.reshape(padding, (-1, 2))[::-1]
        self.padding, self.mode = last_axis_first.flatten().tolist(), "circular" if circular else "constant"

    def forward(self, a):
        return nn.functional.pad(a, self.padding, mode=self.mode)


class Flattened(nn.Module):
    """All entries as channels of one position, the channels of a position next to each other."""

    def forward(self, a):
        return a.movedim(1, -1).reshape(len(a), -1, 1)


class Sums(nn.Module):
    """Sums of windows, from the means of a module."""

    def __init__(self, means, elements):
        super().__init__()
        self.means, self.elements = means, elements

    def forward(self, a):
        return self.means(a) * self.elements


class PositionsFirst(nn.Module):
    """Outputs (N, T, O) or (N, H, W, O) of activations (N, O, T) or (N, O, H, W)."""

    def forward(self, a):
        return a.movedim(1, -1)


def module(net, channels):
    """The module of a network for inputs with these channels, and the name of the layer for each layer with weights."""
    modules, names = [], {}
    for l, layer in enumerate(net.layers, 1):
        match layer:
            case shared.Dense():
                inner = nn.Linear(layer.weight.shape[1] - layer.bias, len(layer.weight), layer.bias)
                set_weight(inner, layer.weight, layer.bias)
                modules.append(OverPositions(inner))
                names[l] = f"{len(modules) - 1}.layer"
            case shared.Convolution():
                modules += convolution(layer, channels)
                names[l] = f"{len(modules) - 1}"
            case shared.Pooling():
                means = (nn.AvgPool1d if isinstance(layer.width, int) else nn.AvgPool2d)(layer.width, layer.stride)
                modules.append(means if layer.kind == "mean" else Sums(means, int(np.prod(layer.width))))
            case shared.Flatten():
                modules.append(Flattened())
            case shared.Elementwise():
                modules.append(TRANSFERS[layer.transfer]())
        channels = len(layer.weight) if hasattr(layer, "weight") else channels
    return nn.Sequential(*modules, PositionsFirst()).double(), names


def convolution(layer, channels):
    found = (nn.Conv1d if isinstance(layer.width, int) else nn.Conv2d)(
        channels,
        len(layer.weight),
        layer.width,
        stride=layer.stride,
        dilation=layer.dilation,
        groups=layer.groups,
        bias=layer.bias,
    )
    set_weight(found, layer.weight, layer.bias)
    return [Padded(layer.padding, layer.circular), found]


def set_weight(target, W, bias):
    """W tap by tap with the bias in the last column as the weight and bias of a module."""
    W = torch.as_tensor(W)
    kernel = W[:, : W.shape[1] - bias]
    shape = target.weight.shape
    kernel = kernel.reshape(len(W), *shape[2:], shape[1]).movedim(-1, 1)
    target.weight.data = kernel.double()
    if bias:
        target.bias.data = W[:, -1].double()
