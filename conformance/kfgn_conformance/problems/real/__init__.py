"""Two problems of real size that ship with the kit: a trained classifier of digits, and the paper's autoencoder."""

from dataclasses import replace
from functools import cache
from importlib.resources import files
from itertools import pairwise

import numpy as np

from ..discontinuities import near_border
from ..problem import Arguments, Array, Problem, dense_layers, exact, weight_shapes

AUTOENCODER = (784, 1000, 500, 250, 30, 250, 500, 1000, 784)
"""The widths of Section 5 for images of 28x28 pixels."""

TANH_AND_LINEAR_CODE = ("tanh", "tanh", "tanh", "identity", "tanh", "tanh", "tanh")

BATCH = 64


def uniforms_clear_of_borders(problem: Problem, rng: np.random.Generator) -> Problem:
    """The problem with uniforms that rounding cannot move from one class to another: those near a border redrawn."""
    while (close := near_border(problem)).any():
        problem = replace(problem, draws=np.where(close, dyadic_uniforms(rng, problem.draws.shape), problem.draws))
    return exact(problem)


def dyadic_uniforms(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Uniform on the multiples of 2^-16 in [0, 1)."""
    return rng.integers(0, 2**16, shape) / 2**16


def arguments(widths: tuple[int, ...], samples: int, gamma: float, rng: np.random.Generator) -> Arguments:
    """A direction of the size of a bold step, up to 1/16, and cotangents and projections of size 1."""

    def dyadic(shape: tuple[int, ...], least: int) -> Array:
        return rng.integers(-8, 9, shape) / least

    return Arguments(
        direction=tuple(dyadic(shape, 2**7) for shape in weight_shapes(widths)),
        cotangents=dyadic((BATCH, widths[-1]), 8),
        projections=dyadic((BATCH, samples, widths[-1]), 8),
        tau=np.array(1 / 4),
        gamma=np.array(gamma),
        eta=np.array(1 / 64),
    )


@cache
def digits() -> Problem:
    """A trained 64-16-11-10 network with tanh units, and 64 images of handwritten digits: categorical, S = 3."""
    with (files(__package__) / "digits.npz").open("rb") as file:
        data = dict(np.load(file, allow_pickle=False))
    rng = np.random.Generator(np.random.Philox(1))
    problem = Problem(
        id="digits",
        layers=dense_layers((64, 16, 11, 10), ("tanh", "tanh")),
        objective="categorical",
        weights=tuple(data[f"W_{l}"].astype(np.float64) for l in (1, 2, 3)),
        X=data["images"].reshape(BATCH, 64) / 16,
        Y=data["classes"].astype(np.int64),
        labels=rng.integers(0, 10, (BATCH, 3)),
        draws=dyadic_uniforms(rng, (BATCH, 3)),
        arguments=arguments((64, 16, 11, 10), 3, 1.0, rng),
    )
    return uniforms_clear_of_borders(problem, rng)


@cache
def autoencoder() -> Problem:
    """The autoencoder of Section 5 at its initial weights, and 64 generated images: Bernoulli, S = 1.

    Weights are uniform with Glorot's variance and rounded to float32, biases zero; one pixel in five is lit.
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
        layers=dense_layers(AUTOENCODER, TANH_AND_LINEAR_CODE),
        objective="bernoulli",
        weights=tuple(weights),
        X=X,
        Y=X,
        labels=rng.integers(0, 2, (BATCH, 1, 784)).astype(np.float64),
        draws=dyadic_uniforms(rng, (BATCH, 1, 784)),
        arguments=arguments(AUTOENCODER, 1, 2.0, rng),
    )
    return uniforms_clear_of_borders(problem, rng)


REAL_PROBLEMS = {"digits": digits, "autoencoder": autoencoder}
