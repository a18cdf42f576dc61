"""Adapter of BackPACK: the gradient, KFLR, KFRA, and products with the Gauss-Newton matrix."""

from importlib.metadata import version
from typing import Any

import torch
from backpack import backpack, extend
from backpack.extensions import KFLR, KFRA
from backpack.hessianfree.ggnvp import ggn_vector_product

from ...problems.problem import Array, Problem
from .. import Conventions, Description
from .modules import LOSS_RATIOS, arrays, directions, linears, loss_of, sequential, tensor

ACTIVATIONS = frozenset({"relu", "tanh", "logistic"})
LOSSES = frozenset({"squared_error", "categorical"})

EXTENSIONS: dict[str, Any] = {"kflr_blocks": KFLR, "kfra_blocks": KFRA}


class BackPACK:
    """Adapter of BackPACK, which forms blocks from the factor A of the inputs and the factor G of a layer.

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
            frozenset({"gradient", "gauss_newton_product", *EXTENSIONS}),
            conventions=Conventions(loss=LOSS_RATIOS, stacking="rows", bias="separate"),
        )

    def compute(self, problem: Problem, quantity: str) -> tuple[Array, ...]:
        """Compute blocks by one backward pass with a BackPACK extension, and other quantities without an extension."""
        model = extend(sequential(problem, self.dtype, ACTIVATIONS))
        loss_module = extend(loss_of(problem, LOSSES))
        outputs = model(tensor(problem.X, self.dtype))
        loss = loss_module(outputs, tensor(problem.Y, self.dtype))
        parameters = list(model.parameters())
        if quantity == "gradient":
            return arrays(torch.autograd.grad(loss, parameters))
        if quantity == "gauss_newton_product":
            return arrays(ggn_vector_product(loss, outputs, model, directions(problem, self.dtype)))
        name = quantity.removesuffix("_blocks")
        with backpack(EXTENSIONS[quantity]()):
            loss.backward()
        blocks = []
        for layer in linears(model):
            G, A = getattr(layer.weight, name)
            # torch.kron needs contiguous factors, but the factors of KFRA are transposed
            blocks += [torch.kron(G.contiguous(), A.contiguous()), getattr(layer.bias, name)[0]]
        return arrays(blocks)
