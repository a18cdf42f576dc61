"""Random recipes of problems with shared weights: the layers, the numbers of positions and the other sizes.

The sizes are small, so that the matrices over all positions are small too. `drawn` draws the arrays of a problem.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import cycle
from random import Random
from typing import Any

from ..problems.cases import ADDED, PAIRED, SPLITS
from ..problems.dyadic import Recipe
from ..problems.layers import Convolution, Dense, Flatten, Layer, Pooling, Shape, activation_shapes, positions_of
from ..problems.windows import Window

Choose = Callable[[Sequence[Any]], Any]
"""A function that chooses one element of a sequence."""

CHANNELS, UNITS, OUTPUTS, DATAPOINTS, LABELS = (2, 4), (2, 4, 3), (2, 5), (3, 2), (2, 1)

POSITIONS = ((3,), (5,), (3, 2), (2, 4))
"""The numbers of positions of the inputs: sequences and images."""

STACKS = (
    ("convolution",),
    ("dense", "dense"),
    ("convolution", "convolution"),
    ("dense", "convolution", "flatten"),
    ("convolution", "pooling"),
    ("pooling", "dense"),
    ("convolution", "flatten"),
    (),
)
"""The kinds of the layers below the last one."""


def distinct_recipes(seed: int) -> Iterator[Recipe]:
    """Yield distinct recipes with shared weights, with each objective in turn."""
    choose, seen = Random(seed).choice, set[Recipe]()
    for objective, psd in cycle(SPLITS):
        while (recipe := any_recipe(choose, objective, psd)) in seen:
            pass
        seen.add(recipe)
        yield recipe


def any_recipe(choose: Choose, objective: str, psd: str) -> Recipe:
    """A recipe with 1 to 4 layers, and with outputs at one position or at several.

    The divisor is 1, 2, or the number of positions of the outputs. The mixture has 3 outputs.
    """
    inputs = (choose(CHANNELS), *choose(POSITIONS))
    layers: tuple[Layer, ...] = ()
    for kind in choose(STACKS):
        layers = (*layers, a_layer(kind, choose, activation_shapes(inputs, layers)[-1]))
    outputs = 3 if objective == "mixture" else choose(OUTPUTS)
    layers = (*layers, Dense(outputs, bias=choose((True, False))))
    divisor = choose((1, positions_of(activation_shapes(inputs, layers)[-1]), 2))
    return Recipe(objective, psd, inputs, layers, choose(DATAPOINTS), choose(LABELS), divisor)


def a_layer(kind: str, choose: Choose, below: Shape) -> Layer:
    """A random layer of one kind for inputs of the shape `below`, (C, *positions), with windows that fit the inputs."""
    if kind == "flatten":
        return Flatten()
    if kind == "pooling":
        sides = tuple(choose(range(1, T + 1)) for T in below[1:])
        return Pooling(of_axes(sides), of_axes([choose((1, 2)) for _ in sides]), choose(("mean", "sum")))
    units, transfer, bias = choose(UNITS), choose((*PAIRED, *ADDED)), choose((True, True, False))
    if kind == "dense":
        return Dense(units, transfer, bias)
    circular = choose((True, False))
    along = [a_window(choose, T, circular) for T in below[1:]]
    return Convolution(
        units,
        of_axes([window.width for window in along]),
        transfer,
        bias,
        stride=of_axes([window.stride for window in along]),
        padding=of_axes([window.padding for window in along]),
        circular=circular,
        dilation=of_axes([window.dilation for window in along]),
        groups=choose([groups for groups in (1, 2, 4) if below[0] % groups == 0 == units % groups]),
    )


def a_window(choose: Choose, positions: int, circular: bool) -> Window:
    """A random window whose span along an axis is at most the number of positions of this axis.

    This number includes the positions of zero padding, and not those of circular padding.
    """
    padding = choose((0, 1)), choose((0, 1, 2))
    longest = positions if circular else positions + sum(padding)
    dilation = choose((1, 2))
    widths = [width for width in (2, 3, 1) if dilation * (width - 1) < longest]
    return Window(choose(widths), choose((1, 2)), padding, dilation)


def of_axes(values: Sequence[Any]) -> Any:
    """The field of a layer from its values along the axes: the value itself for one axis, or a tuple for several."""
    return values[0] if len(values) == 1 else tuple(values)
