"""Hypothesis strategies for small random problems of dyadic numbers, far from every discontinuity.

Arrays are drawn as small integers and scaled by a power of two. Every library represents these dyadic numbers exactly
in every dtype, and Hypothesis shrinks a failure to readable numbers.
"""

from collections.abc import Callable, Iterator, Sequence
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
from ..problems.discontinuities import clear_of_kinks, near_border
from ..problems.dyadic import Shape
from ..problems.layers import weight_shapes
from ..problems.problem import CLASSIFIERS, Arguments, Problem, classes, exact, label_shape, root_columns
from ..quantities import QUANTITIES

# The numbers of units, datapoints and labels have few values, since JAX compiles every operation for each shape.
WIDTHS = (1, 2, 5)
DEPTHS = (3, 2, 4, 1)
DATAPOINTS = (3, 1)
LABELS = (2, 1)

EXAMPLES = 5
"""The number of problems that are drawn for each shape."""


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
"""A strategy for dampings so large that every solve is well-conditioned, and the tolerance of its answer is small."""


Choose = Callable[[Sequence[Any]], Any]
"""A function that chooses one element of a sequence."""


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

    return draw(problems_of(any_shape(choose, *choose(splits))))


@st.composite
def problems_of(draw: st.DrawFn, shape: Shape) -> Problem:
    """A strategy for problems of one shape."""
    objective, widths, _, N, S, psd, _ = shape
    D, layers = widths[-1], shape.layers
    of_weights = weight_shapes(widths[0], layers)
    problem = Problem(
        id="drawn",
        objective=objective,
        psd=psd,
        inputs=widths[0],
        layers=layers,
        weights=tuple(draw(dyadic(shape, -1, 1, 2**-4)) for shape in of_weights),
        X=draw(dyadic((N, widths[0]), -1, 1, 2**-4)),
        Y=draw(targets(objective, (N,), D)),
        labels=draw(targets(objective, (N, S), D)),
        draws=draw(sampling_draws(objective, (N, S), D)),
        arguments=Arguments(
            direction=tuple(draw(nonzero(shape)) for shape in of_weights),
            cotangents=draw(dyadic((N, D), -1, 1, 2**-3)),
            projections=draw(dyadic((N, S, root_columns(objective, psd, D)), -2, 2, 2**-2)),
            tau=draw(DAMPINGS),
            gamma=draw(DAMPINGS),
            eta=draw(DAMPINGS),
        ),
    )
    assume(clear_of_kinks(problem))
    assume(not near_border(problem).any())
    return exact(problem)


def distinct_shapes(seed_value: int) -> Iterator[Shape]:
    """Yield distinct shapes, with each objective in turn."""
    choose, seen = Random(seed_value).choice, set[Shape]()
    for objective, psd in cycle(SPLITS):
        while (shape := any_shape(choose, objective, psd)) in seen:
            pass
        seen.add(shape)
        yield shape


def conclusive_problem(shape: Shape, seed_value: int) -> Problem | None:
    """Return the last conclusive problem among `EXAMPLES` random problems of this shape, or None if none is conclusive.

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
    @given(problems_of(shape))
    def collect(problem: Problem) -> None:
        found.append(problem)

    with suppress(Unsatisfiable):
        collect()
    return next(filter(is_conclusive, reversed(found)), None)


def is_conclusive(problem: Problem) -> bool:
    """True if the gradient is not zero, and the tolerance of every quantity is small enough to detect wrong answers."""
    has_gradient = any(np.any(g) for g in Oracle(problem, QUANTITIES["gradient"]).arrays)
    return has_gradient and all(Oracle(problem, quantity).is_conclusive for quantity in QUANTITIES.values())


def drawn_problems(count: int, seed_value: int) -> list[Problem]:
    """Return `count` conclusive random problems of distinct shapes.

    The same seed gives the same problems in the same environment. Hypothesis also draws constants that it finds in
    local source files, so a different installation may draw different problems.
    """
    made = (conclusive_problem(shape, seed_value + i) for i, shape in enumerate(distinct_shapes(seed_value)))
    found = islice((problem for problem in made if problem is not None), count)
    return [replace(problem, id=f"drawn-{i}") for i, problem in enumerate(found, start=1)]
