"""Conversion of problems to modules of PyTorch, for the adapters of libraries that use PyTorch."""

from typing import Any

import numpy as np
import torch
from torch import nn

from ...problems.problem import Array, Problem
from .. import UnsupportedError
from . import transfer_names

ACTIVATIONS: dict[str, Any] = {
    "identity": nn.Identity,
    "relu": nn.ReLU,
    "leaky_relu": lambda: nn.LeakyReLU(0.1),
    "tanh": nn.Tanh,
    "logistic": nn.Sigmoid,
    # Above the threshold, nn.Softplus returns h. At the default threshold of 20, h differs from softplus(h) by 2e-9
    "softplus": lambda: nn.Softplus(threshold=40),
    "elu": nn.ELU,
    "silu": nn.SiLU,
    "gelu": nn.GELU,
    "gelu_tanh": lambda: nn.GELU(approximate="tanh"),
}

LOSSES: dict[str, Any] = {
    "squared_error": nn.MSELoss,
    "bernoulli": nn.BCEWithLogitsLoss,
    "categorical": nn.CrossEntropyLoss,
}
"""The losses of PyTorch, by objective."""

LOSS_RATIOS = {"squared_error": "2/D", "bernoulli": "1/D"}
"""Ratios of PyTorch's losses to the kit's losses.

`MSELoss` and `BCEWithLogitsLoss` are means over the outputs, and `MSELoss` has no factor 1/2.
"""


def tensor(x: Array, dtype: str) -> torch.Tensor:
    """Copy an array to a tensor. Real numbers are converted to the dtype, and integers keep their dtype."""
    return torch.tensor(x, dtype=getattr(torch, dtype) if x.dtype.kind == "f" else None)


def sequential(problem: Problem, dtype: str, activations: frozenset[str] = frozenset(ACTIVATIONS)) -> nn.Sequential:
    """The network of a problem: linear layers with separate biases, and activations between the layers.

    activations: names of the activations that the library supports

    Raises `UnsupportedError` for any other activation, for an activation with a parameter, and for a layer without a
    bias.
    """
    modules: list[nn.Module] = []
    names = transfer_names(problem)
    for l, W in enumerate(problem.weights):
        linear = nn.Linear(W.shape[1] - 1, W.shape[0], dtype=getattr(torch, dtype))
        with torch.no_grad():
            linear.weight.copy_(tensor(W[:, :-1], dtype))
            linear.bias.copy_(tensor(W[:, -1], dtype))
        modules.append(linear)
        if l < len(names):
            if names[l] not in activations:
                raise UnsupportedError(f"no {names[l]} activations")
            modules.append(ACTIVATIONS[names[l]]())
    return nn.Sequential(*modules)


def loss_of(problem: Problem, supported: frozenset[str] = frozenset(LOSSES)) -> nn.Module:
    """The module of the loss of a problem. Raises `UnsupportedError` if the library does not support the objective."""
    if problem.objective not in supported:
        raise UnsupportedError(f"no {problem.objective} objective")
    module: nn.Module = LOSSES[problem.objective]()
    return module


def linears(model: nn.Sequential) -> list[nn.Linear]:
    """The linear layers of a model, in order."""
    return [module for module in model if isinstance(module, nn.Linear)]


def arrays(tensors: Any) -> tuple[Array, ...]:
    """Convert tensors to NumPy arrays."""
    return tuple(x.detach().cpu().numpy() for x in tensors)


def directions(problem: Problem, dtype: str) -> list[torch.Tensor]:
    """The direction V as tensors: for each layer, the part for the weights and then the part for the bias."""
    return [part for V in problem.arguments.direction for part in (tensor(V[:, :-1], dtype), tensor(V[:, -1], dtype))]


def rows_with_biases(block: Array, outputs: int) -> Array:
    """Reorder a block over all rows of the weights and then all biases, so that each bias follows its row."""
    inputs = len(block) // outputs - 1
    weights = np.arange(outputs * inputs).reshape(outputs, inputs)
    biases = np.arange(outputs * inputs, len(block))[:, None]
    at = np.concatenate([weights, biases], axis=1).ravel()
    reordered: Array = block[np.ix_(at, at)]
    return reordered
