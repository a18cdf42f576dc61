"""Adapter of kfac-pytorch: the factors of K-FAC, from gradients at sampled labels."""

from importlib.metadata import version

import torch
from kfac.preconditioner import KFACPreconditioner

from ...problems.problem import Array, Problem
from .. import Conventions, Description, UnsupportedError
from .modules import arrays
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
        blocks = []
        for layer in net.layers:
            _, state = preconditioner._layers[layer]
            # the library starts a moving average at the identity, which gets the weight 0 here
            state.update_a_factor(alpha=0.0)
            state.update_g_factor(alpha=0.0)
            blocks.append(torch.kron(state.g_factor, state.a_factor))
        return tuple(
            in_order_of_kit(block, columns, len(layer.weight))
            for block, columns, layer in zip(arrays(blocks), net.columns, net.layers, strict=True)
        )
