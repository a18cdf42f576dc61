"""What the paper defines on a problem: each quantity with its equation and its oracle.

An oracle returns one array for each layer, or a single one; an answer has the same shapes. Everything
is a mean over the batch, but for what is said to be per datapoint.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import kfgn_reference as ref
import numpy as np

from .problems import Array, Problem

ELEMENTS = 2**24
"""The most elements of a quantity that are compared: 128 MiB of float64."""

Arrays = tuple[Array, ...]


@dataclass(frozen=True)
class Quantity:
    """A row of the table.

    name, equation: how it is called, and where it is in the paper
    oracle:         its value by the reference
    elements:       how many elements it has
    per_datapoint:  whether it is N arrays, so that fewer datapoints make it smaller
    """

    name: str
    equation: str
    oracle: Callable[[Problem], Arrays]
    elements: Callable[[Problem], int]
    per_datapoint: bool = False

    @lru_cache(maxsize=64)  # noqa: B019  (one object for all who ask, so that its oracle is computed once)
    def within_reach(self, problem: Problem) -> Problem | None:
        """The problem, on as many of its datapoints as `ELEMENTS` allows; None if not even one fits."""
        n = ELEMENTS // self.elements(problem.head(1)) if self.per_datapoint else problem.N
        if n == 0 or self.elements(problem.head(n)) > ELEMENTS:
            return None
        return problem if n >= problem.N else problem.head(n)


def in_order(per_layer: ref.PerLayer) -> Arrays:
    """The arrays of the layers 1, ..., L as a tuple."""
    return tuple(per_layer[l] for l in sorted(per_layer))


def stacked(sample: Callable[[ref.Network, Array, Array], ref.PerLayer], problem: Problem) -> Arrays:
    """A sample quantity of every datapoint, (N, ...) for each layer."""
    samples = [sample(problem.reference, x, y) for x, y in zip(problem.X, problem.Y, strict=True)]
    return tuple(np.stack([s[l] for s in samples]) for l in sorted(samples[0]))


def of_weights(problem: Problem) -> int:
    """As many elements as there are weights."""
    return sum(W.size for W in problem.weights)


def of_inputs(problem: Problem) -> int:
    """sum (D_{l-1} + 1)^2."""
    return sum((D + 1) ** 2 for D in problem.widths[:-1])


def of_preactivations(problem: Problem) -> int:
    """sum D_l^2."""
    return sum(D**2 for D in problem.widths[1:])


def of_blocks(problem: Problem) -> int:
    """sum (D_l (D_{l-1} + 1))^2."""
    return sum(W.size**2 for W in problem.weights)


_ALL = (
    Quantity(
        name="loss",
        equation="Section 2.1",
        oracle=lambda p: (np.asarray(ref.loss(p.reference, p.X, p.Y)),),
        elements=lambda p: 1,
    ),
    Quantity(
        name="gradient",
        equation="(3)",
        oracle=lambda p: in_order(ref.gradient(p.reference, p.X, p.Y)),
        elements=of_weights,
    ),
    Quantity(
        name="preactivation_hessians",
        equation="(8)-(10)",
        oracle=lambda p: stacked(ref.sample_preactivation_hessians, p),
        elements=lambda p: p.N * of_preactivations(p),
        per_datapoint=True,
    ),
    Quantity(
        name="hessian_blocks",
        equation="(4), (7)",
        oracle=lambda p: in_order(ref.hessian_blocks(p.reference, p.X, p.Y)),
        elements=of_blocks,
    ),
    Quantity(
        name="preactivation_gauss_newton",
        equation="(15), (22)",
        oracle=lambda p: stacked(ref.sample_preactivation_gauss_newton, p),
        elements=lambda p: p.N * of_preactivations(p),
        per_datapoint=True,
    ),
    Quantity(
        name="gauss_newton_blocks",
        equation="(12)-(16)",
        oracle=lambda p: in_order(ref.gauss_newton_blocks(p.reference, p.X, p.Y)),
        elements=of_blocks,
    ),
    Quantity(
        name="q",
        equation="(18), (21)",
        oracle=lambda p: in_order(ref.expected_q(p.reference, p.X)),
        elements=of_inputs,
    ),
    Quantity(
        name="kflr",
        equation="(23)-(25)",
        oracle=lambda p: in_order(ref.kflr(p.reference, p.X, p.Y)),
        elements=of_preactivations,
    ),
    Quantity(
        name="kfra",
        equation="(26)",
        oracle=lambda p: in_order(ref.kfra(p.reference, p.X, p.Y)),
        elements=of_preactivations,
    ),
    Quantity(
        name="kfac",
        equation="(59)",
        oracle=lambda p: in_order(ref.kfac(p.reference, p.X, p.labels)),
        elements=of_preactivations,
    ),
    Quantity(
        name="labels",
        equation="D.3",
        oracle=lambda p: (np.array(ref.draw_labels(p.reference, p.X, p.draws)),),
        elements=lambda p: p.draws.size,
    ),
)

QUANTITIES: dict[str, Quantity] = {quantity.name: quantity for quantity in _ALL}
