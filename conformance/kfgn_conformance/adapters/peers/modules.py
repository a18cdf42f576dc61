"""Problems as modules of PyTorch, as its libraries take them."""

from typing import Any

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
    "softplus": lambda: nn.Softplus(threshold=40),  # above the threshold, by default 20, it returns h: wrong by 2e-9
}

LOSSES: dict[str, Any] = {
    "squared_error": nn.MSELoss,
    "bernoulli": nn.BCEWithLogitsLoss,
    "categorical": nn.CrossEntropyLoss,
}
"""The losses of PyTorch, by the objective they belong to."""

OF_THE_LOSSES = {"squared_error": "2/D", "bernoulli": "1/D"}
"""What they are of the kit's: means over the outputs, and the squared error without its 1/2."""


def tensor(x: Array, dtype: str) -> torch.Tensor:
    """A copy: real numbers in the dtype, indices as they are."""
    return torch.tensor(x, dtype=getattr(torch, dtype) if x.dtype.kind == "f" else None)


def sequential(problem: Problem, dtype: str, activations: frozenset[str] = frozenset(ACTIVATIONS)) -> nn.Sequential:
    """Linear layers with separate biases, and the activations between them, if the library takes these."""
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
                raise UnsupportedError(f"takes no {names[l]} units")
            modules.append(ACTIVATIONS[names[l]]())
    return nn.Sequential(*modules)


def loss_of(problem: Problem, taken: frozenset[str] = frozenset(LOSSES)) -> nn.Module:
    """The loss module, if the library takes it."""
    if problem.objective not in taken:
        raise UnsupportedError(f"takes no {problem.objective} objective")
    module: nn.Module = LOSSES[problem.objective]()
    return module


def linears(model: nn.Sequential) -> list[nn.Linear]:
    """The layers with weights."""
    return [module for module in model if isinstance(module, nn.Linear)]


def arrays(tensors: Any) -> tuple[Array, ...]:
    """Tensors as NumPy arrays."""
    return tuple(x.detach().cpu().numpy() for x in tensors)


def directions(problem: Problem, dtype: str) -> list[torch.Tensor]:
    """V_l as the weight and the bias of each layer."""
    return [part for V in problem.arguments.direction for part in (tensor(V[:, :-1], dtype), tensor(V[:, -1], dtype))]
