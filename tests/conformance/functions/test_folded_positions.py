"""Products of PyTorch whose positions are folded into the axis of the batch."""

import kfgn_reference.shared_weights as shared
import numpy as np
import pytest
import torch
from kfgn_conformance.functions import torch_oracle
from torch import nn
from torch.nn import functional

from .agreement import close, parts
from .models_of_torch import drawn
from .test_torch_products import Product


class Folded(nn.Module):
    """A layer on several parts of each datapoint (N, S, ...), with the parts in the axis of the batch."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        h = self.layer(x.flatten(0, 1))
        return h.movedim(1, -1).reshape(*x.shape[:2], -1, h.shape[1])


FOLDED = {
    "conv1d": (nn.Conv1d(2, 3, 2), (2, 4, 2, 3)),
    "conv1d, groups": (nn.Conv1d(4, 6, 3, groups=2, padding=1), (2, 3, 4, 5)),
    "conv2d": (nn.Conv2d(2, 3, (3, 2), stride=(2, 1), padding=(1, 2), bias=False), (2, 3, 2, 5, 4)),
    "linear": (nn.Linear(2, 3), (2, 4, 2)),
    "@ of a vector": (Product(lambda x, w: (x @ w)[:, None], (4,)), (2, 3, 5, 4)),
    "a vector @": (Product(lambda x, w: (w @ x)[:, None], (4,)), (2, 3, 4, 5)),
    "@ from the left": (Product(lambda x, W: W @ x, (3, 4)), (2, 3, 4, 5)),
    "a bias": (Product(lambda x, W, b: functional.conv1d(x, W) + b[:, None], (3, 2, 2), 3), (2, 4, 2, 3)),
    "embedding": (Product(lambda x, W: functional.embedding(x.argmax(-1), W), (5, 3)), (2, 4, 5)),
}


@pytest.mark.parametrize("name", FOLDED)
def test_positions_in_the_axis_of_the_batch(name):
    """The inputs times W are the outputs, and the blocks are those of derivatives of the whole batch by PyTorch."""
    layer, shape = FOLDED[name]
    model, generator = drawn(Folded(layer)), torch.Generator().manual_seed(4)
    X = torch.randn(shape, generator=generator, dtype=torch.float64)
    Y = torch.randn(model(X).shape, generator=generator, dtype=torch.float64)
    oracle = torch_oracle(model, X, Y, "squared_error")
    (whole,) = oracle.names
    W, groups = oracle.matrix(whole), [oracle.pairs(whole, part) for _, part in parts(oracle)]
    weights = np.split(W, len(groups))
    for n, expected in enumerate(oracle.outputs):
        close(np.concatenate([g[n].a @ V.T for g, V in zip(groups, weights, strict=True)], axis=1), expected)

    theta = torch.cat([p.detach().reshape(-1) for p in model.parameters()])
    rows = [int(np.flatnonzero(theta == value)[0]) for value in W.ravel(order="F")]
    named = dict(model.named_parameters())

    def loss(at):
        split = torch.split(at, [p.numel() for p in named.values()])
        values = {key: part.reshape(p.shape) for (key, p), part in zip(named.items(), split, strict=True)}
        return (torch.func.functional_call(model, values, (X,)) - Y).square().sum() / 2 / len(X)

    hessian = torch.autograd.functional.hessian(loss, theta).numpy()[np.ix_(rows, rows)]
    close(oracle.gradient(whole).ravel(order="F"), torch.autograd.functional.jacobian(loss, theta)[rows])
    close(oracle.hessian_block(whole), hessian)
    close(oracle.gauss_newton_block(whole), hessian)  # of linear outputs
    if len(groups) == 1:
        close(shared.exact_block(groups[0]), hessian)
