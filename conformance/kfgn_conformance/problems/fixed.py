"""Small fixed problems, each of which detects a kind of mistake that no problem of `cases` detects.

Each kind of problem has a table. The id of a problem begins with its kind. The id ends with the name of the
objective, as `objective_name` returns this name.
"""

from dataclasses import replace
from functools import cache
from typing import NamedTuple

from .cases import PAIRED, SPLITS
from .dyadic import Shape, clear
from .problem import DTYPES, Problem
from .variations import (
    Change,
    all_outputs_near,
    some_outputs_near,
    some_units_near,
    steep,
    unchanged,
    with_dead_layer,
)


class Fixed(NamedTuple):
    """A row of a table: the recipe for one fixed problem.

    purpose: the mistake that the problem detects
    shape:   the structure of the problem; the tables have few shapes, since JAX compiles every operation for each shape
    change:  the variation that is applied to a random problem of this shape
    dtypes:  the dtypes in which the problem is run
    dead:    True if the gradient of the first layer is zero
    """

    purpose: str
    shape: Shape
    change: Change = unchanged
    dtypes: tuple[str, ...] = DTYPES
    dead: bool = False

    def problem(self, name: str) -> Problem:
        """Make the problem of this row, with `name` as the id."""
        return replace(clear(name, self.shape, self.change, steep, dead=self.dead), dtypes=self.dtypes)


N, S = 5, 3
"""The default number of datapoints, and the default number of sampled labels per datapoint."""

CURVED = ("logistic", "softplus", "tanh")
LOGITS = tuple(split for split in SPLITS if split[0] != "squared_error")
"""The pairs of `SPLITS` with an objective whose outputs are logits."""

SIZES = {90: DTYPES, 800: ("float64",)}
"""Large values of |h|, each with the dtypes of its problems. e^90 overflows in float32, and e^800 in float64."""


def saturation(transfer: str) -> str:
    """The mistakes that a problem with saturated hidden units detects."""
    return "overflow of e^h" + (", or h instead of softplus(h) for h > 20" if transfer == "softplus" else "")


def outputs(objective: str) -> int:
    """D_L, the number of outputs of a network with this objective."""
    return 3 if objective == "mixture" else 4


def objective_name(objective: str, psd: str) -> str:
    """The name of an objective, with the suffix "-scalar" if `psd` is "scalar"."""
    return f"{objective}-scalar" if psd == "scalar" else objective


SATURATED: dict[str, Fixed] = {
    **{
        f"saturated-30-{objective_name(objective, psd)}": Fixed(
            "clipped probabilities, and an epsilon in a logarithm: all outputs are near +-30",
            Shape(objective, (3, 7, outputs(objective)), ("tanh",), N, S, psd),
            all_outputs_near(30),
        )
        for objective, psd in LOGITS
        # at +-30 the projection of the mixture's H_L is about 1e-13 times H_L, so rounding errors hide the projection
        if (objective, psd) != ("mixture", "project")
    },
    **{
        f"saturated-{size}-{objective_name(objective, psd)}": Fixed(
            f"overflow of e^h: the outputs of two datapoints are near +-{size}",
            Shape(objective, (3, outputs(objective)), (), N, S, psd),
            some_outputs_near(size),
            dtypes,
        )
        for size, dtypes in SIZES.items()
        for objective, psd in LOGITS
    },
    **{
        f"saturated-units-{size}-{transfer}-squared_error": Fixed(
            f"{saturation(transfer)}: hidden units near +-22 and +-{size}",
            Shape("squared_error", (3, 7, 4), (transfer,), N, S),
            some_units_near(size, *((448, 256) if transfer == "softplus" else (7 / 16, 1 / 4))),
            dtypes,
        )
        for size, dtypes in SIZES.items()
        for transfer in CURVED
    },
}

