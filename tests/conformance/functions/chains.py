"""The networks of the reference with shared weights as modules of PyTorch, with its own layers and kernels."""

import kfgn_reference.shared_weights as shared
import torch
from torch import nn

TRANSFERS = {"tanh": nn.Tanh, "logistic": nn.Sigmoid, "softplus": nn.Softplus, "silu": nn.SiLU}


class OverPositions(nn.Module):
    """A layer on channels last, for activations (N, C, T)."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, a):
        return self.layer(a.transpose(1, 2)).transpose(1, 2)


class Padded(nn.Module):
    """Positions added on both sides, zeros or the other end of the input."""

    def __init__(self, padding, circular):
        super().__init__()
        self.padding, self.mode = padding, "circular" if circular else "constant"

    def forward(self, a):
        return nn.functional.pad(a, self.padding, mode=self.mode)


class Flattened(nn.Module):
    """All entries as channels of one position, the channels of a position next to each other."""

    def forward(self, a):
        return a.transpose(1, 2).reshape(len(a), -1, 1)


class Sums(nn.AvgPool1d):
    """Sums of windows."""

    def forward(self, a):
        return super().forward(a) * self.kernel_size[0]


class PositionsFirst(nn.Module):
    """Outputs (N, T, O) of activations (N, O, T)."""

    def forward(self, a):
        return a.transpose(1, 2)


def module(net, channels):
    """The module of a network for inputs (N, C, T), and the name of the layer for each layer with weights."""
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
                modules.append((nn.AvgPool1d if layer.kind == "mean" else Sums)(layer.width, layer.stride))
            case shared.Flatten():
                modules.append(Flattened())
            case shared.Elementwise():
                modules.append(TRANSFERS[layer.transfer]())
        channels = len(layer.weight) if hasattr(layer, "weight") else channels
    return nn.Sequential(*modules, PositionsFirst()).double(), names


def convolution(layer, channels):
    found = nn.Conv1d(
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
