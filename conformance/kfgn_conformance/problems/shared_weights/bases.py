"""Orthogonal matrices of dyadic numbers, which every library represents exactly.

A Hadamard matrix (4, 4) divided by 2 is orthogonal. A product of such matrices on overlapping coordinates mixes most
coordinates. With fewer than four coordinates, no such matrix fits, and the basis is a permutation with signs.
"""

import numpy as np

from ..arrays import Array
from ..layers import group_shapes
from ..problem import Problem

HADAMARD = np.array([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]]) / 2
"""A symmetric orthogonal matrix with the elements 1/2 and -1/2."""

STEP = 3
"""The distance between the first coordinates of neighbouring Hadamard matrices, which overlap in one coordinate."""


def bases(problem: Problem, rng: np.random.Generator) -> tuple[tuple[Array, Array], ...]:
    """Random orthogonal matrices (U_Q, U_G), shaped like Q and G, for each group of each layer with weights."""
    found = []
    for layer, W in zip(problem.weighted, problem.weights, strict=True):
        shapes = group_shapes(layer, W.shape)
        found += [(orthogonal(inputs, rng), orthogonal(outputs, rng)) for outputs, inputs in shapes]
    return tuple(found)


def orthogonal(D: int, rng: np.random.Generator) -> Array:
    """A random orthogonal matrix (D, D) of dyadic numbers."""
    signs = rng.choice([-1.0, 1.0], D)
    U: Array = np.eye(D)[rng.permutation(D)] * signs
    for start in range(0, D - 3, STEP):
        U[start : start + 4] = HADAMARD @ U[start : start + 4]
    return U[rng.permutation(D)]
