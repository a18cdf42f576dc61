"""Random problems of a given shape.

All numbers are dyadic: integers divided by powers of 2. Every library and dtype represents these numbers exactly.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from kfgn_reference import gradient

from .arrays import Array
from .discontinuities import clear_of_kinks, near_border
from .layers import Dense, Layer, Transfer, activation_shapes, dense_layers, has_tokens, weight_shapes
from .problem import CLASSIFIERS, Arguments, Problem, classes, label_shape, root_columns
from .seeds import first_suitable


class Shape(NamedTuple):
    """The structure of a problem, without its numbers.

    objective: the name of the loss E
    widths:    D_0, ..., D_L
    transfers: f_1, ..., f_{L-1}
    N:         the number of datapoints
    S:         the number of sampled labels per datapoint
    psd:       the replacement for an indefinite H_L, "project" or "scalar"
    biases:    for each layer, True if the layer has a bias; None if every layer has a bias
    """

    objective: str
    widths: tuple[int, ...]
    transfers: tuple[Transfer, ...]
    N: int
    S: int
    psd: str = "project"
    biases: tuple[bool, ...] | None = None

    @property
    def layers(self) -> tuple[Dense, ...]:
        """The layers of the network."""
        layers = dense_layers(self.widths, self.transfers)
        biases = (True,) * len(layers) if self.biases is None else self.biases
        return tuple(replace(layer, bias=bias) for layer, bias in zip(layers, biases, strict=True))

    @property
    def recipe(self) -> "Recipe":
        """The recipe of a problem of this shape."""
        return Recipe(self.objective, self.psd, self.widths[0], self.layers, self.N, self.S)


class Recipe(NamedTuple):
    """The structure of a problem with any kinds of layers, without its numbers.

    objective: the name of the loss E
    psd:       the replacement for an indefinite H_L, "project" or "scalar"
    inputs:    D_0, or (C_0, T_0) or (C_0, H, W) for a network with shared weights
    layers:    the layers of the network
    N:         the number of datapoints
    S:         the number of sampled labels per datapoint
    divisor:   the number by which the sum of the loss over the positions of the outputs is divided
    """

    objective: str
    psd: str
    inputs: int | tuple[int, ...]
    layers: tuple[Layer, ...]
    N: int
    S: int
    divisor: int = 1


def clear(
    name: str,
    shape: Shape,
    change: Callable[[Problem], Problem] = lambda problem: problem,
    wanted: Callable[[Problem], bool] = lambda _problem: True,
    *,
    dead: bool = False,
) -> Problem:
    """Return the first random problem that is suitable after `change` and far from every discontinuity.

    change: a function that is applied to every random problem
    wanted: a function that is True for a suitable problem
    dead:   True if the gradient of the first layer must be zero, False if this gradient must not be zero
    """

    def suitable(problem: Problem) -> bool:
        alive = bool(np.any(gradient(problem.reference, problem.X, problem.Y)[1]))
        return alive != dead and clear_of_kinks(problem) and not near_border(problem).any() and wanted(problem)

    return first_suitable(name, lambda seed: change(dyadic_problem(name, shape, generator(seed))), suitable)


def generator(seed: int) -> np.random.Generator:
    """A generator that makes the same numbers on every machine."""
    return np.random.Generator(np.random.Philox(seed))


def dyadic_problem(
    name: str, shape: Shape, rng: np.random.Generator, layers: tuple[Dense, ...] | None = None
) -> Problem:
    """Return a random problem of a shape.

    layers: layers to use instead of `Shape.layers`, with the same numbers of units
    """
    recipe = shape.recipe if layers is None else shape.recipe._replace(layers=layers)
    return random_problem(name, recipe, rng)


def random_problem(name: str, recipe: Recipe, rng: np.random.Generator) -> Problem:
    """Return a random problem, whose weights, inputs, direction and cotangents are multiples of 1/16 in [-1, 1).

    If the first layer is an embedding, the inputs are tokens instead. The numbers in `Problem.draws` are multiples of
    1/16 in [-3, 3) for the squared error, and multiples of 2^-16 in [0, 1) for all other objectives.
    """
    objective, psd, inputs, layers, N, S, divisor = recipe
    shapes = activation_shapes(inputs, layers)
    D_L, *positions = shapes[-1]

    def dyadic(low: int, high: int, shape: tuple[int, ...], denominator: int) -> Array:
        return rng.integers(low * denominator, high * denominator, shape) / denominator

    def labels(*leading: int) -> Array:
        shape = label_shape(objective, (*leading, *positions), D_L)
        if objective in CLASSIFIERS:
            return rng.integers(0, classes(objective, D_L), shape)
        return dyadic(-2, 2, shape, 16) if objective == "squared_error" else dyadic(0, 1, shape, 16)

    def inputs_of(layers: tuple[Layer, ...], shape: tuple[int, ...], N: int) -> Array:
        if has_tokens(layers):
            return rng.integers(0, shape[0], (N, *shape[1:]))
        return dyadic(-1, 1, (N, *shape), 16)

    of_weights = weight_shapes(inputs, layers)
    sampled = label_shape(objective, (N, S, *positions), D_L)
    return Problem(
        id=name,
        objective=objective,
        psd=psd,
        inputs=inputs,
        layers=layers,
        weights=tuple(dyadic(-1, 1, shape, 16) for shape in of_weights),
        X=inputs_of(layers, shapes[0], N),
        Y=labels(N),
        labels=labels(N, S),
        draws=dyadic(-3, 3, sampled, 16) if objective == "squared_error" else dyadic(0, 1, sampled, 2**16),
        arguments=Arguments(
            direction=tuple(dyadic(-1, 1, shape, 16) for shape in of_weights),
            cotangents=dyadic(-1, 1, (N, *positions, D_L), 16),
            projections=dyadic(-2, 2, (N, S, *positions, root_columns(objective, psd, D_L)), 16),
            tau=np.array(7 / 16),
            gamma=np.array(1 / 4),
            eta=np.array(1 / 8),
        ),
        divisor=divisor,
    )
