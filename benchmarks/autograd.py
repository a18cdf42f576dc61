"""The gradient by PyTorch's autograd, the unit of the tables."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from torch import nn

from .batch import Batch


def module(b: Batch) -> nn.Sequential:
    """The network of a batch as a module, with the weights of the batch."""
    layers: list[nn.Module] = []
    for l, (P, D) in enumerate(pairwise(b.sizes.widths)):
        linear = nn.Linear(P, D, device=b.X.device, dtype=b.X.dtype)
        with torch.no_grad():
            linear.weight.copy_(b.weights[l][:, :-1])
            linear.bias.copy_(b.weights[l][:, -1])
        layers += [linear, nn.Tanh()]
    return nn.Sequential(*layers[:-1])


def loss_module(b: Batch) -> nn.Module:
    """The loss of PyTorch for the objective. `MSELoss` and `BCEWithLogitsLoss` are means over the outputs too."""
    kinds = {"squared_error": nn.MSELoss, "bernoulli": nn.BCEWithLogitsLoss, "categorical": nn.CrossEntropyLoss}
    kind: nn.Module = kinds[b.sizes.objective]()
    return kind


def gradient(b: Batch) -> Callable[[], Any]:
    """A call of the forward pass and of autograd's backward pass."""
    model, loss = module(b), loss_module(b)
    parameters = list(model.parameters())
    return b.library.waiting(lambda: torch.autograd.grad(loss(model(b.X), b.Y), parameters))
