"""Masked batches compared with PyTorch's cross_entropy with `ignore_index` and its autograd."""

import numpy as np
import pytest

import kfgn

from .problems import GAPS

torch = pytest.importorskip("torch")


def network_of_torch(weights, tokens):
    """The logits (N, T, D) of an embedding, layer normalisation and two dense layers, by modules of PyTorch."""
    E, norm, W_1, W_2 = weights
    a = torch.nn.functional.embedding(tokens, E.T)
    a = torch.nn.functional.layer_norm(a, (3,), norm[:, 0], norm[:, 1], 0.1)
    a = torch.tanh(a @ W_1[:, :-1].T + W_1[:, -1])
    return a @ W_2[:, :-1].T + W_2[:, -1]


@pytest.mark.parametrize(("divisor", "reduction"), [("positions", "mean"), (1, "sum")])
def test_the_loss_and_gradient_of_counted_tokens(divisor, reduction):
    layers = kfgn.Embedding(3), kfgn.Normalisation(0.1), kfgn.ScaleShift(), kfgn.Dense(4, "tanh"), kfgn.Dense(6)
    network = kfgn.Network((7, 5), layers, "categorical", divisor=divisor)
    rng = np.random.default_rng(0)
    weights = [torch.tensor(rng.normal(size=shape), requires_grad=True) for shape in network.weight_shapes]
    tokens, Y = torch.tensor(rng.integers(0, 7, (3, 5))), torch.tensor(rng.integers(0, 6, (3, 5)))
    mask = torch.tensor(GAPS)
    Y = torch.where(mask, Y, -100)
    logits = network_of_torch(weights, tokens).reshape(-1, 6)
    loss = torch.nn.functional.cross_entropy(logits, Y.reshape(-1), ignore_index=-100, reduction=reduction)
    if reduction == "sum":
        loss = loss / 3
    gradient = torch.autograd.grad(loss, weights, create_graph=True)
    X = kfgn.Padded(tokens, mask)
    np.testing.assert_allclose(float(kfgn.loss(network, weights, X, Y)), float(loss.detach()), rtol=1e-13)
    for a, b in zip(kfgn.gradient(network, weights, X, Y), gradient, strict=True):
        np.testing.assert_allclose(a, b.detach(), rtol=0, atol=1e-13 * float(b.detach().abs().max()))
    V = [torch.tensor(rng.normal(size=shape)) for shape in network.weight_shapes]
    Hv = torch.autograd.grad(sum((g * v).sum() for g, v in zip(gradient, V, strict=True)), weights)
    for a, b in zip(kfgn.hessian_product(network, weights, X, Y, V), Hv, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-12 * float(b.abs().max()))
