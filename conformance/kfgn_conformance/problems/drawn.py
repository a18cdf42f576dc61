"""Hypothesis strategies that draw problems: small, dyadic, off every step, and telling.

Arrays are drawn as small integers and scaled by a power of two, so that every library and dtype starts
from the same numbers and a failure shrinks to readable ones.
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
from kfgn_reference import TRANSFERS

from ..quantities import QUANTITIES
from ..tolerances import telling, truth
from .cases import SPLITS
from .discontinuities import clear_of_kinks, near_border
from .dyadic import Shape
from .problem import (
    CLASSIFIERS,
    Arguments,
    Array,
    Problem,
    classes,
    dense_layers,
    draw_shape,
    exact,
    root_columns,
    weight_shapes,
)

# Few sizes, as JAX compiles every operation anew for each shape that it meets.
WIDTHS = (1, 2, 5)
DEPTHS = (3, 2, 4, 1)
DATAPOINTS = (3, 1)
LABELS = (2, 1)

EXAMPLES = 5
"""The number of problems that are drawn of a shape before the next shape is taken."""


def dyadic(shape: tuple[int, ...], low: float, high: float, step: float) -> st.SearchStrategy[Array]:
    """Arrays of multiples of `step`, a power of two, from `low` to `high`."""
    integers = hnp.arrays(
        np.int64, shape, elements=st.integers(round(low / step), round(high / step)), fill=st.nothing()
    )
    return integers.map(lambda k: k * step)


def nonzero(shape: tuple[int, ...]) -> st.SearchStrategy[Array]:
    """Directions: multiples of 1/8 up to 1 but for 0. One that leaves out weights may meet but what rounding left."""
    return dyadic(shape, -1, 1 - 2**-3, 2**-3).map(lambda V: np.where(V < 0, V, V + 2**-3))


def targets(objective: str, leading: tuple[int, ...], D: int) -> st.SearchStrategy[Array]:
    """Labels of an objective with D outputs: real vectors, probabilities, or indices of classes."""
    shape = draw_shape(objective, leading, D)
    if objective in CLASSIFIERS:
        return hnp.arrays(np.int64, shape, elements=st.integers(0, classes(objective, D) - 1), fill=st.nothing())
    low, high = (-2, 2) if objective == "squared_error" else (0, 1)
    return dyadic(shape, low, high, 2**-3)


def sampling_draws(objective: str, leading: tuple[int, ...], D: int) -> st.SearchStrategy[Array]:
    """What labels are sampled from: normals for the squared error, else uniforms in [0, 1)."""
    shape = draw_shape(objective, leading, D)
    if objective == "squared_error":
        return dyadic(shape, -3, 3, 2**-3)
    return dyadic(shape, 0, 1 - 2**-10, 2**-10)


DAMPINGS = st.sampled_from((2**-2, 2**-3, 2**-1, 1.0)).map(np.array)
"""Far enough from 0 that no solve is so ill-conditioned that it proves nothing."""


Choose = Callable[[Sequence[Any]], Any]
"""Takes one of several."""


def any_shape(choose: Choose, objective: str, psd: str) -> Shape:
    """1 to 4 layers of 1, 2 or 5 units and any transfer functions; 1 or 3 datapoints; 1 or 2 labels."""
    hidden = tuple(choose(WIDTHS) for _ in range(choose(DEPTHS)))
    widths = (*hidden, 3 if objective == "mixture" else choose(WIDTHS))
    transfers = tuple(choose(sorted(TRANSFERS)) for _ in widths[1:-1])
    return Shape(objective, widths, transfers, choose(DATAPOINTS), choose(LABELS), psd)


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    """Problems of any objective and shape."""

    def choose(options: Sequence[Any]) -> Any:
        return draw(st.sampled_from(options))

    return draw(problems_of(any_shape(choose, *choose(SPLITS))))


@st.composite
def problems_of(draw: st.DrawFn, shape: Shape) -> Problem:
    """Problems of a shape."""
    objective, widths, transfers, N, S, psd = shape
    D = widths[-1]
    problem = Problem(
        id="drawn",
        layers=dense_layers(widths, transfers),
        objective=objective,
        weights=tuple(draw(dyadic(shape, -1, 1, 2**-4)) for shape in weight_shapes(widths)),
        X=draw(dyadic((N, widths[0]), -1, 1, 2**-4)),
        Y=draw(targets(objective, (N,), D)),
        labels=draw(targets(objective, (N, S), D)),
        draws=draw(sampling_draws(objective, (N, S), D)),
        arguments=Arguments(
            direction=tuple(draw(nonzero(shape)) for shape in weight_shapes(widths)),
            cotangents=draw(dyadic((N, D), -1, 1, 2**-3)),
            projections=draw(dyadic((N, S, root_columns(objective, psd, D)), -2, 2, 2**-2)),
            tau=draw(DAMPINGS),
            gamma=draw(DAMPINGS),
            eta=draw(DAMPINGS),
        ),
        psd=psd,
    )
    assume(clear_of_kinks(problem))
    assume(not near_border(problem).any())
    return exact(problem)


def distinct_shapes(seed_value: int) -> Iterator[Shape]:
    """Infinitely many shapes, no two of them equal, with each objective in turn."""
    choose, seen = Random(seed_value).choice, set[Shape]()
    for objective, psd in cycle(SPLITS):
        while (shape := any_shape(choose, objective, psd)) in seen:
            pass
        seen.add(shape)
        yield shape


def telling_problem(shape: Shape, seed_value: int) -> Problem | None:
    """A problem of the shape on which every quantity can fail; None if there is none among a few.

    The last such problem is taken, since Hypothesis draws the simplest ones first, full of zeros.
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
    return next(filter(tells, reversed(found)), None)


def tells(problem: Problem) -> bool:
    """True if every quantity can tell a right answer from a wrong one, and Algorithm 1 has a step to make."""
    has_gradient = any(np.any(g) for g in truth(problem, QUANTITIES["gradient"]).arrays)
    return has_gradient and all(telling(problem, quantity) for quantity in QUANTITIES.values())


def drawn_problems(count: int, seed_value: int) -> list[Problem]:
    """Drawn problems on which every quantity can fail, no two of one shape.

    The same seed gives the same problems in the same environment. Hypothesis also draws numbers that it finds in the
    code around it, so another installation may draw other problems.
    """
    made = (telling_problem(shape, seed_value + i) for i, shape in enumerate(distinct_shapes(seed_value)))
    found = islice((problem for problem in made if problem is not None), count)
    return [replace(problem, id=f"drawn-{i}") for i, problem in enumerate(found, start=1)]
