"""Adapter of kronfluence: the covariances from which kronfluence forms K-FAC, with gradients at sampled labels."""

import tempfile
from importlib.metadata import version
from typing import Any

import torch
from kronfluence.analyzer import Analyzer, prepare_model
from kronfluence.arguments import FactorArguments
from kronfluence.task import Task
from torch.utils.data import TensorDataset

from ...functions import ModuleProblem
from ...problems.problem import Array, Problem
from .. import Conventions, Description, UnsupportedError
from .module_runs import gradients_of_sum, kronecker, linear_layers
from .modules import arrays
from .runs import Blocks, Runs
from .shared_modules import LOSS_SUMS, in_order_of_kit, of_any, sampled_targets

QUANTITIES = frozenset({"kfac_blocks", "expand_kfac_blocks"})


class SampledTask(Task):  # type: ignore[misc]
    """The loss at labels that are part of the dataset, as a sum over the datapoints.

    loss: a function from the outputs and the labels of a batch to the sum of their losses
    """

    def __init__(self, loss: Any) -> None:
        super().__init__()
        self.loss = loss

    def compute_train_loss(self, batch: Any, model: Any, sample: bool = False) -> torch.Tensor:
        """The loss of a batch of inputs and labels."""
        del sample
        loss: torch.Tensor = self.loss(model(batch[0]), batch[1])
        return loss

    def compute_measurement(self, batch: Any, model: Any) -> torch.Tensor:
        """The training loss, since no measurement is used."""
        return self.compute_train_loss(batch, model)


class Kronfluence:
    """Adapter of kronfluence. The dataset contains every datapoint S times, once with each of its sampled labels."""

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype

    def describe(self) -> Description:
        """The kit's conventions, except that the rows of the weights are stacked."""
        return Description(
            "kronfluence",
            f"kronfluence {version('kronfluence')} on torch {torch.__version__}",
            self.dtype,
            QUANTITIES,
            conventions=Conventions(stacking="rows"),
        )

    def compute(self, problem: Problem, quantity: str) -> tuple[Array, ...]:
        """Compute the blocks in batches of N datapoints."""
        del quantity  # both quantities have the same definition
        if problem.divisor != 1:
            raise UnsupportedError("no divisor of the loss")
        net = of_any(problem, self.dtype, objectives=tuple(LOSS_SUMS))
        S = problem.labels.shape[1]
        data = TensorDataset(
            net.X.repeat(S, *[1] * (net.X.ndim - 1)), torch.cat([*sampled_targets(problem, self.dtype)])
        )
        names = [name for name, module in net.model.named_modules() if module in net.layers]
        found = covariances(net.model, data, LOSS_SUMS[problem.objective], problem.N, getattr(torch, self.dtype))
        blocks = []
        for name in names:
            A, G = found["activation_covariance"][name], found["gradient_covariance"][name]
            terms = found["num_activation_covariance_processed"][name]
            # kronfluence divides both sums by the number of positions of all datapoints, while G of the kit is a sum
            # over the positions of a datapoint
            blocks.append(torch.kron(G / (problem.N * S), A / terms))
        return tuple(
            in_order_of_kit(block, columns, len(layer.weight))
            for block, columns, layer in zip(arrays(blocks), net.columns, net.layers, strict=True)
        )


def covariances(model: Any, data: TensorDataset, loss: Any, batch_size: int, dtype: Any) -> Any:
    """The sums of outer products and their numbers of terms, by the name of the module.

    loss: a function from the outputs and the labels of a batch to the sum of their losses
    """
    task = SampledTask(loss)
    options = FactorArguments(
        strategy="kfac",
        use_empirical_fisher=True,
        activation_covariance_dtype=dtype,
        gradient_covariance_dtype=dtype,
    )
    with tempfile.TemporaryDirectory() as folder:
        analyzer = Analyzer(
            "kfgn",
            prepare_model(model, task),
            task,
            cpu=True,
            output_dir=folder,
            disable_tqdm=True,
            disable_model_save=True,
        )
        analyzer.fit_covariance_matrices("kfgn", data, per_device_batch_size=batch_size, factor_args=options)
        return analyzer.load_covariance_matrices("kfgn")


def _of_module(problem: ModuleProblem) -> Blocks:
    """The product of both mean covariances of each linear layer, with the numbers of terms of kronfluence.

    The dataset contains each datapoint once for each of its given gradients.
    """
    layers, gradients = linear_layers(problem), gradients_of_sum(problem)
    data = TensorDataset(problem.X.repeat(len(gradients), 1), torch.cat(gradients))
    found = covariances(problem.module, data, lambda h, g: (h * g).sum(), len(problem.X), torch.float64)
    kinds = ("activation_covariance", "gradient_covariance")
    means = {name: tuple(found[kind][name] / found[f"num_{kind}_processed"][name] for kind in kinds) for name in layers}
    return kronecker({name: (A, G) for name, (A, G) in means.items()})


RUNS: Runs = {"covariances": _of_module}
