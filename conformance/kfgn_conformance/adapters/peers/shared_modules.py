"""Conversion of problems with shared weights to modules of PyTorch, for the adapters of libraries that use PyTorch.

A 1-d convolution becomes an `nn.Conv2d` on images of one row, since some libraries support no other convolution. A
dense layer at several positions becomes an `nn.Linear` over tokens, (N, T, C). Problems with images are not converted.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from ...problems.layers import Convolution, Dense, Flatten, Pooling
from ...problems.problem import Array, Problem
from .. import UnsupportedError
from .modules import ACTIVATIONS, linears, loss_of, sequential, tensor
from .sequences import Kind, layers_over_sequences

Kinds = frozenset[type]
"""The classes of the modules that a library supports, or an empty set for a library without a limit."""


class Tokens(nn.Module):  # type: ignore[misc]
    """Images of one row as tokens: (N, C, 1, T) to (N, T, C)."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Move the channels to the end."""
        return x.squeeze(2).transpose(1, 2).contiguous()


class Rows(nn.Module):  # type: ignore[misc]
    """Tokens as images of one row: (N, T, C) to (N, C, 1, T)."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Move the channels before the positions."""
        return x.transpose(1, 2).unsqueeze(2)


class ClassesFirst(nn.Module):  # type: ignore[misc]
    """Outputs as `nn.CrossEntropyLoss` expects them: (N, T, D) to (N, D, T)."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Move the classes before the positions."""
        return x.transpose(1, 2)


class MeanOfTokens(nn.Module):  # type: ignore[misc]
    """The mean of all tokens: (N, T, C) to (N, C)."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Reduce the axis of the tokens."""
        return x.mean(dim=1)


class Converted(NamedTuple):
    """A problem with shared weights in PyTorch.

    model:   the network. Outputs are (N, D) at one position, (N, D, T) for classes, and (N, T, D) otherwise
    loss:    PyTorch's loss, which is a mean over datapoints, positions and, except for classes, outputs
    X:       the inputs, as tokens (N, T, C) or as images of one row (N, C, 1, T)
    Y:       the targets, shaped for the loss
    layers:  the modules with weights, in order
    columns: for each of these modules, the columns of W to which the inputs of the module belong, without the bias
    scale:   T / divisor, for outputs at T positions. PyTorch's loss times `scale` has the divisor of the problem
    """

    model: nn.Sequential
    loss: nn.Module
    X: torch.Tensor
    Y: torch.Tensor
    layers: list[nn.Module]
    columns: list[Array]
    scale: float


def converted(
    problem: Problem, dtype: str, *, kinds: Kinds = frozenset(), objectives: Sequence[str], positions: bool = True
) -> Converted:
    """Convert a problem with shared weights.

    kinds:      the classes of the modules that the library supports, or an empty set for all
    objectives: the objectives that the library supports
    positions:  False if the library supports outputs at one position alone

    Raises `UnsupportedError` for a problem that the library or the adapters do not support.
    """
    layers = layers_over_sequences(problem)
    T = problem.shapes[-1][1]
    if T > 1 and not positions:
        raise UnsupportedError("no outputs at several positions")
    if any(layer.groups > 1 for layer in problem.weighted):
        raise UnsupportedError("no pair of factors for each group of a grouped convolution")
    columns: list[Array] = []
    model = nn.Sequential(*_modules(problem, layers, dtype, columns))
    if kinds and (unknown := [module for module in model if type(module) not in kinds]):
        raise UnsupportedError(f"no {type(unknown[0]).__name__} modules")
    weighted = [module for module in model if isinstance(module, nn.Linear | nn.Conv2d)]
    X, Y = tensor(problem.X, dtype), tensor(problem.Y, dtype)
    X = X.unsqueeze(2) if has_convolutions(problem) else X.transpose(1, 2).contiguous()
    loss = loss_of(problem, frozenset(objectives))
    return Converted(model, loss, X, Y[:, 0] if T == 1 else Y, weighted, columns, T / problem.divisor)


def of_any(problem: Problem, dtype: str, *, objectives: Sequence[str]) -> Converted:
    """Convert a problem with or without shared weights."""
    if problem.is_shared:
        return converted(problem, dtype, objectives=objectives)
    model, loss = sequential(problem, dtype), loss_of(problem, frozenset(objectives))
    columns = [np.arange(D) for D in problem.widths[:-1]]
    return Converted(model, loss, tensor(problem.X, dtype), tensor(problem.Y, dtype), linears(model), columns, 1.0)


def sampled_targets(problem: Problem, dtype: str) -> Iterator[torch.Tensor]:
    """Yield the labels of each sample, shaped as the loss of PyTorch expects targets."""
    for sample in np.moveaxis(problem.labels, 1, 0):
        labels = tensor(sample, dtype)
        yield labels[:, 0] if problem.is_shared and problem.shapes[-1][1] == 1 else labels


LOSS_SUMS: dict[str, Any] = {
    "squared_error": lambda h, y: 0.5 * nn.functional.mse_loss(h, y, reduction="sum"),
    "bernoulli": lambda h, y: nn.functional.binary_cross_entropy_with_logits(h, y, reduction="sum"),
    "categorical": lambda h, y: nn.functional.cross_entropy(h, y, reduction="sum"),
}
"""The losses of the kit, summed over datapoints, positions and outputs."""


