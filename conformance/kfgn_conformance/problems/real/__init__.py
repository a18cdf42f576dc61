"""Two problems of real size: a trained classifier of digits, and the paper's autoencoder at its initial weights."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files
from itertools import pairwise

import numpy as np

from ..arrays import Array
from ..discontinuities import near_border
from ..layers import dense_layers
from ..problem import Arguments, Problem, exact

AUTOENCODER = (784, 1000, 500, 250, 30, 250, 500, 1000, 784)
"""D_0, ..., D_L of the autoencoder of Section 5, for images of 28x28 pixels."""

TANH_AND_LINEAR_CODE = ("tanh", "tanh", "tanh", "identity", "tanh", "tanh", "tanh")

BATCH = 64


def uniforms_clear_of_borders(problem: Problem, rng: np.random.Generator) -> Problem:
    """Replace each draw near a border between classes by a new draw, so that rounding cannot change a sampled class."""
    while (close := near_border(problem)).any():
        problem = replace(problem, draws=np.where(close, dyadic_uniforms(rng, problem.draws.shape), problem.draws))
    return exact(problem)


def dyadic_uniforms(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Random multiples of 2^-16, uniform in [0, 1)."""
    return rng.integers(0, 2**16, shape) / 2**16


def arguments_of(weights: Sequence[Array], samples: int, gamma: float, rng: np.random.Generator) -> Arguments:
    """The arguments of a problem with these weights.

    The elements of the direction are up to 1/16 in absolute value, as in a large step. The elements of the cotangents
    and projections are up to 1 in absolute value.
    """

    def dyadic(shape: tuple[int, ...], denominator: int) -> Array:
        return rng.integers(-8, 9, shape) / denominator

    outputs = len(weights[-1])
    return Arguments(
        direction=tuple(dyadic(W.shape, 2**7) for W in weights),
        cotangents=dyadic((BATCH, outputs), 8),
        projections=dyadic((BATCH, samples, outputs), 8),
        tau=np.array(1 / 4),
        gamma=np.array(gamma),
        eta=np.array(1 / 64),
    )


@cache
def digits() -> Problem:
    """A trained 64-16-11-10 network of tanh units, the categorical objective, and 64 images of digits.

    Each image has three random labels for KFAC.
    """
    with (files(__package__) / "digits.npz").open("rb") as file:
        data = dict(np.load(file, allow_pickle=False))
    rng = np.random.Generator(np.random.Philox(1))
    weights = tuple(data[f"W_{l}"].astype(np.float64) for l in (1, 2, 3))
    problem = Problem(
        id="digits",
        objective="categorical",
        inputs=64,
        layers=dense_layers((64, 16, 11, 10), ("tanh", "tanh")),
        weights=weights,
        X=data["images"].reshape(BATCH, 64) / 16,
        Y=data["classes"].astype(np.int64),
        labels=rng.integers(0, 10, (BATCH, 3)),
        draws=dyadic_uniforms(rng, (BATCH, 3)),
        arguments=arguments_of(weights, 3, 1.0, rng),
    )
    return uniforms_clear_of_borders(problem, rng)


@cache
def autoencoder() -> Problem:
    """The autoencoder of Section 5 at its initial weights, the Bernoulli objective, and 64 generated images.

    Each image has one random label for KFAC. The weights are uniform with Glorot's variance and rounded to float32. The
    biases are 0. About one pixel in five is random, and all other pixels are 0.
    """
    rng = np.random.Generator(np.random.Philox(2))
    weights = []
    for D_in, D_out in pairwise(AUTOENCODER):
        bound = np.sqrt(6 / (D_in + D_out))
        kernel = rng.uniform(-bound, bound, (D_out, D_in)).astype(np.float32)
        weights.append(np.column_stack([kernel, np.zeros(D_out)]))
    X = np.where(rng.random((BATCH, 784)) < 0.2, rng.integers(0, 256, (BATCH, 784)), 0) / 256
    problem = Problem(
        id="autoencoder",
        objective="bernoulli",
        inputs=AUTOENCODER[0],
        layers=dense_layers(AUTOENCODER, TANH_AND_LINEAR_CODE),
        weights=tuple(weights),
        X=X,
        Y=X,
        labels=rng.integers(0, 2, (BATCH, 1, 784)).astype(np.float64),
        draws=dyadic_uniforms(rng, (BATCH, 1, 784)),
        arguments=arguments_of(weights, 1, 2.0, rng),
    )
    return uniforms_clear_of_borders(problem, rng)


REAL_PROBLEMS = {"digits": digits, "autoencoder": autoencoder}
