"""Gradients and products of networks with positions, compared with PyTorch's own layers and its autograd."""

import numpy as np
import pytest

import kfgn

from .problems import ALL, close, only_numpy, problem

torch = pytest.importorskip("torch")
F = torch.nn.functional

SMOOTH = {name: network for name, network in ALL.items() if network.objective != "mixture"}
every_network = pytest.mark.parametrize("name", SMOOTH)

TRANSFERS = {"tanh": torch.tanh, "logistic": torch.sigmoid} | {
    n: getattr(F, n) for n in ("softplus", "silu", "elu", "gelu")
}


def ends(padding):
    """The padding of PyTorch, which begins with the last axis."""
    pairs = (padding,) if isinstance(padding[0], int) else padding
    return [n for pair in reversed(pairs) for n in pair]


def convolution(layer, W, a):
    C = a.shape[1] // layer.groups
    widths = (layer.width,) if isinstance(layer.width, int) else layer.width
    kernel = W[:, : C * int(np.prod(widths))].reshape(layer.units, *widths, C).movedim(-1, 1)
    padded = F.pad(a, ends(layer.padding), mode="circular" if layer.circular else "constant")
    function = F.conv1d if a.ndim == 3 else F.conv2d
    return function(padded, kernel, W[:, -1] if layer.bias else None, layer.stride, 0, layer.dilation, layer.groups)


def pooling(layer, a):
    pooled = (F.avg_pool1d if a.ndim == 3 else F.avg_pool2d)(a, layer.width, layer.stride)
    return pooled * int(np.prod(layer.width)) if layer.kind == "sum" else pooled


def outputs(network, weights, X):
    """h_L with the outputs last, by PyTorch's layers on channels first."""
    a, weights = X, iter(weights)
    for layer in network.layers:
        match layer:
            case kfgn.Dense():
                W = next(weights)
                h = F.linear(a.movedim(1, -1), W[:, : a.shape[1]], W[:, -1] if layer.bias else None)
                a = h.movedim(-1, 1)
            case kfgn.Convolution():
                a = convolution(layer, next(weights), a)
            case kfgn.Pooling():
                a = pooling(layer, a)
            case kfgn.Flatten():
                a = a.movedim(1, -1).reshape(len(a), -1)
            case kfgn.Embedding():
                a = F.embedding(a, next(weights).T).movedim(-1, 1)
            case kfgn.ScaleShift():
                W = next(weights)
                a = a.movedim(1, -1) * W[:, 0] + (W[:, 1] if layer.bias else 0)
                a = a.movedim(-1, 1)
            case kfgn.Normalisation():
                a = F.layer_norm(a.movedim(1, -1), a.shape[1:2], eps=layer.epsilon).movedim(-1, 1)
        a = TRANSFERS.get(layer.transfer, lambda h: h)(a)
    return a.movedim(1, -1)


def mean_loss(network, h, Y):
    """The sum over positions over the divisor, and the mean over datapoints."""
    if network.objective == "categorical":
        total = F.cross_entropy(h.reshape(-1, h.shape[-1]), Y.reshape(-1), reduction="sum")
    elif network.objective == "bernoulli":
        total = F.binary_cross_entropy_with_logits(h, Y, reduction="sum")
    else:
        total = F.mse_loss(h, Y, reduction="sum") / 2
    return total / (len(h) * network.divisor)


def tensors(values):
    return tuple(map(torch.tensor, values))


def differentiable(p):
    """The outputs as a function of the weights, and the loss as a function of the outputs."""
    X, Y = torch.tensor(p.X), torch.tensor(p.Y)
    return lambda *W: outputs(p.network, W, X), lambda h: mean_loss(p.network, h, Y)


def directional(f, x, v):
    """The derivative of f along v by two reverse passes."""
    return torch.autograd.functional.jvp(f, x, v)[1]


@every_network
@only_numpy
def test_gradient(backend, name):
    p = problem(SMOOTH[name])
    of_weights, of_outputs = differentiable(p)
    weights = [W.requires_grad_() for W in tensors(p.weights)]
    loss = of_outputs(of_weights(*weights))
    expected = torch.autograd.grad(loss, weights)
    close(backend, [kfgn.loss(*p[:4])], [loss.item()])
    close(backend, kfgn.gradient(*p[:4]), [g.numpy() for g in expected])


@every_network
@only_numpy
def test_products_with_the_jacobian(backend, name):
    p = problem(SMOOTH[name])
    of_weights, _ = differentiable(p)
    Jv = directional(of_weights, tensors(p.weights), tensors(p.V))
    close(backend, [kfgn.jacobian_product(*p[:3], p.V)], [Jv.numpy()])
    _, transposed = torch.autograd.functional.vjp(of_weights, tensors(p.weights), torch.tensor(p.U))
    came = kfgn.transposed_jacobian_product(*p[:3], p.U)
    close(backend, came, [g.numpy() / len(p.X) for g in transposed])


@every_network
@only_numpy
def test_gauss_newton_product(backend, name):
    p = problem(SMOOTH[name])
    of_weights, of_outputs = differentiable(p)
    weights = tensors(p.weights)
    Jv = directional(of_weights, weights, tensors(p.V))
    _, HJv = torch.autograd.functional.hvp(of_outputs, of_weights(*weights), Jv)
    _, expected = torch.autograd.functional.vjp(of_weights, weights, HJv)
    close(backend, kfgn.gauss_newton_product(*p[:4], p.V), [g.numpy() for g in expected])


@every_network
@only_numpy
def test_hessian_product(backend, name):
    p = problem(SMOOTH[name])
    of_weights, of_outputs = differentiable(p)
    loss = lambda *W: of_outputs(of_weights(*W))  # noqa: E731
    _, expected = torch.autograd.functional.hvp(loss, tensors(p.weights), tensors(p.V))
    close(backend, kfgn.hessian_product(*p[:4], p.V), [g.numpy() for g in expected])