def has_convolutions(problem: Problem) -> bool:
    """True if a layer is a convolution. The inputs are then images of one row, and otherwise tokens."""
    return any(isinstance(layer, Convolution) for layer in problem.layers)


def _modules(problem: Problem, layers: Sequence[Kind], dtype: str, columns: list[Array]) -> Iterator[nn.Module]:
    """Yield the modules of a problem, and append the columns of each module with weights to `columns`.

    An activation is in the form of rows (N, C, 1, T), tokens (N, T, C) or, at one position, vectors (N, C).
    """
    form = "rows" if has_convolutions(problem) else "tokens"
    weights = iter(problem.weights)
    order: Array | None = None
    for layer, (C, T) in zip(layers, problem.shapes, strict=False):
        if isinstance(layer, Flatten):
            # For rows (N, C, 1, T), nn.Flatten puts the positions of a channel next to each other, and the kit puts the
            # channels of a position next to each other. For tokens (N, T, C), nn.Flatten has the order of the kit.
            order = np.arange(C * T).reshape(T, C).T.ravel() if form == "rows" else None
            yield nn.Flatten()
            form = "vectors"
            continue
        wanted = _form(layer, form, T)
        if wanted != form:
            yield FORMS[wanted]()
        form = wanted
        if isinstance(layer, Pooling):
            yield _pooling(layer, form)
            form = "rows" if form == "rows" else "vectors"
            continue
        W = next(weights)
        if isinstance(layer, Convolution):
            order = np.arange(C * layer.taps).reshape(layer.taps, C).T.ravel()
        elif order is None:
            order = np.arange(C)
        yield from _weighted(layer, W[:, order], W[:, -1], C, dtype)
        columns.append(order)
        order = None
    last = "vectors" if problem.shapes[-1][1] == 1 else "tokens"
    if last != form:
        yield FORMS[last]()
    if last == "tokens" and problem.objective == "categorical":
        yield ClassesFirst()


FORMS: dict[str, Any] = {"rows": Rows, "tokens": Tokens, "vectors": nn.Flatten}
"""For each form of an activation, the module that brings an activation into this form."""


def _form(layer: Kind, form: str, T: int) -> str:
    """The form of the inputs (C, T) of a layer, where `form` is the form of the outputs of the layer below."""
    if isinstance(layer, Convolution):
        return "rows"
    if isinstance(layer, Pooling):
        return "tokens" if form == "tokens" and layer.kind == "mean" and layer.taps == T else "rows"
    return "vectors" if T == 1 else "tokens"


def _pooling(layer: Pooling, form: str) -> nn.Module:
    """Return a mean of all tokens, or a pooling over windows of rows."""
    if form == "tokens":
        return MeanOfTokens()
    (window,) = layer.windows
    return nn.AvgPool2d((1, window.width), (1, window.stride), divisor_override=1 if layer.kind == "sum" else None)


def _weighted(layer: Dense | Convolution, kernel: Array, bias: Array, C: int, dtype: str) -> Iterator[nn.Module]:
    """Yield an asymmetric padding if there is one, then the module with the weights, then the activation if any.

    kernel: the weights without the bias, with the columns in the order of PyTorch
    bias:   the last column of W
    """
    made: nn.Linear | nn.Conv2d
    if isinstance(layer, Dense):
        made = nn.Linear(kernel.shape[1], layer.units, layer.bias, dtype=getattr(torch, dtype))
    else:
        (window,) = layer.windows
        left, right = window.padding
        symmetric = left == right
        if not symmetric:
            yield (nn.CircularPad2d if layer.circular else nn.ZeroPad2d)((left, right, 0, 0))
        made = nn.Conv2d(
            C,
            layer.units,
            (1, window.width),
            (1, window.stride),
            (0, left if symmetric else 0),
            (1, window.dilation),
            bias=layer.bias,
            padding_mode="circular" if layer.circular and symmetric else "zeros",
            dtype=getattr(torch, dtype),
        )
    with torch.no_grad():
        made.weight.copy_(tensor(kernel, dtype).reshape(made.weight.shape))
        if layer.bias:
            made.bias.copy_(tensor(bias, dtype))
    yield made
    if layer.transfer != "identity":
        if not isinstance(layer.transfer, str):
            raise UnsupportedError("no support for transfer functions with a parameter")
        yield ACTIVATIONS[layer.transfer]()


def in_order_of_kit(block: Array, columns: Array, outputs: int) -> Array:
    """Reorder a block over the stacked rows of a module's weights. The inputs get the order of the columns of W.

    The module has `outputs` rows of weights, and each row may end with the bias. The rows remain stacked.

    columns: the columns of W to which the inputs of the module belong
    """
    inputs = len(block) // outputs
    order = np.concatenate([np.argsort(columns), np.arange(len(columns), inputs)])
    at = (np.arange(outputs)[:, None] * inputs + order).ravel()
    return block[np.ix_(at, at)]
