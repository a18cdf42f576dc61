"""Of which problems there are vectors: some that are asked everything, traps that are asked what they are about, steps.

A trap is a case in which a mistake gives the right answer; `hides` of its vectors says which do.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np

from ..problems.dyadic import Shape, clear
from ..problems.layers import name_of
from ..problems.problem import Problem, Trajectory
from ..problems.trajectories import TRAJECTORIES, Scenario, with_trajectory
from ..quantities import QUANTITIES, ROWS
from ..tolerances import telling


class Question(NamedTuple):
    """A problem, what it is in a sentence, and the quantities that it is asked for."""

    problem: Problem
    description: str
    quantities: tuple[str, ...]


PLAIN: dict[str, Shape] = {
    "tanh-n1": Shape("categorical", (1, 3, 2), ("tanh",), 1, 2),
    "logistic-n2": Shape("bernoulli", (3, 2, 4), ("logistic",), 2, 3),
    "softplus-n3": Shape("squared_error", (1, 3, 2, 4), ("tanh", "softplus"), 3, 2),
    "relu-n4": Shape("mixture", (2, 4, 3), ("relu",), 4, 3),
    "leaky_relu-n5": Shape("mixture", (1, 4, 3), ("leaky_relu",), 5, 2, "scalar"),
    "logistic-tanh-n6": Shape("bernoulli", (1, 3, 2, 4), ("logistic", "tanh"), 6, 2),
    "identity-n7": Shape("categorical", (1, 3, 2, 4), ("identity", "softplus"), 7, 3),
}
"""One for each number of datapoints; every objective, what stands for its H_L, and every transfer function."""

FACTORS = ("kflr", "kfra", "kfac", "kflr_blocks", "kfra_blocks", "kfac_blocks")
SECOND_ORDER = ("preactivation_hessians", "hessian_blocks", "gauss_newton_blocks", "hessian_product")
DAMPED = ("omega", "solve_trace", "solve_frobenius", "solve_spectral", "solve_exact", "logdet_trace", "logdet_exact")


Change = Callable[[Problem], Problem]


def unchanged(problem: Problem) -> Problem:
    """The problem itself."""
    return problem


class Trap(NamedTuple):
    """description: what it is. shape, change: of its problem. quantities: that it is about."""

    description: str
    shape: Shape
    quantities: tuple[str, ...]
    change: Change = unchanged


def with_dampings(problem: Problem, gamma: float, eta: float) -> Problem:
    """Other dampings of the blocks."""
    return replace(problem, arguments=problem.arguments._replace(gamma=np.array(gamma), eta=np.array(eta)))


def with_large_outputs(problem: Problem) -> Problem:
    """The last weights eight times as large."""
    *others, last = problem.weights
    return replace(problem, weights=(*others, 8 * last))


def with_dead_unit(problem: Problem) -> Problem:
    """The first unit of the first layer below 0 for every input: D_0 + 1 less bias, and inputs and weights within 1."""
    first, *others = problem.weights
    bias = np.zeros_like(first)
    bias[0, -1] = -problem.widths[0] - 1
    return replace(problem, weights=(first + bias, *others))


def without_inputs(problem: Problem) -> Problem:
    """Every input 0."""
    return replace(problem, X=0 * problem.X)


TRAPS: dict[str, Trap] = {
    "single-datapoint": Trap(
        "One datapoint, two layers that are curved, and the mean of one is the one",
        Shape("bernoulli", (1, 3, 2, 4), ("tanh", "logistic"), 1, 3),
        (*FACTORS, "q", "rp", "gradient", "gauss_newton_blocks"),
    ),
    "single-layer": Trap(
        "Softmax regression: no layer to go through",
        Shape("categorical", (2, 4), (), 5, 3),
        (*FACTORS, "hessian_blocks", "gauss_newton_blocks"),
    ),
    "single-output": Trap(
        "One output",
        Shape("bernoulli", (2, 4, 1), ("softplus",), 3, 5),
        (*FACTORS, "loss", "gradient", "rp", "labels", "gauss_newton_product"),
    ),
    "single-label": Trap(
        "One sampled label of each datapoint",
        Shape("categorical", (1, 3, 2), ("tanh",), 5, 1),
        ("kfac", "kfac_blocks", "rp"),
    ),
    "linear": Trap(
        "A linear network and the squared error: no label, no output and no slope is in the curvature",
        Shape("squared_error", (1, 3, 2, 4), ("identity", "identity"), 3, 5),
        (*FACTORS, *SECOND_ORDER, "gradient"),
    ),
    "piecewise-linear": Trap(
        "Rectified linear units: no second derivative",
        Shape("categorical", (1, 3, 2, 3), ("relu", "relu"), 5, 2),
        SECOND_ORDER,
    ),
    "square-weights": Trap(
        "Three units everywhere: weights fit transposed",
        Shape("bernoulli", (3, 3, 3), ("tanh",), 2, 2),
        ("kflr", "kfra", "kfac", "gradient", "jacobian_product", "transposed_jacobian_product", "gauss_newton_product"),
    ),
    "equal-factors": Trap(
        "Each layer's Q and G have one shape",
        Shape("categorical", (1, 2, 3), ("tanh",), 5, 2),
        ("kflr_blocks", "kfra_blocks", "kfac_blocks", "kronecker_matvec", *DAMPED),
    ),
    "dead-unit": Trap(
        "A rectified linear unit that is never on",
        Shape("categorical", (2, 4, 3), ("relu",), 3, 2),
        ("kfra", "kronecker_trace", *DAMPED),
        with_dead_unit,
    ),
    "saturated": Trap(
        "Logits far apart: 1 - p is to be had without subtraction",
        Shape("categorical", (1, 3, 4), ("tanh",), 5, 2),
        ("loss", "gradient", "kflr", "kfra", "gauss_newton_product", "hessian_product"),
        with_large_outputs,
    ),
    "zero-input": Trap(
        "Inputs of 0: the first layer has its biases alone",
        Shape("bernoulli", (2, 4, 3), ("logistic",), 3, 2),
        ("q", "gradient", "kfra_blocks", "kronecker_matvec", *DAMPED),
        without_inputs,
    ),
    "unit-damping": Trap(
        "Dampings that add up to 1: their root is 1 too",
        Shape("bernoulli", (1, 3, 2), ("tanh",), 3, 2),
        DAMPED,
        partial(with_dampings, gamma=7 / 8, eta=1 / 8),
    ),
    "no-weight-decay": Trap(
        "eta = 0",
        Shape("squared_error", (1, 3, 2), ("softplus",), 3, 2),
        ("curvature_along", "quadratic_model", "step_size", "reduction_ratio", "solve_trace", "conjugate_gradients"),
        partial(with_dampings, gamma=1 / 4, eta=0.0),
    ),
}

STEPS: dict[str, tuple[Shape, Trajectory]] = {
    "kflr": (Shape("categorical", (1, 3, 2), ("tanh",), 3, 2), Trajectory("kflr")),
    "kfra": (Shape("bernoulli", (1, 3, 2, 4), ("tanh", "logistic"), 5, 2), Trajectory("kfra")),
    "kfac": (Shape("categorical", (1, 3, 2), ("softplus",), 3, 2), Trajectory("kfac")),
    "rp": (Shape("squared_error", (1, 3, 2), ("tanh",), 3, 2), Trajectory("rp", inversion="frobenius")),
    "mixture": (Shape("mixture", (1, 4, 3), ("tanh",), 5, 2, "scalar"), Trajectory("kfra", inversion="spectral")),
    "blocks": (Shape("bernoulli", (1, 3, 2), ("logistic",), 3, 2), Trajectory("hessian_free_blocks")),
    "whole": (Shape("squared_error", (1, 3, 2), ("tanh",), 3, 2), Trajectory("hessian_free")),
    "options": (Shape("bernoulli", (1, 3, 2), ("tanh",), 5, 2), TRAJECTORIES["options"][2]),
    "momentum": (Shape("bernoulli", (1, 3, 2), ("tanh",), 5, 2), TRAJECTORIES["momentum"][2]),
    "rejected": (Shape("bernoulli", (1, 3, 2), ("tanh",), 5, 2), TRAJECTORIES["rejected"][2]),
}
"""The optimiser, method by method, with every option beyond the paper, with momentum, and where it rejects a step."""

MOMENTS = (0, 4, 19)
"""The steps of which there are vectors: the first, one after which tau may move, and one before which gamma may."""


SCENARIOS = {"rejected": Scenario(tau=2.0**-4, indefinite_after=max(MOMENTS))}
"""The courses of the walks that do not have the usual one."""


def described(shape: Shape) -> str:
    """Its sizes and functions in words."""
    widths = "-".join(map(str, shape.widths))
    through = f", {', '.join(map(name_of, shape.transfers))}" if shape.transfers else ""
    stands = f" ({shape.psd})" if shape.objective == "mixture" else ""
    return f"{widths}{through}, {shape.objective}{stands}, N = {shape.N}, S = {shape.S}"


def asks(name: str, description: str, shape: Shape, quantities: tuple[str, ...], change: Change) -> Question:
    """A problem on which each of the quantities can be told from what is wrong."""

    def wanted(problem: Problem) -> bool:
        return all(telling(problem, QUANTITIES[quantity]) for quantity in quantities)

    return Question(clear(name, shape, change, wanted), description, quantities)


def plain(name: str, shape: Shape) -> Question:
    """A problem that is asked everything."""
    objective = f"{shape.objective}-scalar" if shape.psd == "scalar" else shape.objective
    return asks(f"{objective}-{name}", described(shape), shape, tuple(QUANTITIES), unchanged)


def trap(name: str, of: Trap) -> Question:
    """A problem that is asked what it is about."""
    return asks(f"trap-{name}", f"{of.description} ({described(of.shape)})", of.shape, of.quantities, of.change)


def steps(name: str, shape: Shape, settings: Trajectory) -> Question:
    """A few states of an optimiser on its way, from the first weights with which none is near to another branch."""
    scenario = SCENARIOS.get(name, Scenario(tau=2.0**-4))

    def shortened(problem: Problem) -> Problem:
        whole = with_trajectory(problem, settings, scenario, max(MOMENTS) + 1)
        assert whole.trajectory is not None
        return replace(
            whole,
            trajectory=settings._replace(
                checkpoints=tuple(here for here in whole.trajectory.checkpoints if here.t in MOMENTS)
            ),
        )

    def wanted(problem: Problem) -> bool:
        assert problem.trajectory is not None
        return len(problem.trajectory.checkpoints) == len(MOMENTS) and telling(problem, ROWS["optimiser_step"])

    at = ", ".join(str(t + 1) for t in MOMENTS)
    description = f"Steps {at} by {settings.method} ({described(shape)})"
    return Question(clear(f"steps-{name}", shape, shortened, wanted), description, ("optimiser_step",))


def every_question() -> list[Question]:
    """All of them."""
    return [
        *(plain(name, shape) for name, shape in PLAIN.items()),
        *(trap(name, of) for name, of in TRAPS.items()),
        *(steps(name, *of) for name, of in STEPS.items()),
    ]
