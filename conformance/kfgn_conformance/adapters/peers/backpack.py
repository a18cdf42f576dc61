"""Adapter of BackPACK: the gradient, KFLR (also with shared weights), KFRA, and Gauss-Newton products."""

from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

import torch
from backpack import backpack, extend
from backpack.extensions import KFLR, KFRA
from backpack.hessianfree.ggnvp import ggn_vector_product
from torch import nn

from ...functions import ModuleProblem
from ...problems.problem import Array, Problem
from .. import Conventions, Description
from .module_runs import linear_layers
from .modules import LOSS_RATIOS, arrays, directions, linears, loss_of, sequential, tensor
from .runs import Blocks, Runs
from .shared_modules import converted, in_order_of_kit

ACTIVATIONS = frozenset({"relu", "tanh", "logistic"})
LOSSES = frozenset({"squared_error", "categorical"})
MODULES = frozenset({nn.Linear, nn.Conv2d, nn.ReLU, nn.Tanh, nn.Sigmoid, nn.Flatten, nn.AvgPool2d, nn.ZeroPad2d})

EXTENSIONS: dict[str, Any] = {"kflr_blocks": KFLR, "kfra_blocks": KFRA}
SHARED = "expand_blocks"
"""The quantity with shared weights. BackPACK's documentation calls the method KFC, and the kit calls it expand."""


class BackPACK:
    """Adapter of BackPACK. The adapter forms blocks from the factor A of the inputs and the factor G of a layer.

    The block of the weights is G kron A, and the block of the biases is G.
    """

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype

    def describe(self) -> Description:
        """BackPACK's conventions: stacked rows of the weights, separate biases, and the losses of PyTorch."""
        return Description(
            "backpack",
            f"backpack-for-pytorch {version('backpack-for-pytorch')} on torch {torch.__version__}",
            self.dtype,
            frozenset({"gradient", "gauss_newton_product", SHARED, *EXTENSIONS}),
            conventions=Conventions(loss=LOSS_RATIOS, stacking="rows", bias="separate"),
        )

    def compute(self, problem: Problem, quantity: str) -> tuple[Array, ...]:
        """Compute blocks by one backward pass with a BackPACK extension, and other quantities without an extension."""
        if quantity == SHARED:
            return self._shared(problem)
        model = extend(sequential(problem, self.dtype, ACTIVATIONS))
        loss_module = extend(loss_of(problem, LOSSES))
        outputs = model(tensor(problem.X, self.dtype))
        loss = loss_module(outputs, tensor(problem.Y, self.dtype))
        parameters = list(model.parameters())
        if quantity == "gradient":
            return arrays(torch.autograd.grad(loss, parameters))
        if quantity == "gauss_newton_product":
            return arrays(ggn_vector_product(loss, outputs, model, directions(problem, self.dtype)))
        with backpack(EXTENSIONS[quantity]()):
            loss.backward()
        return arrays(_blocks(linears(model), quantity.removesuffix("_blocks")))

    def _shared(self, problem: Problem) -> tuple[Array, ...]:
        """KFLR of a network with shared weights."""
        net = converted(problem, self.dtype, kinds=MODULES, objectives=tuple(LOSSES), positions=False)
        loss = extend(net.loss)(extend(net.model)(net.X), net.Y)
        with backpack(KFLR()):
            loss.backward()
        blocks = iter(arrays(_blocks(net.layers, "kflr")))
        answer = []
        for layer, columns in zip(net.layers, net.columns, strict=True):
            answer.append(in_order_of_kit(next(blocks), columns, len(layer.weight)))
            if layer.bias is not None:
                answer.append(next(blocks))
        return tuple(answer)


def _blocks(layers: Iterable[Any], name: str) -> list[torch.Tensor]:
    """For each layer, the block of the weights, and the block of the bias if the layer has a bias."""
    blocks = []
    for layer in layers:
        G, A = getattr(layer.weight, name)
        # torch.kron needs contiguous factors, but the factors of KFRA are transposed
        blocks.append(torch.kron(G.contiguous(), A.contiguous()))
        if layer.bias is not None:
            blocks.append(getattr(layer.bias, name)[0])
    return blocks


def _of_module(problem: ModuleProblem, *, converter: bool) -> Blocks:
    """KFLR of the weights, and separately of the biases, of all linear layers of a module."""
    layers = linear_layers(problem)
    outputs = extend(problem.module, use_converter=converter)(problem.X)
    value = extend(nn.CrossEntropyLoss())(outputs.flatten(end_dim=-2), problem.Y.flatten())
    with backpack(KFLR()):
        value.backward()
    names = [f"{name}.{part}" for name in layers for part in ("weight", "bias")]
    return dict(zip(names, arrays(_blocks(layers.values(), "kflr")), strict=True))


RUNS: Runs = {
    "KFLR": lambda problem: _of_module(problem, converter=False),
    "KFLR, use_converter": lambda problem: _of_module(problem, converter=True),
}
