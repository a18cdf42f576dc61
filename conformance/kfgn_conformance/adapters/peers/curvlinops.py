"""Adapter of curvlinops: KFAC of type 2 (KFLR), EKFAC, and products with the Gauss-Newton matrix and the Hessian."""

from collections.abc import Sequence
from importlib.metadata import version
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from curvlinops import EKFACLinearOperator, GGNLinearOperator, HessianLinearOperator, KFACLinearOperator

from ...functions import ModuleProblem
from ...problems.problem import Array, Problem
from .. import Conventions, Description, UnsupportedError
from .module_runs import for_cross_entropy, linear_layers
from .modules import LOSS_RATIOS, arrays, directions, linears, loss_of, rows_with_biases, sequential, tensor
from .runs import Blocks, Runs
from .shared_modules import converted, in_order_of_kit

OPERATORS: dict[str, Any] = {"gauss_newton_product": GGNLinearOperator, "hessian_product": HessianLinearOperator}

SHARED: dict[str, tuple[Any, str]] = {
    "expand_blocks": (KFACLinearOperator, "expand"),
    "reduce_blocks": (KFACLinearOperator, "reduce"),
    "ekfac_blocks": (EKFACLinearOperator, "expand"),
}
"""The operator and its argument `kfac_approx`, by quantity with shared weights."""

OBJECTIVES = ("squared_error", "bernoulli", "categorical")


class Curvlinops:
    """Adapter of curvlinops, whose linear operators receive the datapoints as two batches of different sizes.

    One or two datapoints are a single batch.
    """

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype

    def describe(self) -> Description:
        """The conventions of curvlinops: stacked rows of the weights with the bias last, and the losses of PyTorch."""
        return Description(
            "curvlinops",
            f"curvlinops-for-pytorch {version('curvlinops-for-pytorch')} on torch {torch.__version__}",
            self.dtype,
            frozenset({"kflr_blocks", *OPERATORS, *SHARED}),
            conventions=Conventions(loss=LOSS_RATIOS, stacking="rows"),
        )

    def compute(self, problem: Problem, quantity: str) -> tuple[Array, ...]:
        """Compute a product with V, or blocks. The blocks are parts of the product of an operator and the identity."""
        if quantity in SHARED:
            return self._shared(problem, quantity)
        if quantity == "kflr_blocks" and problem.objective == "bernoulli" and set(np.unique(problem.Y)) - {0.0, 1.0}:
            raise UnsupportedError("no Kronecker factors for labels between 0 and 1")
        model, loss = sequential(problem, self.dtype), loss_of(problem)
        data = _batches(tensor(problem.X, self.dtype), tensor(problem.Y, self.dtype))
        if quantity not in OPERATORS:
            return _blocks(KFACLinearOperator, model, loss, data, linears(model))
        operator = OPERATORS[quantity](model, loss, list(model.parameters()), data, check_deterministic=False)
        parts = iter(arrays(operator @ directions(problem, self.dtype)))
        return tuple(np.column_stack([weights, biases]) for weights, biases in zip(parts, parts, strict=True))

    def _shared(self, problem: Problem, quantity: str) -> tuple[Array, ...]:
        """Blocks of a network with shared weights."""
        net = converted(problem, self.dtype, objectives=OBJECTIVES)
        operator, approximation = SHARED[quantity]
        if quantity == "ekfac_blocks" and problem.shapes[-1][1] > 1:
            raise UnsupportedError("no EKFAC for outputs at several positions")
        # curvlinops refuses labels between 0 and 1, and these blocks do not depend on the labels
        Y = net.Y.round() if problem.objective == "bernoulli" else net.Y
        blocks = _blocks(operator, net.model, net.loss, _batches(net.X, Y), net.layers, kfac_approx=approximation)
        return tuple(
            in_order_of_kit(net.scale * block, columns, len(layer.weight))
            for block, columns, layer in zip(blocks, net.columns, net.layers, strict=True)
        )


def _batches(X: torch.Tensor, Y: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Divide the datapoints into two batches of different sizes, or into one batch if N < 3."""
    cut = len(X) // 3
    return [(X[:cut], Y[:cut]), (X[cut:], Y[cut:])] if cut else [(X, Y)]


def _blocks(
    operator: Any, model: Any, loss: Any, data: Sequence[Any], layers: Sequence[Any], **options: str
) -> tuple[Array, ...]:
    """For each layer, the diagonal block of the product of an operator and the identity."""
    parameters = [parameter for layer in layers for parameter in layer.parameters()]
    made = operator(
        model,
        loss,
        parameters,
        data,
        fisher_type="type-2",
        separate_weight_and_bias=False,
        check_deterministic=False,
        **options,
    )
    sizes = [sum(p.numel() for p in layer.parameters()) for layer in layers]
    ends = np.cumsum([0, *sizes])
    dense = (made @ torch.eye(ends[-1], dtype=parameters[0].dtype)).detach().numpy()
    blocks = [dense[i:j, i:j] for i, j in pairwise(ends)]
    return tuple(
        block if layer.bias is None else rows_with_biases(block, len(layer.bias))
        for block, layer in zip(blocks, layers, strict=True)
    )


def _of_module(problem: ModuleProblem, operator: Any, approximation: str) -> Blocks:
    """The blocks of the linear layers of a module. Both batches have a loss that is a mean, or both have a sum."""
    layers = linear_layers(problem)
    model, loss = for_cross_entropy(problem)
    data = _batches(problem.X, problem.Y)
    blocks = _blocks(operator, model, loss, data, list(layers.values()), kfac_approx=approximation)
    return dict(zip(layers, blocks, strict=True))


RUNS: Runs = {
    "type 2, expand": lambda problem: _of_module(problem, KFACLinearOperator, "expand"),
    "type 2, reduce": lambda problem: _of_module(problem, KFACLinearOperator, "reduce"),
    "EKFAC, expand": lambda problem: _of_module(problem, EKFACLinearOperator, "expand"),
}