BATCHES: dict[str, Fixed] = {
    f"batch-{size}-{objective}": Fixed(purpose, Shape(objective, (2, 3, 2), ("tanh",), size, 2))
    for size, objective, purpose in (
        (2, "squared_error", "chunks of N // 3 datapoints, although N // 3 is 0 for this batch: 2 datapoints"),
        (33, "categorical", "a mean of the means of chunks, though the last chunk is smaller: 33 datapoints"),
        (130, "squared_error", "an error in the code for more than 128 datapoints: 130 datapoints"),
        (257, "categorical", "chunks of 64, 128 or 256, with a last chunk of one datapoint: 257 datapoints"),
    )
}

SHAPES: dict[str, Fixed] = {
    "shape-square-layers-categorical": Fixed(
        "transposed weights: every layer has three inputs and three units",
        Shape("categorical", (3, 3, 3, 3), ("tanh", "tanh"), N, S),
    ),
    "shape-1-layer-squared_error": Fixed(
        "code that needs a hidden layer: linear regression, which has no hidden layer",
        Shape("squared_error", (3, 4), (), N, S),
    ),
    "shape-2-layers-bernoulli": Fixed(
        "wrong code for a layer that is both the first and the layer below the last: two layers",
        Shape("bernoulli", (3, 7, 4), ("logistic",), N, S),
    ),
    "shape-4-layers-categorical": Fixed(
        "a recursion that stops too early: four layers",
        Shape("categorical", (3, 7, 2, 7, 4), ("tanh",) * 3, N, S),
    ),
    "shape-5-layers-squared_error": Fixed(
        "a recursion that stops too early: five layers",
        Shape("squared_error", (3, 7, 2, 7, 2, 4), ("softplus",) * 4, N, S),
    ),
    "shape-one-hidden-unit-categorical": Fixed(
        "a dropped axis of length 1: a hidden layer of one unit",
        Shape("categorical", (3, 1, 4), ("tanh",), N, S),
    ),
    "shape-one-output-bernoulli": Fixed(
        "a dropped axis of length 1: a last layer of one unit",
        Shape("bernoulli", (3, 7, 1), ("tanh",), N, S),
    ),
    "shape-one-datapoint-squared_error": Fixed(
        "a dropped axis of length 1: N = 1",
        Shape("squared_error", (3, 7, 4), ("tanh",), 1, S),
    ),
    "shape-one-label-categorical": Fixed(
        "a dropped axis of length 1: S = 1",
        Shape("categorical", (3, 7, 4), ("tanh",), N, 1),
    ),
    "shape-dead-layer-categorical": Fixed(
        "0 / 0 for a layer whose units are all dead: the G of this layer and of the layers below are 0",
        Shape("categorical", (3, 7, 2, 4), ("relu", "relu"), N, S),
        with_dead_layer(2),
        dead=True,
    ),
    "shape-without-biases-categorical": Fixed(
        "code that uses the last column of every matrix as the bias: no layer has a bias",
        Shape("categorical", (3, 7, 2, 4), ("tanh", "tanh"), N, S, biases=(False, False, False)),
    ),
    "shape-some-biases-bernoulli": Fixed(
        "code that looks for a bias in one layer alone: only the second layer has a bias",
        Shape("bernoulli", (3, 7, 2, 4), ("softplus", "tanh"), N, S, biases=(False, True, False)),
    ),
    "shape-parameters-squared_error": Fixed(
        "code that ignores the parameter of a transfer function: a slope and an alpha that are not the defaults",
        Shape("squared_error", (3, 7, 2, 4), (("leaky_relu", 0.25), ("elu", 0.5)), N, S),
    ),
}

THROUGHOUT: dict[str, Fixed] = {
    f"throughout-{transfer}-{objective}": Fixed(
        f"an error in one transfer function: {transfer} in every hidden layer",
        Shape(objective, (3, 7, 2, 4), (transfer, transfer), N, S),
    )
    for objective in ("categorical", "squared_error")
    for transfer in PAIRED
}

FIXED: dict[str, Fixed] = SATURATED | BATCHES | SHAPES | THROUGHOUT


@cache
def fixed() -> tuple[Problem, ...]:
    """All problems of `FIXED`."""
    return tuple(row.problem(name) for name, row in FIXED.items())
