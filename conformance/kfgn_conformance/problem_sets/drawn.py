"""Hypothesis strategies for small random problems of dyadic numbers, far from every discontinuity.

Arrays are drawn as small integers and scaled by a power of two. Every library represents these dyadic numbers exactly
in every dtype, and Hypothesis shrinks a failure to readable numbers.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import cycle, islice
from random import Random
from typing import Any

import hypothesis.strategies as st
import numpy as np
from hypothesis import HealthCheck, Phase, assume, given, seed, settings
from hypothesis.errors import Unsatisfiable
from hypothesis.extra import numpy as hnp

from ..oracle import Oracle
from ..problems.arrays import Array
from ..problems.cases import ADDED, PAIRED, SPLITS
from ..problems.dyadic import Recipe, Shape
from ..problems.layers import activation_shapes, weight_shapes
from ..problems.problem import CLASSIFIERS, Arguments, Problem, classes, exact, label_shape, root_columns
from ..problems.shared_weights.bases import bases
from ..problems.shared_weights.dyadic import far_from_discontinuities
from ..quantities import QUANTITIES, SHARED_WEIGHTS
from .drawn_layers import Choose, any_recipe, distinct_recipes

# The numbers of units, datapoints and labels have few values, since JAX compiles every operation for each shape.
WIDTHS = (1, 2, 5)
DEPTHS = (3, 2, 4, 1)
DATAPOINTS = (3, 1)
LABELS = (2, 1)

EXAMPLES = 5
"""The maximum number of problems that are drawn for each recipe."""


def dyadic(shape: tuple[int, ...], low: float, high: float, step: float) -> st.SearchStrategy[Array]:
    """A strategy for arrays whose elements are multiples of `step`, a power of two, from `low` to `high`."""
    integers = hnp.arrays(
        np.int64, shape, elements=st.integers(round(low / step), round(high / step)), fill=st.nothing()
    )
    return integers.map(lambda k: k * step)


def nonzero(shape: tuple[int, ...]) -> st.SearchStrategy[Array]:
    """A strategy for directions, whose elements are nonzero multiples of 1/8 from -1 to 1.

    The product with a direction that has zeros could consist of rounding errors only.
    """
    return dyadic(shape, -1, 1 - 2**-3, 2**-3).map(lambda V: np.where(V < 0, V, V + 2**-3))


def targets(objective: str, leading: tuple[int, ...], D: int) -> st.SearchStrategy[Array]:
    """A strategy for labels of an objective with D outputs: real vectors, probabilities, or class indices."""
    shape = label_shape(objective, leading, D)
    if objective in CLASSIFIERS:
        return hnp.arrays(np.int64, shape, elements=st.integers(0, classes(objective, D) - 1), fill=st.nothing())
    low, high = (-2, 2) if objective == "squared_error" else (0, 1)
    return dyadic(shape, low, high, 2**-3)


def sampling_draws(objective: str, leading: tuple[int, ...], D: int) -> st.SearchStrategy[Array]:
    """A strategy for the draws from which labels are sampled.

    The draws are multiples of 1/8 from -3 to 3 for the squared error, and otherwise multiples of 2^-10 in [0, 1).
    """
    shape = label_shape(objective, leading, D)
    if objective == "squared_error":
        return dyadic(shape, -3, 3, 2**-3)
    return dyadic(shape, 0, 1 - 2**-10, 2**-10)


DAMPINGS = st.sampled_from((2**-2, 2**-3, 2**-1, 1.0)).map(np.array)
"""A strategy for dampings so large that every solve is well-conditioned and has a small tolerance."""


def any_shape(choose: Choose, objective: str, psd: str) -> Shape:
    """A shape with 1 to 4 layers of 1, 2 or 5 units, any transfer functions, 1 or 3 datapoints and 1 or 2 labels.

    The last layer for the mixture has 3 units.
    """
    hidden = tuple(choose(WIDTHS) for _ in range(choose(DEPTHS)))
    widths = (*hidden, 3 if objective == "mixture" else choose(WIDTHS))
    transfers = tuple(choose((*PAIRED, *ADDED)) for _ in widths[1:-1])
    return Shape(objective, widths, transfers, choose(DATAPOINTS), choose(LABELS), psd)


@st.composite
def problems(draw: st.DrawFn, splits: Sequence[tuple[str, str]] = SPLITS) -> Problem:
    """A strategy for problems of any shape, whose objective and replacement for H_L are one of the pairs `splits`."""

    def choose(options: Sequence[Any]) -> Any:
        return draw(st.sampled_from(options))

    return draw(problems_of(any_shape(choose, *choose(splits)).recipe))


@st.composite
def shared_problems(draw: st.DrawFn, splits: Sequence[tuple[str, str]] = SPLITS) -> Problem:
    """A strategy for problems with shared weights, whose objective and replacement for H_L are one pair of `splits`."""

    def choose(options: Sequence[Any]) -> Any:
        return draw(st.sampled_from(options))

    return draw(problems_of(any_recipe(choose, *choose(splits))))


@st.composite
def problems_of(draw: st.DrawFn, recipe: Recipe) -> Problem:
    """A strategy for problems of one recipe, with or without shared weights."""
    objective, psd, inputs, layers, N, S, divisor = recipe
    shapes, of_weights = activation_shapes(inputs, layers), weight_shapes(inputs, layers)
    D, *positions = shapes[-1]
    problem = Problem(
        id="drawn",
        objective=objective,
        psd=psd,
        inputs=inputs,
        layers=layers,
        weights=tuple(draw(dyadic(shape, -1, 1, 2**-4)) for shape in of_weights),
        X=draw(dyadic((N, *shapes[0]), -1, 1, 2**-4)),
        Y=draw(targets(objective, (N, *positions), D)),
        labels=draw(targets(objective, (N, S, *positions), D)),
        draws=draw(sampling_draws(objective, (N, S, *positions), D)),
        arguments=Arguments(
            direction=tuple(draw(nonzero(shape)) for shape in of_weights),
            cotangents=draw(dyadic((N, *positions, D), -1, 1, 2**-3)),
            projections=draw(dyadic((N, S, *positions, root_columns(objective, psd, D)), -2, 2, 2**-2)),
            tau=draw(DAMPINGS),
            gamma=draw(DAMPINGS),
            eta=draw(DAMPINGS),
        ),
        divisor=divisor,
    )
    if problem.is_shared:
        rng = np.random.Generator(np.random.Philox(draw(st.integers(0, 2**32 - 1))))
        problem = replace(problem, bases=bases(problem, rng))
    assume(far_from_discontinuities(problem))
    return exact(problem)


def distinct_shapes(seed_value: int) -> Iterator[Shape]:
    """Yield distinct shapes, with each objective in turn."""
    choose, seen = Random(seed_value).choice, set[Shape]()
    for objective, psd in cycle(SPLITS):
        while (shape := any_shape(choose, objective, psd)) in seen:
            pass
        seen.add(shape)
        yield shape


def conclusive_problem(recipe: Recipe, seed_value: int) -> Problem | None:
    """Return the last conclusive problem among `EXAMPLES` random problems of a recipe, or None if none is conclusive.

    The last problem is returned because Hypothesis draws the simplest problems first, and the simplest problems are
    full of zeros.
    """
    found: list[Problem] = []

    @seed(seed_value)
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(problems_of(recipe))
    def collect(problem: Problem) -> None:
        found.append(problem)

    with suppress(Unsatisfiable):
        collect()
    return next(filter(is_conclusive, reversed(found)), None)


def is_conclusive(problem: Problem) -> bool:
    """True if the gradient is not zero, and the tolerance of every quantity is small enough to detect wrong answers."""
    rows, gradient = (SHARED_WEIGHTS, "shared_gradient") if problem.is_shared else (QUANTITIES, "gradient")
    if not any(np.any(g) for g in Oracle(problem, rows[gradient]).arrays):
        return False
    with np.errstate(all="ignore"):  # a dead group of channels has a trace of 0, by which TKFAC divides
        return all(Oracle(problem, row).is_conclusive for row in rows.values() if row.applies_to(problem))


def drawn_problems(count: int, seed_value: int) -> list[Problem]:
    """Return `count` conclusive random problems of distinct shapes, without shared weights.

    The same seed gives the same problems in the same environment. Hypothesis also draws constants that it finds in
    local source files, so a different installation may draw different problems.
    """
    return conclusive("drawn", count, (shape.recipe for shape in distinct_shapes(seed_value)), seed_value)


def drawn_shared_problems(count: int, seed_value: int) -> list[Problem]:
    """Return `count` conclusive random problems with shared weights, of distinct recipes."""
    return conclusive("drawn-shared", count, distinct_recipes(seed_value), seed_value)


def conclusive(name: str, count: int, recipes: Iterable[Recipe], seed_value: int) -> list[Problem]:
    """Return the first `count` conclusive problems of the recipes, with the ids `name`-1, `name`-2 and so on."""
    made = (conclusive_problem(recipe, seed_value + i) for i, recipe in enumerate(recipes))
    found = islice((problem for problem in made if problem is not None), count)
    return [replace(problem, id=f"{name}-{i}") for i, problem in enumerate(found, start=1)]
