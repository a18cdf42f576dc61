"""The loss after many steps on small batches, with the defaults of `GaussNewton` and with the remedies of docs/use.md.

    OMP_NUM_THREADS=1 python -m benchmarks.small_batches

Each cell has the highest of three losses over all datapoints, one for each seed, at the weights after 300 steps. A seed
chooses the weights, the batches and, for the spirals, the datapoints.
"""

import argparse
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

import kfgn
from kfgn.lab.data.digits import load_digits
from kfgn.lab.initialisation import initial_weights

SEEDS = range(3)
BATCHES = (4, 16, 64, 256)
SETTINGS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "tau begins at 1": {"tau": kfgn.Damping(initial=1.0, period=5, lower=1e-6)},
    "max_step_size=0.1": {"max_step_size": 0.1},
    "max_step_size=0.03": {"max_step_size": 0.03},
    "tau constant at 0.1": {"tau": kfgn.Damping(initial=0.1, period=None)},
    "tau constant at 1": {"tau": kfgn.Damping(initial=1.0, period=None)},
}


@dataclass(frozen=True)
class Problem:
    """A classifier and its datapoints."""

    network: kfgn.Network
    X: NDArray[Any] = field(repr=False)
    Y: NDArray[Any] = field(repr=False)


@cache
def spirals(seed: int) -> Problem:
    """Two spirals of 500 points each, standardised, and a network of 354 weights."""
    rng = np.random.default_rng(seed)
    radius, Y = 3 * np.sqrt(rng.random(1000)), rng.integers(0, 2, 1000)
    angle = 2 * radius + np.pi * Y
    X = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1) + rng.normal(0, 0.1, (1000, 2))
    return Problem(kfgn.Network.dense((2, 16, 16, 2), ("tanh", "tanh"), "categorical"), standardised(X), Y)


@cache
def digits(_seed: int) -> Problem:
    """All digits, standardised, and the network of `kfgn train --data digits`, which has 2,778 weights."""
    images = load_digits()
    assert images.labels is not None
    network = kfgn.Network.dense((64, 32, 16, 10), ("tanh", "tanh"), "categorical")
    return Problem(network, standardised(images.pixels.astype("float64")), images.labels)


def standardised(X: NDArray[Any]) -> NDArray[Any]:
    """The inputs with mean 0 and variance 1. Inputs that are constant become 0."""
    deviation = X.std(axis=0)
    return (X - X.mean(axis=0)) / np.where(deviation > 0, deviation, 1)


def last_loss(problem: Problem, method: str, settings: dict[str, Any], N: int, seed: int, steps: int) -> float:
    """The loss over all datapoints after the steps, with batches of N different datapoints."""
    rng = np.random.default_rng((seed, N))
    optimiser = kfgn.GaussNewton(problem.network, method, **settings)
    state = optimiser.init(tuple(W.astype("float64") for W in initial_weights(problem.network, seed)))
    for _ in range(steps):
        rows = rng.permutation(len(problem.X))[:N]
        state, _ = optimiser.step(state, problem.X[rows], problem.Y[rows])
    loss = float(kfgn.loss(problem.network, state.weights, problem.X, problem.Y, check=False))
    return loss if math.isfinite(loss) else math.inf


def lines(methods: Sequence[str], settings: Sequence[str], batches: Sequence[int], steps: int) -> Iterator[str]:
    """The lines of a table for each problem."""
    for make in (spirals, digits):
        yield _line([make.__name__, "method", *map(str, batches)])
        yield _line(["---"] * (2 + len(batches)))
        for name, method in itertools.product(settings, methods):
            highest = [
                max(last_loss(make(seed), method, SETTINGS[name], N, seed, steps) for seed in SEEDS) for N in batches
            ]
            yield _line([name, method, *(f"{loss:.2g}" for loss in highest)])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def main(argv: Sequence[str] | None = None) -> None:
    """Print the tables."""
    p = argparse.ArgumentParser(prog="python -m benchmarks.small_batches", description="Print losses on small batches.")
    methods = ("kflr", "kfra")
    p.add_argument("--methods", nargs="+", choices=methods, default=["kflr"], help="The methods (default: kflr).")
    p.add_argument("--settings", nargs="+", choices=SETTINGS, default=list(SETTINGS), help="The settings, by name.")
    p.add_argument("--batches", nargs="+", type=int, default=BATCHES, help="The numbers of datapoints.")
    p.add_argument("--steps", type=int, default=300, help="The number of steps (default: 300).")
    given = p.parse_args(argv)
    for line in lines(given.methods, given.settings, given.batches, given.steps):
        print(line, flush=True)  # noqa: T201  (the result)


if __name__ == "__main__":
    main()
