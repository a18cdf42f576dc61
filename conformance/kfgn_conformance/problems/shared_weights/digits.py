"""Images of digits as sequences: the rows of an image are channels, and its columns are positions.

The images are those of `problems.real`. The first column of every image is left out, so that the numbers of channels
and of positions differ.
"""

from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from ..dyadic import Recipe, generator, random_problem
from ..layers import Convolution, Dense, Flatten, Pooling
from ..problem import Problem
from ..seeds import first_suitable
from .bases import bases
from .dyadic import far_from_discontinuities

IMAGES, DATAPOINTS, LABELS = 64, 13, 3

LAYERS = (Convolution(6, 3, "tanh", padding=(1, 1)), Pooling(4, 3, "mean"), Flatten(), Dense(10))
"""A convolution over the columns, a mean over each of two windows of columns, and a classifier of ten digits."""


@cache
def shared_digits() -> Problem:
    """A trained convolutional network, and images of digits with random labels for KFAC."""
    data = _arrays(__package__, "digits.npz")
    weights = tuple(data[f"W_{l}"].astype(np.float64) for l in (1, 2))

    def make(seed: int) -> Problem:
        rng = generator(seed)
        problem = replace(untrained(DATAPOINTS, rng), weights=weights)
        return replace(problem, bases=bases(problem, rng))

    return first_suitable("shared-digits", make, far_from_discontinuities)


def untrained(datapoints: int, rng: np.random.Generator | None = None) -> Problem:
    """A problem with the first images and their classes, with random weights, and with random labels for KFAC."""
    data = _arrays("kfgn_conformance.problems.real", "digits.npz")
    recipe = Recipe("categorical", "project", (8, 7), LAYERS, datapoints, LABELS)
    problem = random_problem("shared-digits", recipe, rng or generator(0))
    X = data["images"].reshape(IMAGES, 8, 8)[:datapoints, :, 1:] / 16
    return replace(problem, X=X, Y=data["classes"][:datapoints, None].astype(np.int64))


def _arrays(package: str, name: str) -> dict[str, Any]:
    with (files(package) / name).open("rb") as file:
        return dict(np.load(file, allow_pickle=False))
