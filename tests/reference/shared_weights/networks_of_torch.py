"""The networks as functions of PyTorch: its own convolution, padding and pooling, and channels first."""

import math

import kfgn_reference.shared_weights as shared
import numpy as np
import torch

F = torch.nn.functional
TRANSFERS = {"tanh": torch.tanh, "logistic": torch.sigmoid, "softplus": F.softplus, "silu": F.silu}
LOSSES = {
    "squared_error": lambda h, y: F.mse_loss(h, y, reduction="sum") / 2,
    "bernoulli": lambda h, y: F.binary_cross_entropy_with_logits(h, y, reduction="sum"),
    "categorical": lambda h, y: F.cross_entropy(h, y, reduction="sum"),
}


def convolution(layer, W, a):
    C, width = len(a) // layer.groups, (layer.width,) if a.ndim == 2 else layer.width
    kernel = W[:, : C * math.prod(width)].reshape(len(W), *width, C).movedim(-1, 1)
    bias = W[:, -1] if layer.bias else None
    last_axis_first = [p for pair in np.reshape(layer.padding, (-1, 2))[::-1] for p in pair.tolist()]
    padded = F.pad(a[None], last_axis_first, mode="circular" if layer.circular else "constant")
    function = F.conv1d if a.ndim == 2 else F.conv2d
    return function(padded, kernel, bias, layer.stride, dilation=layer.dilation, groups=layer.groups)[0]


def pooling(layer, a):
    pooled = (F.avg_pool1d if a.ndim == 2 else F.avg_pool2d)(a[None], layer.width, layer.stride)[0]
    return pooled * np.prod(layer.width) if layer.kind == "sum" else pooled


def applied(layer, W, a):
    match layer:
        case shared.Dense():
            h = F.linear(a.movedim(0, -1), W[:, : len(a)], W[:, -1] if layer.bias else None)
            return h.movedim(-1, 0)
        case shared.Embedding():
            return F.embedding(a, W.T).movedim(-1, 0)
        case shared.Normalisation():
            return F.layer_norm(a.movedim(0, -1), (len(a),), eps=layer.epsilon).movedim(-1, 0)
        case shared.ScaleShift():
            h = a.movedim(0, -1) * W[:, 0]
            return (h + W[:, 1] if layer.bias else h).movedim(-1, 0)
        case shared.Convolution():
            return convolution(layer, W, a)
        case shared.Pooling():
            return pooling(layer, a)
        case shared.Flatten():
            return a.movedim(0, -1).reshape(-1, 1)
        case shared.Elementwise():
            return TRANSFERS[layer.transfer](a)


def output(net, theta, x):
    """h_L as rows of positions, (T_L, D_L), for all weights in one vector."""
    sizes = [layer.weight.size for layer in net.weighted.values()]
    parts = dict(zip(net.weighted, torch.split(theta, sizes), strict=True))
    a = x
    for l, layer in enumerate(net.layers, 1):
        W = parts[l].reshape(layer.weight.shape[::-1]).T if l in parts else None
        a = applied(layer, W, a)
    return a.reshape(len(a), -1).T


def loss(net, h, y):
    y = y.flatten() if net.objective == "categorical" else y.reshape(h.shape)
    return LOSSES[net.objective](h, y) / net.divisor
