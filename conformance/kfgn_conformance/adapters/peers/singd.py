"""Adapter of SINGD: the factors of expand and reduce, from gradients at sampled labels."""

from importlib.metadata import version
from typing import Any

import torch
from singd.optim import optimizer

from ...functions import ModuleProblem
from ...problems.problem import Array, Problem
from .. import Conventions, Description, UnsupportedError
from .module_runs import given_gradients, kronecker, linear_layers, positions
from .modules import arrays
from .runs import Blocks, Runs
from .shared_modules import LOSS_SUMS, in_order_of_kit, of_any, sampled_targets

APPROXIMATIONS = {"kfac_blocks": "expand", "expand_kfac_blocks": "expand", "reduce_kfac_blocks": "reduce"}
"""The argument `kfac_approx` of the optimiser, by quantity."""


class SINGD:
    """Adapter of SINGD, which multiplies G by the number of terms of the mean that `loss_average` declares."""

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype

    def describe(self) -> Description:
        """The kit's conventions, except that the rows of the weights are stacked."""
        return Description(
            "singd",
            f"singd {version('singd')} on torch {torch.__version__}",
            self.dtype,
            frozenset(APPROXIMATIONS),
            conventions=Conventions(stacking="rows"),
        )

    def compute(self, problem: Problem, quantity: str) -> tuple[Array, ...]:
        """Compute the blocks by a backward pass for each sample of the labels. The optimiser adds up the factors."""
        net = of_any(problem, self.dtype, objectives=tuple(LOSS_SUMS))
        optimiser = optimizer.SINGD(net.model, kfac_approx=APPROXIMATIONS[quantity], loss_average=_average(problem))
        S, terms = problem.labels.shape[1], problem.N * problem.divisor
        for y in sampled_targets(problem, self.dtype):
            (LOSS_SUMS[problem.objective](net.model(net.X), y) / terms).backward()
        blocks = arrays(torch.kron(G / S, A / S) for A, G in (factors_of(optimiser, layer) for layer in net.layers))
        return tuple(
            in_order_of_kit(block, columns, len(layer.weight))
            for block, columns, layer in zip(blocks, net.columns, net.layers, strict=True)
        )


def factors_of(optimiser: Any, layer: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """The sums of A and of G over all backward passes.

    They are H_Ks and H_Cs before the first step, since the preconditioners are identities.
    """
    name = optimiser.module_names[layer]
    return optimiser.H_Ks[name].to_dense(), optimiser.H_Cs[name].to_dense()


def _average(problem: Problem) -> str:
    """The argument `loss_average` of the optimiser: the axes over which the loss is a mean.

    Raises `UnsupportedError` if the divisor of the loss is neither 1 nor the number of output positions.
    """
    if problem.divisor == 1:
        return "batch"
    if problem.divisor == problem.shapes[-1][1]:
        return "batch+sequence"
    raise UnsupportedError("no divisor of the loss except 1 and the number of output positions")


def _of_module(problem: ModuleProblem, approximation: str) -> Blocks:
    """The blocks of the linear layers of a module, with a backward pass for each of the given gradients."""
    layers, gradients, T = linear_layers(problem), given_gradients(problem), positions(problem)
    average = "batch+sequence" if problem.divisor == T > 1 else "batch"
    optimiser = optimizer.SINGD(problem.module, kfac_approx=approximation, loss_average=average)
    for gradient in gradients:
        ((problem.module(problem.X) * gradient).sum() / len(problem.X) / float(problem.divisor)).backward()
    S = len(gradients)
    return kronecker(
        {name: (A / S, G / S) for name, (A, G) in ((name, factors_of(optimiser, one)) for name, one in layers.items())}
    )


RUNS: Runs = {
    "expand": lambda problem: _of_module(problem, "expand"),
    "reduce": lambda problem: _of_module(problem, "reduce"),
}
