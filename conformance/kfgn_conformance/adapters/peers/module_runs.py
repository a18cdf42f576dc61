"""The block of each linear layer of a module of PyTorch, for the adapters of libraries that use PyTorch.

A module comes with inputs and labels, as `kfgn_conformance.functions.transformer_block` makes it. The rows of the
weights are stacked in all blocks.
"""

import contextlib
from collections.abc import Iterator, Mapping

import torch
from torch import nn

from ...functions import ModuleProblem
from ...problems.problem import Array
from .. import UnsupportedError
from .modules import arrays
from .shared_modules import ClassesFirst


def linear_layers(problem: ModuleProblem) -> dict[str, nn.Linear]:
    """The linear layers of the module by their names."""
    return {name: module for name, module in problem.module.named_modules() if isinstance(module, nn.Linear)}


@contextlib.contextmanager
def float64_by_default() -> Iterator[None]:
    """Make float64 the default dtype of PyTorch, for libraries that make arrays without a dtype."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def kronecker(factors: Mapping[str, tuple[torch.Tensor, torch.Tensor]]) -> dict[str, Array]:
    """The block G kron A of each layer, from A and G by the name of the layer."""
    products = (torch.kron(G.contiguous(), A.contiguous()) for A, G in factors.values())
    return dict(zip(factors, arrays(products), strict=True))


def positions(problem: ModuleProblem) -> int:
    """The number of output positions of a datapoint."""
    return 1 if problem.Y.ndim == 1 else int(problem.Y.shape[1])


def for_cross_entropy(problem: ModuleProblem) -> tuple[nn.Module, nn.Module]:
    """The module with outputs for `nn.CrossEntropyLoss`, and this loss.

    The loss is a mean over datapoints and tokens if the divisor of the problem is the number of tokens, and otherwise a
    sum over both.
    """
    T = positions(problem)
    model = nn.Sequential(problem.module, ClassesFirst()) if T > 1 else problem.module
    return model, nn.CrossEntropyLoss(reduction="mean" if problem.divisor == T else "sum")


def given_gradients(problem: ModuleProblem) -> list[torch.Tensor]:
    """K gradients with respect to all outputs, (N, ..., O), whose mean of outer products is the Hessian of the loss.

    A library with sampled labels alone gets these gradients instead, so its mean over K samples is an exact
    expectation. They are the K columns of the root of the Hessian, multiplied by the square root of K. The loss is the
    sum over the positions, and the divisor of the problem has no influence.
    """
    if problem.objective != "categorical":
        raise UnsupportedError(f"no {problem.objective} objective")
    with torch.no_grad():
        p = problem.module(problem.X).softmax(dim=-1)
    roots = torch.diag_embed(p.sqrt()) - p.unsqueeze(-1) * p.sqrt().unsqueeze(-2)
    columns = roots.movedim(-1, 0)
    if p.ndim == 2:
        return list(columns * len(columns) ** 0.5)
    at = torch.eye(p.shape[1], dtype=p.dtype)[:, None, :, None]
    K = len(columns) * p.shape[1]
    return [K**0.5 * column * one for column in columns for one in at]


def gradients_of_sum(problem: ModuleProblem) -> list[torch.Tensor]:
    """The given gradients, for a library that has no argument for the divisor of the loss.

    Raises `UnsupportedError` if the divisor is not 1.
    """
    if problem.divisor != 1:
        raise UnsupportedError("no divisor of the loss")
    return given_gradients(problem)
