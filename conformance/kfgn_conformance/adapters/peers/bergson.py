"""Adapter of bergson: the covariances from which bergson forms K-FAC and TKFAC, for linear layers over tokens."""

import tempfile
from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

import torch
from bergson.gradients import GradientProcessor
from bergson.hessians.kfac import CovarianceCollector
from bergson.hessians.tkfac import TraceCovarianceCollector

from ...functions import ModuleProblem
from ...problems.problem import Array, Problem
from .. import Conventions, Description, UnsupportedError
from .module_runs import gradients_of_sum, kronecker, linear_layers
from .modules import arrays
from .runs import Blocks, Runs
from .shared_modules import LOSS_SUMS, Converted, converted, sampled_targets


class Bergson:
    """Adapter of bergson.

    bergson counts each backward pass as a batch. A backward pass is for one sample of the labels of all datapoints, or
    for one column of the roots of H_L of all datapoints.
    """

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype

    def describe(self) -> Description:
        """The kit's conventions, except that the rows of the weights are stacked."""
        return Description(
            "bergson",
            f"bergson {version('bergson')} on torch {torch.__version__}",
            self.dtype,
            frozenset({"expand_kfac_blocks", "tkfac_blocks"}),
            conventions=Conventions(stacking="rows"),
        )

    def compute(self, problem: Problem, quantity: str) -> tuple[Array, ...]:
        """Compute the blocks from bergson's sums over all batches."""
        if problem.divisor != 1:
            raise UnsupportedError("no divisor of the loss")
        net = converted(problem, self.dtype, objectives=tuple(LOSS_SUMS))
        if net.X.ndim != 3 or problem.shapes[-1][1] == 1:
            raise UnsupportedError("no layers except linear layers over tokens")
        return self._kfac(problem, net) if quantity == "expand_kfac_blocks" else self._tkfac(problem, net)

    def _kfac(self, problem: Problem, net: Converted) -> tuple[Array, ...]:
        """The blocks from the means of both covariances.

        The covariance of the inputs is a mean over samples, datapoints and positions. The covariance of the gradients
        is a mean over samples and datapoints, and a sum over positions.
        """
        loss = LOSS_SUMS[problem.objective]
        losses = (loss(net.model(net.X), y) for y in sampled_targets(problem, self.dtype))
        sums = self._sums(CovarianceCollector, net, losses)
        N, T = net.X.shape[0] * problem.labels.shape[1], net.X.shape[1]
        return arrays(torch.kron(G / N, A / (N * T)) for A, G in sums)

    def _tkfac(self, problem: Problem, net: Converted) -> tuple[Array, ...]:
        """The product G kron A of the weighted covariances of gradients and of inputs, divided by the trace of A.

        bergson multiplies the covariance of the inputs by the trace of the covariance of the gradients, and conversely.
        Each covariance and each trace is a sum over the N datapoints, and not a mean. The result is therefore also
        divided by N^2.
        """
        columns = output_roots(problem, net.model(net.X).detach())
        sums = self._sums(TraceCovarianceCollector, net, ((net.model(net.X) * column).sum() for column in columns))
        return arrays(torch.kron(G, A) / problem.N**2 / torch.trace(A) for A, G in sums)

    def _sums(self, kind: Any, net: Converted, losses: Iterable[torch.Tensor]) -> list[tuple[Any, Any]]:
        """For each layer, the sums of the covariances of inputs and gradients, after a backward pass for each loss."""
        net.X.requires_grad_()  # the hooks of PyTorch warn of inputs without gradients
        return [*covariances(kind, net.model, net.X, losses, getattr(torch, self.dtype)).values()]


def covariances(
    kind: Any,
    model: torch.nn.Module,
    X: torch.Tensor,
    losses: Iterable[torch.Tensor],
    dtype: torch.dtype,
    names: Iterable[str] | None = None,
) -> dict[str, tuple[Any, Any]]:
    """The sums of the covariances of inputs and gradients by the layer's name, after a backward pass for each loss.

    losses: the losses of the inputs X (N, T, ...), computed one after the other
    names:  the names of the linear layers, which act on (N, T, C), or None for all linear layers of the model
    """
    with tempfile.TemporaryDirectory() as folder:
        processor = GradientProcessor(include_bias=True)
        targets = None if names is None else set(names)
        collector = kind(model=model, path=folder, dtype=dtype, processor=processor, target_modules=targets)
        with collector.with_batch(torch.ones(X.shape[:2], dtype=torch.bool)):
            for loss in losses:
                loss.backward()
        A, G = (
            (collector.A_cov_dict, collector.S_cov_dict)
            if kind is CovarianceCollector
            else (collector.A_tcov_dict, collector.S_tcov_dict)
        )
        return {name: (A[name], G[name]) for name in A}


def output_roots(problem: Problem, h: torch.Tensor) -> list[torch.Tensor]:
    """The columns of the roots of H_L of all datapoints. Each column is shaped like the outputs h (N, T, D).

    Raises `UnsupportedError` for an objective whose Hessian is not diagonal.
    """
    if problem.objective == "bernoulli":
        p = torch.sigmoid(h)
        roots = (p * (1 - p)).sqrt()
    elif problem.objective == "squared_error":
        roots = torch.ones_like(h)
    else:
        raise UnsupportedError(f"no TKFAC with the {problem.objective} objective in this adapter")
    ones = torch.eye(h[0].numel(), dtype=h.dtype).reshape(-1, *h.shape[1:])
    return [roots * one for one in ones]


def _of_module(problem: ModuleProblem) -> Blocks:
    """The product of both mean covariances of each linear layer over tokens.

    bergson divides both covariances by the number of positions that all backward passes summed.
    """
    gradients = gradients_of_sum(problem)
    names = [name for name in linear_layers(problem) if name != "head" or problem.Y.ndim > 1]
    losses = ((problem.module(problem.X) * gradient).sum() for gradient in gradients)
    found = covariances(CovarianceCollector, problem.module, problem.X, losses, torch.float64, names)
    terms = problem.X.numel() * len(gradients)
    return kronecker({name: (A / terms, G / terms) for name, (A, G) in found.items()})


RUNS: Runs = {"covariances": _of_module}
