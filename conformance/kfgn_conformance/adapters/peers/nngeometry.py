"""Adapter of nngeometry: the Fisher matrix, as Kronecker factors, as EKFAC and as exact blocks."""

from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any

import torch
from nngeometry.layercollection import LayerCollection
from nngeometry.metrics import FIM
from nngeometry.object.pspace import PMatBlockDiag, PMatEKFAC, PMatKFAC
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from ...functions import ModuleProblem
from ...problems.problem import Array, Problem
from .. import Conventions, Description, UnsupportedError
from .module_runs import float64_by_default, linear_layers
from .modules import arrays, linears, rows_with_biases, sequential, tensor
from .runs import Blocks, Runs
from .shared_modules import MeanOfTokens, Tokens, converted, in_order_of_kit

VARIANTS = {"squared_error": "regression", "categorical": "classif_logits"}

KINDS: dict[str, Any] = {
    "kflr_blocks": PMatKFAC,
    "gauss_newton_blocks": PMatBlockDiag,
    "expand_blocks": PMatKFAC,
    "shared_gauss_newton_blocks": PMatBlockDiag,
    "ekfac_blocks": PMatEKFAC,
}
"""The representation of the Fisher matrix, by quantity."""


class NNGeometry:
    """Adapter of nngeometry. The adapter reorders exact blocks, so that each bias follows its row of the weights."""

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype

    def describe(self) -> Description:
        """The kit's conventions, except that the rows of the weights are stacked."""
        return Description(
            "nngeometry",
            f"nngeometry {version('nngeometry')} on torch {torch.__version__}",
            self.dtype,
            frozenset(KINDS),
            conventions=Conventions(stacking="rows"),
        )

    def compute(self, problem: Problem, quantity: str) -> tuple[Array, ...]:
        """Compute the quantity with a data loader of one batch."""
        if problem.objective not in VARIANTS:
            raise UnsupportedError(f"no {problem.objective} objective")
        if not problem.is_shared:
            model = sequential(problem, self.dtype)
            X, layers = tensor(problem.X, self.dtype), linears(model)
            return _blocks(problem.objective, model, X, layers, KINDS[quantity])
        net = converted(problem, self.dtype, objectives=tuple(VARIANTS), positions=False)
        if any(isinstance(module, MeanOfTokens | Tokens) for module in net.model):
            raise UnsupportedError("no linear layers over tokens")
        blocks = _blocks(problem.objective, net.model, net.X, net.layers, KINDS[quantity])
        return tuple(
            in_order_of_kit(block, columns, len(layer.weight))
            for block, columns, layer in zip(blocks, net.columns, net.layers, strict=True)
        )


def _blocks(
    objective: str,
    model: nn.Module,
    X: torch.Tensor,
    layers: Sequence[Any],
    kind: Any,
    function: Callable[..., Any] | None = None,
) -> tuple[Array, ...]:
    """The blocks of a representation of the Fisher matrix, with each bias after its row of weights.

    layers:   the layers of the model for which there are blocks
    function: a function from a batch to the outputs of the model, if it is not the model itself
    """
    collection = LayerCollection()
    for layer in layers:
        collection.add_layer_from_model(model, layer)
    loader = DataLoader(TensorDataset(X, torch.zeros(len(X))), batch_size=len(X))
    matrix = FIM(model, loader, kind, variant=VARIANTS[objective], function=function, layer_collection=collection)
    if kind is PMatKFAC:
        return arrays(torch.kron(G, A) for A, G in matrix.data.values())
    if kind is PMatEKFAC:
        matrix.update_diag(loader)
        bases, diagonals = matrix.data
        return arrays(_rotated(U_A, U_G, diagonals[layer]) for layer, (U_A, U_G) in bases.items())
    blocks = arrays(matrix.data.values())
    return tuple(
        block if layer.bias is None else rows_with_biases(block, len(layer.bias))
        for block, layer in zip(blocks, layers, strict=True)
    )


def _rotated(U_A: torch.Tensor, U_G: torch.Tensor, diagonal: torch.Tensor) -> torch.Tensor:
    """U diag(diagonal) U^T with U = U_G kron U_A."""
    U = torch.kron(U_G, U_A)
    rotated: torch.Tensor = (U * diagonal) @ U.T
    return rotated


def _of_module(problem: ModuleProblem, kind: Any) -> Blocks:
    """The blocks of the linear layers of a module.

    nngeometry supports no embedding and no integers as inputs, so the inputs are the vectors of the tokens.
    """
    layers, embedding = linear_layers(problem), problem.module.embedding

    def function(vectors: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
        handle = embedding.register_forward_hook(lambda *_: vectors)
        outputs: torch.Tensor = problem.module(problem.X)
        handle.remove()
        return outputs

    X = embedding(problem.X).detach()
    with float64_by_default():
        blocks = _blocks(problem.objective, problem.module, X, list(layers.values()), kind, function)
    return dict(zip(layers, blocks, strict=True))


RUNS: Runs = {
    "KFAC": lambda problem: _of_module(problem, PMatKFAC),
    "EKFAC": lambda problem: _of_module(problem, PMatEKFAC),
    "exact blocks": lambda problem: _of_module(problem, PMatBlockDiag),
}
