"""How good each direction is where a run has come to: how far the quadratic model (32) falls along it.

    python benchmarks/directions.py runs/headline-curves/kfra --data-folder FOLDER

Gradient, curvature and model are of the same datapoints for all. Conjugate gradients on the whole Gauss-Newton matrix
approximate nothing: how much farther the model falls by them is what an approximation costs. How far f itself falls
on as many other datapoints of the training set says what of it is noise of the batch.
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
"""S of KFAC."""


class Model(NamedTuple):
    """The model (32) at the weights of a run: `at` is where the functions of kfgn begin, g is grad f.

    others: X and Y of as many other datapoints
    labels: sampled ones, for KFAC
    """

    at: tuple[Any, ...]
    others: tuple[Any, Any]
    labels: Any
    g: tuple[Any, ...]
    tau: float
    eta: float

    def fall(self, delta: Any) -> tuple[float, float, float]:
        """-alpha (40), how far the model falls by alpha delta, -alpha delta^T g / 2, and f on the other datapoints."""
        alpha = float(kfgn.step_size(*self.at, delta, tau=self.tau, eta=self.eta))
        model = -alpha * sum(float((d * x).sum()) for d, x in zip(delta, self.g, strict=True)) / 2
        moved = tuple(W + alpha * d for W, d in zip(self.at[1], delta, strict=True))
        return -alpha, model, self._f_of_others(self.at[1]) - self._f_of_others(moved)

    def _f_of_others(self, weights: Any) -> float:
        penalty = self.eta / 2 * sum(float((W * W).sum()) for W in weights)
        return float(kfgn.loss(self.at[0], weights, *self.others)) + penalty


def model_of(run: Run, datapoints: int, data_folder: str | None, backend: Backend) -> Model:
    """On some of the run's datapoints, with its eta and the last tau."""
    task, dtype = open_task(run.options["data"], data_folder), run.options["dtype"]
    order = np.random.default_rng(0).permutation(len(task.X))
    rows, others = order[:datapoints], order[datapoints : 2 * datapoints]

    def taken(rows: NDArray[Any]) -> tuple[Any, Any]:
        X = backend.asarray(task.X[rows].astype(dtype))
        return X, X if task.reconstructs else backend.asarray(task.Y[rows])

    at = (task.network, tuple(map(backend.asarray, run.weights())), *taken(rows))
    draws = kfgn.KroneckerFactored("kfac", samples=SAMPLES).draw(task.network, 0, 1, len(rows))
    labels = kfgn.sample_labels(*at[:3], backend.asarray(draws.astype(dtype)))
    eta, tau = run.options["eta"], run.metrics[-1]["tau"]
    g = tuple(g + eta * W for g, W in zip(kfgn.gradient(*at), at[1], strict=True))
    return Model(at, taken(others), labels, g, tau, eta)


def curvatures(model: Model, *, kflr: bool) -> Iterator[tuple[str, kfgn.LossAndFactors]]:
    """By name."""
    yield "KFRA", kfgn.kfra(*model.at)
    yield f"KFAC, {SAMPLES} samples", kfgn.kfac(*model.at, model.labels)
    if kflr:
        yield "KFLR", kfgn.kflr(*model.at)


def directions(model: Model, *, kflr: bool) -> Iterator[tuple[str, str, Any]]:
    """Name, setting and delta."""
    yield "gradient", "", model.g
    for name, curvature in curvatures(model, kflr=kflr):
        blocks = list(zip(kfgn.kronecker_blocks(curvature.Q, curvature.G), model.g, strict=True))
        for inversion in ("trace", "exact"):
            for gamma in DAMPINGS:
                damping = gamma + model.eta
                delta = tuple(block.solve(g, damping=damping, inversion=inversion) for block, g in blocks)
                yield f"{name}, damping {inversion}", f"gamma {gamma:g}", delta
    for name, solve in (
        ("exact blocks", kfgn.solve_gauss_newton_blocks),
        ("whole matrix", kfgn.solve_gauss_newton),
    ):
        for n in ITERATIONS:
            solved = solve(*model.at, model.g, damping=model.tau + model.eta, iterations=n, tolerance=0.0)
            yield f"{name}, conjugate gradients", f"{n} iteration{'s' * (n > 1)}", solved.x


def main() -> None:
    """The table."""
    parser = argparse.ArgumentParser(description="How far the model falls along the direction of each approximation.")
    parser.add_argument("run", type=Path, help="the folder of a run by a second-order method")
    parser.add_argument("--datapoints", type=int, default=5000)
    parser.add_argument("--data-folder")
    parser.add_argument("--backend", default="torch")
    parser.add_argument("--kflr", action="store_true", help="KFLR too, which is slow for many outputs")
    asked = parser.parse_args()
    backend, table = open_backend(asked.backend), Table("direction", "", "-alpha", "fall", "others fall")
    model = model_of(read_run(asked.run), asked.datapoints, asked.data_folder, backend)
    for name, setting, delta in directions(model, kflr=asked.kflr):
        alpha, *falls = model.fall(delta)
        table.add_row(name, setting, f"{alpha:.4f}", *(f"{fall:.5f}" for fall in falls))
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
