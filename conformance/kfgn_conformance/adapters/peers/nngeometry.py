"""Adapter of nngeometry: the Fisher matrix, as Kronecker factors, as EKFAC and as exact blocks."""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import torch
from nngeometry.metrics import FIM
from nngeometry.object.pspace import PMatBlockDiag, PMatEKFAC, PMatKFAC
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from ...problems.problem import Array, Problem
from .. import Conventions, Description, UnsupportedError
from .modules import arrays, linears, rows_with_biases, sequential, tensor
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
            return _blocks(problem, model, tensor(problem.X, self.dtype), linears(model), KINDS[quantity])
        net = converted(problem, self.dtype, objectives=tuple(VARIANTS), positions=False)
        if any(isinstance(module, MeanOfTokens | Tokens) for module in net.model):
            raise UnsupportedError("no linear layers over tokens")
        blocks = _blocks(problem, net.model, net.X, net.layers, KINDS[quantity])
        return tuple(
            in_order_of_kit(block, columns, len(layer.weight))
            for block, columns, layer in zip(blocks, net.columns, net.layers, strict=True)
        )


def _blocks(problem: Problem, model: nn.Module, X: torch.Tensor, layers: Sequence[Any], kind: Any) -> tuple[Array, ...]:
    """The blocks of a representation of the Fisher matrix, with each bias after its row of weights."""
    loader = DataLoader(TensorDataset(X, torch.zeros(problem.N)), batch_size=problem.N)
    matrix = FIM(model, loader, kind, variant=VARIANTS[problem.objective])
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
