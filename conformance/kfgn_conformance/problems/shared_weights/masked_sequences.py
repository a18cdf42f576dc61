"""The fixed problems with masks: sequences of different length.

The sizes obey the rules of the module `sequences`. The numbers of counted positions of the datapoints are pairwise
different, so that a division by the number T of all positions is right for at most one datapoint. The values at masked
positions are as large as all others.
"""

from dataclasses import fields
from functools import cache
from typing import NamedTuple

import numpy as np

from ..dyadic import Recipe, generator
from ..layers import Convolution, Dense, Embedding, Normalisation, Pooling, ScaleShift
from ..masked import MaskedProblem
from ..problem import Problem
from ..seeds import first_suitable
from .dyadic import far_from_discontinuities, has_gradient, shared_problem


class Masked(NamedTuple):
    """A row of the table: the recipe for one fixed problem with a mask.

    purpose: the mistakes that the problem detects
    recipe:  the network, the objective and the batch
    mask:    a text for each datapoint, with 1 for a counted position and 0 for a masked one
    """

    purpose: str
    recipe: Recipe
    mask: tuple[str, ...]


MASKED: dict[str, Masked] = {
    "masked-tokens-bernoulli": Masked(
        "masked positions in a factor or in its divisor: dense layers, a sum over tokens, and masks with gaps",
        Recipe("bernoulli", "project", (3, 7), (Dense(4, "tanh"), Dense(6, "softplus", bias=False), Dense(2)), 5, 3),
        ("1111111", "0100010", "1101011", "0001000", "1011010"),
    ),
    "masked-embedding-categorical": Masked(
        "masked tokens that are counted: an embedding, a normalisation, and a mean over the 16 counted tokens",
        Recipe(
            "categorical",
            "project",
            (6, 7),
            (Embedding(5), Normalisation(0.25), ScaleShift("gelu"), Dense(3)),
            4,
            2,
            divisor=4,
        ),
        ("1111111", "1100000", "0110101", "1101000"),
    ),
    "masked-convolutions-categorical": Masked(
        "a convolution that reads masked positions, and a mean over all positions: two convolutions and a mean",
        Recipe(
            "categorical",
            "project",
            (2, 11),
            (
                Convolution(4, 3, "tanh", padding=(1, 1)),
                Convolution(5, 3, "softplus", stride=2, padding=(0, 1)),
                Pooling(5, 1, "mean"),
                Dense(3),
            ),
            4,
            2,
        ),
        ("11111111111", "11110000000", "11111110000", "11000000000"),
    ),
}
"""The problems by their names without the prefix `shared-`."""


def masked_problem(name: str, row: Masked, rng: np.random.Generator) -> MaskedProblem:
    """Return a random problem with the mask of a row."""
    problem = shared_problem(name, row.recipe, rng)
    mask = np.array([[sign == "1" for sign in of_datapoint] for of_datapoint in row.mask])
    return MaskedProblem(**{field.name: getattr(problem, field.name) for field in fields(problem)}, mask=mask)


@cache
def masked_problems() -> tuple[Problem, ...]:
    """All fixed problems with a mask."""
    return tuple(_suitable(f"shared-{name}", row) for name, row in MASKED.items())


def _suitable(name: str, row: Masked) -> Problem:
    """The first random problem far from discontinuities, with a nonzero gradient in the first layer with weights."""
    return first_suitable(
        name,
        lambda seed: masked_problem(name, row, generator(seed)),
        lambda problem: far_from_discontinuities(problem) and has_gradient(problem),
    )
