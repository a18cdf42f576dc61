"""The decrease of the quadratic model (32) along the direction of each method, at the weights of a run.

    python benchmarks/directions.py runs/headline-curves/kfra --data-folder FOLDER

All directions use the gradient, the curvature and the model of the same datapoints. Conjugate gradients on the full
Gauss-Newton matrix involve no approximation, so the difference to their decrease is the cost of an approximation. The
decrease of f on the same number of other datapoints shows how much of the decrease is noise of the batch.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

import kfgn
from kfgn.backends import Backend, open_backend
from kfgn.lab import Run, read_run
from kfgn.lab.tasks import open_task

DAMPINGS = (1e-7, 1e-5, 1e-4, 1e-3, 1e-2)
ITERATIONS = (1, 2, 5, 10, 20, 50)
SAMPLES = 10
"""The number of samples S of KFAC."""


class Model(NamedTuple):
    """The model (32) at the weights of a run.

    at:       the network, the weights, X and Y, which are the first arguments of the functions of kfgn
    others:   X and Y of the same number of other datapoints
    labels:   sampled labels, for KFAC
    gradient: grad f
    """

    at: tuple[Any, ...]
    others: tuple[Any, Any]
    labels: Any
    gradient: tuple[Any, ...]
    tau: float
    eta: float

    def decreases(self, delta: Any) -> tuple[float, float, float]:
        """Return alpha (40), the decrease of the model by alpha delta, -alpha delta^T grad f / 2, and that of f."""
        alpha = float(kfgn.step_size(*self.at, delta, tau=self.tau, eta=self.eta))
        model = -alpha * sum(float((d * x).sum()) for d, x in zip(delta, self.gradient, strict=True)) / 2
        moved = tuple(W + alpha * d for W, d in zip(self.at[1], delta, strict=True))
        return alpha, model, self._f_of_others(self.at[1]) - self._f_of_others(moved)

    def _f_of_others(self, weights: Any) -> float:
        penalty = self.eta / 2 * sum(float((W * W).sum()) for W in weights)
        return float(kfgn.loss(self.at[0], weights, *self.others)) + penalty


def model_of(run: Run, datapoints: int, data_folder: str | None, backend: Backend) -> Model:
    """Return the model on some of the datapoints of a run, with its eta and its last tau."""
    task, dtype = open_task(run.options["data"], data_folder), run.options["dtype"]
    order = np.random.default_rng(0).permutation(len(task.X))
    chosen, others = order[:datapoints], order[datapoints : 2 * datapoints]

    def batch(indices: NDArray[Any]) -> tuple[Any, Any]:
        X = backend.asarray(task.X[indices].astype(dtype))
        return X, X if task.reconstructs else backend.asarray(task.Y[indices])

    at = (task.network, tuple(map(backend.asarray, run.weights())), *batch(chosen))
    draws = kfgn.KroneckerFactored("kfac", samples=SAMPLES).draw(task.network, 0, 1, len(chosen))
    labels = kfgn.sample_labels(*at[:3], backend.asarray(draws.astype(dtype)))
    eta, tau = run.options["eta"], run.metrics[-1]["tau"]
    gradient = tuple(g + eta * W for g, W in zip(kfgn.gradient(*at), at[1], strict=True))
    return Model(at, batch(others), labels, gradient, tau, eta)


def curvatures(model: Model, *, kflr: bool) -> Iterator[tuple[str, kfgn.LossAndFactors]]:
    """Yield the Kronecker factors of each method, by name."""
    yield "KFRA", kfgn.kfra(*model.at)
    yield f"KFAC, {SAMPLES} samples", kfgn.kfac(*model.at, model.labels)
    if kflr:
        yield "KFLR", kfgn.kflr(*model.at)


def directions(model: Model, *, kflr: bool) -> Iterator[tuple[str, str, Any]]:
    """Yield the name, the setting and the direction delta of each method."""
    yield "gradient", "", model.gradient
    for name, curvature in curvatures(model, kflr=kflr):
        blocks = list(zip(kfgn.kronecker_blocks(curvature.Q, curvature.G), model.gradient, strict=True))
        for inversion in ("trace", "exact"):
            for gamma in DAMPINGS:
                damping = gamma + model.eta
                delta = tuple(block.solve(g, damping=damping, inversion=inversion) for block, g in blocks)
                yield f"{name}, {inversion} inversion", f"gamma {gamma:g}", delta
    for name, solve in (
        ("exact blocks", kfgn.solve_gauss_newton_blocks),
        ("full matrix", kfgn.solve_gauss_newton),
    ):
        for n in ITERATIONS:
            solved = solve(*model.at, model.gradient, damping=model.tau + model.eta, iterations=n, tolerance=0.0)
            yield f"{name}, conjugate gradients", f"{n} iteration{'s' * (n > 1)}", solved.x


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Print the decrease of the model along the direction of each method.")
    parser.add_argument("run", type=Path, help="The folder of a run by a second-order method.")
    parser.add_argument("--datapoints", type=int, default=5000, help="The number of datapoints (default: 5000).")
    parser.add_argument("--data-folder", help="The folder of the data files.")
    parser.add_argument("--backend", default="torch", help="The array library and device (default: torch).")
    parser.add_argument("--kflr", action="store_true", help="Include KFLR, which is slow for many outputs.")
    given = parser.parse_args()
    backend, table = open_backend(given.backend), Table("direction", "", "alpha", "decrease", "decrease on others")
    model = model_of(read_run(given.run), given.datapoints, given.data_folder, backend)
    for name, setting, delta in directions(model, kflr=given.kflr):
        alpha, *decreases = model.decreases(delta)
        table.add_row(name, setting, f"{alpha:.4f}", *(f"{decrease:.5f}" for decrease in decreases))
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
