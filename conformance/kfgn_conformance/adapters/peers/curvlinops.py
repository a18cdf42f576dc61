"""Adapter of curvlinops: KFAC of type 2 (KFLR), and products with the Gauss-Newton matrix and the Hessian."""

from importlib.metadata import version
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from curvlinops import GGNLinearOperator, HessianLinearOperator, KFACLinearOperator

from ...problems.problem import Array, Problem
from .. import Conventions, Description, UnsupportedError
from .modules import LOSS_RATIOS, arrays, directions, loss_of, sequential, tensor

OPERATORS: dict[str, Any] = {"gauss_newton_product": GGNLinearOperator, "hessian_product": HessianLinearOperator}


class Curvlinops:
    """Adapter of curvlinops, whose linear operators receive the datapoints as two batches of different sizes.

    One or two datapoints are a single batch.
    """

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype

    def describe(self) -> Description:
        """The conventions of curvlinops: stacked rows of the weights, separate biases, and the losses of PyTorch."""
        return Description(
            "curvlinops",
            f"curvlinops-for-pytorch {version('curvlinops-for-pytorch')} on torch {torch.__version__}",
            self.dtype,
            frozenset({"kflr_blocks", *OPERATORS}),
            conventions=Conventions(loss=LOSS_RATIOS, stacking="rows", bias="separate"),
        )

    def compute(self, problem: Problem, quantity: str) -> tuple[Array, ...]:
        """Compute a product with V, or blocks. The blocks are parts of the product of an operator and the identity."""
        model, loss = sequential(problem, self.dtype), loss_of(problem)
        if quantity == "kflr_blocks" and problem.objective == "bernoulli" and set(np.unique(problem.Y)) - {0.0, 1.0}:
            raise UnsupportedError("no Kronecker factors for labels between 0 and 1")
        parameters = [p for p in model.parameters() if p.requires_grad]
        X, Y = tensor(problem.X, self.dtype), tensor(problem.Y, self.dtype)
        cut = problem.N // 3
        data = [(X[:cut], Y[:cut]), (X[cut:], Y[cut:])] if cut else [(X, Y)]
        if quantity in OPERATORS:
            operator = OPERATORS[quantity](model, loss, parameters, data, check_deterministic=False)
            return arrays(operator @ directions(problem, self.dtype))
        operator = KFACLinearOperator(
            model,
            loss,
            parameters,
            data,
            fisher_type="type-2",
            separate_weight_and_bias=True,
            check_deterministic=False,
        )
        total = sum(p.numel() for p in parameters)
        dense = (operator @ torch.eye(total, dtype=X.dtype)).detach().numpy()
        ends = np.cumsum([0, *(p.numel() for p in parameters)])
        return tuple(dense[i:j, i:j] for i, j in pairwise(ends))
