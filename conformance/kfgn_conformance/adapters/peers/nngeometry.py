"""Adapter of nngeometry: the Fisher matrix, as Kronecker factors and as exact blocks."""

from importlib.metadata import version

import torch
from nngeometry.metrics import FIM
from nngeometry.object.pspace import PMatBlockDiag, PMatKFAC
from torch.utils.data import DataLoader, TensorDataset

from ...problems.problem import Array, Problem
from .. import Conventions, Description, UnsupportedError
from .modules import arrays, sequential, tensor

VARIANTS = {"squared_error": "regression", "categorical": "classif_logits"}


class NNGeometry:
    """Adapter of nngeometry. The adapter gives the exact blocks the order of the blocks from Kronecker factors."""

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype

    def describe(self) -> Description:
        """The kit's conventions, except that the rows of the weights are stacked."""
        return Description(
            "nngeometry",
            f"nngeometry {version('nngeometry')} on torch {torch.__version__}",
            self.dtype,
            frozenset({"kflr_blocks", "gauss_newton_blocks"}),
            conventions=Conventions(stacking="rows"),
        )

    def compute(self, problem: Problem, quantity: str) -> tuple[Array, ...]:
        """Compute the quantity with a data loader of one batch."""
        if problem.objective not in VARIANTS:
            raise UnsupportedError(f"no {problem.objective} objective")
        model = sequential(problem, self.dtype)
        data = TensorDataset(tensor(problem.X, self.dtype), tensor(problem.Y, self.dtype))
        loader = DataLoader(data, batch_size=problem.N)
        kind = PMatKFAC if quantity == "kflr_blocks" else PMatBlockDiag
        matrix = FIM(model, loader, kind, variant=VARIANTS[problem.objective])
        if quantity == "kflr_blocks":
            return arrays(torch.kron(G, A) for A, G in matrix.data.values())
        return arrays(_in_order(block, W.shape) for block, W in zip(matrix.data.values(), problem.weights, strict=True))


def _in_order(block: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
    """Reorder a block so that the bias of each output follows the weights of this output."""
    D, P = shape
    at = torch.cat([torch.arange(D * (P - 1)).reshape(D, P - 1), torch.arange(D * (P - 1), D * P)[:, None]], dim=1)
    order = at.reshape(-1)
    return block[order][:, order]
