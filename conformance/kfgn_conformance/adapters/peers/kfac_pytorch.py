"""Adapter of kfac-pytorch: the factors of K-FAC, from gradients at sampled labels."""

from importlib.metadata import version
from typing import Any

import torch
from kfac.preconditioner import KFACPreconditioner

from ...functions import ModuleProblem
from ...problems.problem import Array, Problem
from .. import Conventions, Description, UnsupportedError
from .module_runs import gradients_of_sum, kronecker, linear_layers
from .modules import arrays
from .runs import Blocks, Runs
from .shared_modules import LOSS_SUMS, in_order_of_kit, of_any, sampled_targets

QUANTITIES = frozenset({"kfac_blocks", "expand_kfac_blocks"})


class KFACPyTorch:
    """Adapter of kfac-pytorch, whose factors are means over backward passes, with one pass per sample of the labels."""

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype

    def describe(self) -> Description:
        """The kit's conventions, except that the rows of the weights are stacked."""
        return Description(
            "kfac_pytorch",
            f"kfac_pytorch {version('kfac_pytorch')} on torch {torch.__version__}",
            self.dtype,
            QUANTITIES,
            conventions=Conventions(stacking="rows"),
        )

    def compute(self, problem: Problem, quantity: str) -> tuple[Array, ...]:
        """Compute the blocks. The loss is a sum, since the library itself divides G by the number of datapoints."""
        del quantity  # both quantities have the same definition
        if problem.divisor != 1:
            raise UnsupportedError("no divisor of the loss")
        net = of_any(problem, self.dtype, objectives=tuple(LOSS_SUMS))
        S = problem.labels.shape[1]
        preconditioner = KFACPreconditioner(net.model, accumulation_steps=S, update_factors_in_hook=False)
        for y in sampled_targets(problem, self.dtype):
            LOSS_SUMS[problem.objective](net.model(net.X), y).backward()
        blocks = [torch.kron(G, A) for A, G in (factors_of(preconditioner, layer) for layer in net.layers)]
        return tuple(
            in_order_of_kit(block, columns, len(layer.weight))
            for block, columns, layer in zip(arrays(blocks), net.columns, net.layers, strict=True)
        )


def factors_of(preconditioner: Any, layer: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """The factors of a layer. The library starts a moving average at the identity, which gets the weight 0 here."""
    _, state = preconditioner._layers[layer]
    state.update_a_factor(alpha=0.0)
    state.update_g_factor(alpha=0.0)
    return state.a_factor, state.g_factor


def _of_module(problem: ModuleProblem) -> Blocks:
    """The blocks of the linear layers of a module, with a loss that is a sum over datapoints."""
    layers, gradients = linear_layers(problem), gradients_of_sum(problem)
    preconditioner = KFACPreconditioner(problem.module, accumulation_steps=len(gradients), update_factors_in_hook=False)
    for gradient in gradients:
        (problem.module(problem.X) * gradient).sum().backward()
    return kronecker({name: factors_of(preconditioner, layer) for name, layer in layers.items()})


RUNS: Runs = {"sum over datapoints as the loss": _of_module}
