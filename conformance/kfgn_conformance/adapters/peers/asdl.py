"""Adapter of ASDL: exact blocks of the Fisher matrix, and Kronecker factors from exact expectations or samples."""

import contextlib
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import Any
from unittest import mock

import numpy as np
import torch
from asdl.fisher import FisherConfig, get_fisher_maker
from asdl.grad_maker import LOSS_CROSS_ENTROPY, LOSS_MSE
from asdl.matrices import FISHER_EXACT, FISHER_MC, SHAPE_KRON, SHAPE_LAYER_WISE
from torch import nn
from torch.distributions import Categorical, Normal

from ...functions import ModuleProblem
from ...problems.problem import Array, Problem
from .. import Conventions, Description, UnsupportedError
from .module_runs import float64_by_default, linear_layers
from .modules import arrays, linears, sequential, tensor
from .runs import Blocks, Runs
from .shared_modules import converted, in_order_of_kit

LOSSES: dict[str, Any] = {"squared_error": (LOSS_MSE, Normal), "categorical": (LOSS_CROSS_ENTROPY, Categorical)}
"""ASDL's name of the loss, and the distribution from which ASDL draws labels, by objective."""

FISHERS = {
    "gauss_newton_blocks": (FISHER_EXACT, SHAPE_LAYER_WISE),
    "kflr_blocks": (FISHER_EXACT, SHAPE_KRON),
    "kfac_blocks": (FISHER_MC, SHAPE_KRON),
    "shared_gauss_newton_blocks": (FISHER_EXACT, SHAPE_LAYER_WISE),
    "expand_blocks": (FISHER_EXACT, SHAPE_KRON),
    "expand_kfac_blocks": (FISHER_MC, SHAPE_KRON),
}
"""ASDL's names of the type and of the shape of the Fisher matrix, by quantity."""


class ASDL:
    """Adapter of ASDL, which computes separate blocks for weights and biases.

    The problem's labels replace the samples that ASDL would draw.
    """

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype

    def describe(self) -> Description:
        """ASDL's conventions: the rows of the weights are stacked, and biases are separate."""
        return Description(
            "asdl",
            f"asdfghjkl {version('asdfghjkl')} on torch {torch.__version__}",
            self.dtype,
            frozenset(FISHERS),
            conventions=Conventions(stacking="rows", bias="separate"),
        )

    def compute(self, problem: Problem, quantity: str) -> tuple[Array, ...]:
        """Compute the quantity by one forward pass, and by one backward pass for each output or each sampled label."""
        if problem.objective not in LOSSES:
            raise UnsupportedError(f"no {problem.objective} objective")
        if not problem.is_shared:
            model = sequential(problem, self.dtype)
            return self._blocks(problem, quantity, model, tensor(problem.X, self.dtype), linears(model))
        net = converted(problem, self.dtype, objectives=tuple(LOSSES), positions=False)
        if any(isinstance(layer, nn.Conv2d) and layer.dilation != (1, 1) for layer in net.layers):
            raise UnsupportedError("no dilated convolutions")
        blocks = iter(self._blocks(problem, quantity, net.model, net.X, net.layers))
        answer = []
        for layer, columns in zip(net.layers, net.columns, strict=True):
            answer.append(in_order_of_kit(next(blocks), columns, len(layer.weight)))
            if layer.bias is not None:
                answer.append(next(blocks))
        return tuple(answer)

    def _blocks(
        self, problem: Problem, quantity: str, model: nn.Module, X: torch.Tensor, layers: Sequence[Any]
    ) -> tuple[Array, ...]:
        """For each layer, the block of the weights, and the block of the bias if the layer has a bias."""
        (loss, _), (kind, shape) = LOSSES[problem.objective], FISHERS[quantity]
        with given_labels(problem, self.dtype):
            compute_fisher(model, X, loss, kind, shape, samples=problem.labels.shape[1])
        return arrays(block for layer in layers for block in blocks_of(layer, shape))


def compute_fisher(model: nn.Module, X: torch.Tensor, loss: Any, kind: Any, shape: Any, samples: int = 1) -> None:
    """Compute the Fisher matrix of a model, which ASDL stores in the layers."""
    config = FisherConfig(
        fisher_type=kind, loss_type=loss, fisher_shapes=[shape], n_mc_samples=samples, data_size=len(X)
    )
    maker = get_fisher_maker(model, config)
    maker.setup_model_call(model, X)
    maker.forward_and_backward()


def blocks_of(layer: Any, shape: Any) -> list[torch.Tensor]:
    """The block of the weights of a layer, and the block of its bias if the layer has a bias."""
    if shape == SHAPE_KRON:
        A, G = layer.fisher.kron.A, layer.fisher.kron.B
        blocks = [torch.kron(G.contiguous(), A.contiguous()), G]
    else:
        n = layer.weight.numel()
        blocks = [layer.fisher.data[:n, :n], layer.fisher.data[n:, n:]]
    return blocks if layer.bias is not None else blocks[:1]


@contextlib.contextmanager
def given_labels(problem: Problem, dtype: str) -> Iterator[None]:
    """Make ASDL's distribution return the labels of the problem. The s-th call returns sample s of all datapoints."""
    samples = np.moveaxis(problem.labels, 1, 0)
    # with shared weights, labels have an axis of output positions, and ASDL supports one position
    labels = [tensor(sample[:, 0] if problem.is_shared else sample, dtype) for sample in samples]
    _, distribution = LOSSES[problem.objective]
    with mock.patch.object(distribution, "sample", side_effect=labels):
        yield


def _of_module(problem: ModuleProblem, shape: Any) -> Blocks:
    """The blocks of the weights, and separately of the biases, of all linear layers of a module."""
    layers = linear_layers(problem)
    with float64_by_default():
        compute_fisher(problem.module, problem.X, LOSSES[problem.objective][0], FISHER_EXACT, shape)
    names = [f"{name}.{part}" for name in layers for part in ("weight", "bias")]
    blocks = (block for layer in layers.values() for block in blocks_of(layer, shape))
    return dict(zip(names, arrays(blocks), strict=True))


RUNS: Runs = {
    "exact expectation, kron": lambda problem: _of_module(problem, SHAPE_KRON),
    "exact expectation, layer_wise": lambda problem: _of_module(problem, SHAPE_LAYER_WISE),
}
