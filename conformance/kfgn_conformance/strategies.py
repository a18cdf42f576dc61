"""Hypothesis strategies that draw problems: small, dyadic, off every step, and telling.

Arrays are drawn as small integers and scaled by a power of two, so that every library and dtype starts
from the same numbers and a failure shrinks to readable ones.
"""

from dataclasses import replace

import hypothesis.strategies as st
import numpy as np
from hypothesis import HealthCheck, Phase, assume, given, seed, settings
from hypothesis.extra import numpy as hnp
from kfgn_reference import TRANSFERS

from .cases import SPLITS
from .margins import clear_of_kinks, near_border
from .problems import (
    CLASSIFIERS,
    Array,
    Probes,
    Problem,
    classes,
    dense_layers,
    draw_shape,
    exact,
    root_columns,
    weight_shapes,
)
from .quantities import QUANTITIES
from .tolerances import telling, truth

# Few sizes, as JAX compiles every operation anew for each shape that it meets.
WIDTHS = st.sampled_from((1, 2, 5))
DEPTHS = st.sampled_from((3, 2, 4, 1))
DATAPOINTS = st.sampled_from((3, 1))
LABELS = st.sampled_from((2, 1))


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


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    """Any objective; 1 to 4 layers, any transfer functions, 1, 2 or 5 units; 1 or 3 datapoints; 1 or 2 labels."""
    objective, psd = draw(st.sampled_from(SPLITS))
    hidden = tuple(draw(WIDTHS) for _ in range(draw(DEPTHS)))
    widths = (*hidden, 3 if objective == "mixture" else draw(WIDTHS))
    transfers = tuple(draw(st.sampled_from(sorted(TRANSFERS))) for _ in widths[1:-1])
    N, S, D = draw(DATAPOINTS), draw(LABELS), widths[-1]
    problem = Problem(
        id="drawn",
        layers=dense_layers(widths, transfers),
        objective=objective,
        weights=tuple(draw(dyadic(shape, -1, 1, 2**-4)) for shape in weight_shapes(widths)),
        X=draw(dyadic((N, widths[0]), -1, 1, 2**-4)),
        Y=draw(targets(objective, (N,), D)),
        labels=draw(targets(objective, (N, S), D)),
        draws=draw(sampling_draws(objective, (N, S), D)),
        probes=Probes(
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


def drawn_problems(count: int, seed_value: int) -> list[Problem]:
    """So many drawn problems, telling for every quantity.

    The same ones for the same seed in the same environment: Hypothesis also draws numbers that it finds in the code
    around it, so another installation may draw others.
    """
    found: list[Problem] = []

    @seed(seed_value)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(problems())
    def collect(problem: Problem) -> None:
        assume(all(telling(problem, quantity) for quantity in QUANTITIES.values()))
        assume(any(np.any(g) for g in truth(problem, QUANTITIES["gradient"]).arrays))  # Algorithm 1 has a step
        found.append(problem)

    collect()
    return [replace(problem, id=f"drawn-{i}") for i, problem in enumerate(found, start=1)]
