"""The problems of the golden vectors: general problems, traps, optimiser steps, and problems with shared weights.

A trap has a special property, with which some mistake gives the right answer. The field `hides` of a vector names the
mistakes that give the right answer on the vector's problem, and a wrong answer on a different problem of the file. A
general problem has a vector for every quantity in `QUANTITIES`. A trap has vectors only for the quantities on which its
special property has an effect.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np

from ..oracle import Oracle
from ..problem_sets.trajectories import TRAJECTORIES, Scenario, with_trajectory, without_noise
from ..problems.dyadic import Recipe, Shape, clear
from ..problems.layers import name_of
from ..problems.problem import Problem, Trajectory
from ..problems.shared_weights.dyadic import clear as clear_shared
from ..quantities import QUANTITIES, ROWS, SHARED_WEIGHTS
from ..quantities.shared_weights.uniqueness import has_simple_spectra
from .shared_recipes import SHARED


class Question(NamedTuple):
    """A problem, its description in words, and the quantities of its vectors."""

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
"""The shapes of the general problems, by name.

The numbers of datapoints N are 1, ..., 7. Every objective, every replacement of H_L and every transfer function of
`cases.PAIRED` occurs in at least one general problem.
"""

FACTORS = ("kflr", "kfra", "kfac", "kflr_blocks", "kfra_blocks", "kfac_blocks")
SECOND_ORDER = ("preactivation_hessians", "hessian_blocks", "gauss_newton_blocks", "hessian_product")
DAMPED = ("omega", "solve_trace", "solve_frobenius", "solve_spectral", "solve_exact", "logdet_trace", "logdet_exact")


Change = Callable[[Problem], Problem]


def unchanged(problem: Problem) -> Problem:
    """The problem itself."""
    return problem


class Trap(NamedTuple):
    """A problem on which some mistake gives the right answer.

    description: the special property of the problem, in words
    shape:       the sizes and functions of the problem
    quantities:  the quantities of the problem's vectors
    change:      a function that turns a random problem of the shape into the trap
    """

    description: str
    shape: Shape
    quantities: tuple[str, ...]
    change: Change = unchanged


def with_dampings(problem: Problem, gamma: float, eta: float) -> Problem:
    """The problem with the given gamma and eta."""
    return replace(problem, arguments=problem.arguments._replace(gamma=np.array(gamma), eta=np.array(eta)))


def with_large_outputs(problem: Problem) -> Problem:
    """The problem with the weights of its last layer multiplied by 8."""
    *others, last = problem.weights
    return replace(problem, weights=(*others, 8 * last))


def with_dead_unit(problem: Problem) -> Problem:
    """The problem with a smaller bias of the first hidden unit, so that its pre-activation is negative for every input.

    The absolute values of the inputs and the weights are at most 1, and the bias is below 1. The pre-activation is
    therefore below D_0 + 1, and the function subtracts D_0 + 1 from the bias.
    """
    first, *others = problem.weights
    bias = np.zeros_like(first)
    bias[0, -1] = -problem.widths[0] - 1
    return replace(problem, weights=(first + bias, *others))


def without_inputs(problem: Problem) -> Problem:
    """The problem with every input 0."""
    return replace(problem, X=0 * problem.X)


TRAPS: dict[str, Trap] = {
    "single-datapoint": Trap(
        "Two nonlinear hidden layers, and one datapoint, so every mean over the datapoints has one term",
        Shape("bernoulli", (1, 3, 2, 4), ("tanh", "logistic"), 1, 3),
        (*FACTORS, "q", "rp", "gradient", "gauss_newton_blocks"),
    ),
    "single-layer": Trap(
        "Softmax regression, without a hidden layer",
        Shape("categorical", (2, 4), (), 5, 3),
        (*FACTORS, "hessian_blocks", "gauss_newton_blocks"),
    ),
    "single-output": Trap(
        "One output",
        Shape("bernoulli", (2, 4, 1), ("softplus",), 3, 5),
        (*FACTORS, "loss", "gradient", "rp", "labels", "gauss_newton_product"),
    ),
    "single-label": Trap(
        "One sampled label per datapoint",
        Shape("categorical", (1, 3, 2), ("tanh",), 5, 1),
        ("kfac", "kfac_blocks", "rp"),
    ),
    "linear": Trap(
        "A linear network with squared error: the curvature depends only on the inputs and the weights",
        Shape("squared_error", (1, 3, 2, 4), ("identity", "identity"), 3, 5),
        (*FACTORS, *SECOND_ORDER, "gradient"),
    ),
    "piecewise-linear": Trap(
        "Rectified linear units, whose second derivative is 0",
        Shape("categorical", (1, 3, 2, 3), ("relu", "relu"), 5, 2),
        SECOND_ORDER,
    ),
    "square-weights": Trap(
        "Three units in every layer, so a transpose of the weights raises no error",
        Shape("bernoulli", (3, 3, 3), ("tanh",), 2, 2),
        ("kflr", "kfra", "kfac", "gradient", "jacobian_product", "transposed_jacobian_product", "gauss_newton_product"),
    ),
    "equal-factors": Trap(
        "Q and G of each layer have the same shape",
        Shape("categorical", (1, 2, 3), ("tanh",), 5, 2),
        ("kflr_blocks", "kfra_blocks", "kfac_blocks", "kronecker_matvec", *DAMPED),
    ),
    "dead-unit": Trap(
        "A rectified linear unit that is never active",
        Shape("categorical", (2, 4, 3), ("relu",), 3, 2),
        ("kfra", "kronecker_trace", *DAMPED),
        with_dead_unit,
    ),
    "saturated": Trap(
        "Logits far apart, so the smallest probabilities are below e^-12",
        Shape("categorical", (1, 3, 4), ("tanh",), 5, 2),
        ("loss", "gradient", "kflr", "kfra", "gauss_newton_product", "hessian_product"),
        with_large_outputs,
    ),
    "zero-input": Trap(
        "Inputs of 0, so the outputs of the first layer depend only on the biases",
        Shape("bernoulli", (2, 4, 3), ("logistic",), 3, 2),
        ("q", "gradient", "kfra_blocks", "kronecker_matvec", *DAMPED),
        without_inputs,
    ),
    "unit-damping": Trap(
        "gamma + eta = 1, so the square root of gamma + eta is also 1",
        Shape("bernoulli", (1, 3, 2), ("tanh",), 3, 2),
        DAMPED,
        partial(with_dampings, gamma=7 / 8, eta=1 / 8),
    ),
    "some-biases": Trap(
        "Only the second layer has a bias, so the matrices of the other layers have no column of a bias",
        Shape("categorical", (2, 3, 4, 3), ("tanh", "logistic"), 3, 2, biases=(False, True, False)),
        (*FACTORS, "q", "gradient", "gauss_newton_blocks", "hessian_product", "kronecker_matvec"),
    ),
    "no-weight-decay": Trap(
        "No L2 term: eta = 0",
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
    "ekfac": (Shape("categorical", (1, 4, 3), ("tanh",), 5, 2), Trajectory("ekfac", refresh=3)),
    "mixture": (Shape("mixture", (1, 4, 3), ("tanh",), 5, 2, "scalar"), Trajectory("kfra", inversion="spectral")),
    "blocks": (Shape("bernoulli", (1, 3, 2), ("logistic",), 3, 2), Trajectory("hessian_free_blocks")),
    "whole": (Shape("squared_error", (1, 3, 2), ("tanh",), 3, 2), Trajectory("hessian_free")),
    "options": (Shape("bernoulli", (1, 3, 2), ("tanh",), 5, 2), TRAJECTORIES["options"][2]),
    "momentum": (Shape("bernoulli", (1, 3, 2), ("tanh",), 5, 2), TRAJECTORIES["momentum"][2]),
    "rejected": (Shape("bernoulli", (1, 3, 2), ("tanh",), 5, 2), TRAJECTORIES["rejected"][2]),
}
"""The shapes and the optimiser settings of the problems with steps, by name.

Together, the settings have every method, the options that are not in the paper, momentum, and a rejected step.
"""

MOMENTS = (0, 4, 19)
"""The values of t at the checkpoints. The step from t = 4 adapts tau, and the step from t = 19 adapts tau and gamma."""

MOMENTS_OF_EKFAC = (1, *MOMENTS[1:])
"""The values of t at the checkpoints of EKFAC, which computes bases at t = 0."""

SCENARIOS = {"rejected": Scenario(tau=2.0**-4, indefinite_after=max(MOMENTS))}
"""The scenarios of trajectories, by name. A trajectory that is not listed has the default scenario of `steps`."""


def described(shape: Shape) -> str:
    """The sizes and functions of a shape, in words."""
    widths = "-".join(map(str, shape.widths))
    through = f", {', '.join(map(name_of, shape.transfers))}" if shape.transfers else ""
    stands = f" ({shape.psd})" if shape.objective == "mixture" else ""
    return f"{widths}{through}, {shape.objective}{stands}, N = {shape.N}, S = {shape.S}"


def asks(name: str, description: str, shape: Shape, quantities: tuple[str, ...], change: Change) -> Question:
    """Make a question whose problem gives each quantity a tolerance that is narrow enough to show mistakes."""

    def wanted(problem: Problem) -> bool:
        return all(Oracle(problem, QUANTITIES[quantity]).is_conclusive for quantity in quantities)

    return Question(clear(name, shape, change, wanted), description, quantities)


def plain(name: str, shape: Shape) -> Question:
    """A general problem, with a vector for every quantity in `QUANTITIES`."""
    objective = f"{shape.objective}-scalar" if shape.psd == "scalar" else shape.objective
    return asks(f"{objective}-{name}", described(shape), shape, tuple(QUANTITIES), unchanged)


def trap(name: str, of: Trap) -> Question:
    """The problem of a trap, with vectors for the quantities of this trap."""
    return asks(f"trap-{name}", f"{of.description} ({described(of.shape)})", of.shape, of.quantities, of.change)


def steps(name: str, shape: Shape, settings: Trajectory) -> Question:
    """A few checkpoints of an optimiser trajectory, none of which is near a discontinuity of the optimiser."""
    scenario = SCENARIOS.get(name, Scenario(tau=2.0**-4))
    moments = MOMENTS_OF_EKFAC if settings.method == "ekfac" else MOMENTS

    def shortened(problem: Problem) -> Problem:
        whole = with_trajectory(problem, settings, scenario, max(moments) + 1)
        assert whole.trajectory is not None
        kept = (here for here in whole.trajectory.checkpoints if here.t in moments)
        return replace(whole, trajectory=settings._replace(checkpoints=tuple(map(without_noise, kept))))

    def wanted(problem: Problem) -> bool:
        assert problem.trajectory is not None
        return (
            len(problem.trajectory.checkpoints) == len(moments)
            and Oracle(problem, ROWS["optimiser_step"]).is_conclusive
        )

    at = ", ".join(str(t + 1) for t in moments)
    description = f"Steps {at} by {settings.method} ({described(shape)})"
    return Question(clear(f"steps-{name}", shape, shortened, wanted), description, ("optimiser_step",))


def with_shared_weights(name: str, description: str, recipe: Recipe) -> Question:
    """A problem with shared weights, on which the tolerance of each quantity is narrow enough to show mistakes.

    The problem has a vector for every quantity in `SHARED_WEIGHTS` that applies to the problem, with one exception. If
    an eigenvalue of a factor is repeated, the problem has no vector for the blocks of EKFAC, since ball arithmetic
    cannot certify the eigenvectors of a repeated eigenvalue.
    """

    def wanted(problem: Problem) -> bool:
        return all(Oracle(problem, row).is_conclusive for row in SHARED_WEIGHTS.values() if row.applies_to(problem))

    problem = clear_shared(f"shared-{name}", recipe, wanted)
    sizes = f"{recipe.objective}, N = {recipe.N}, S = {recipe.S}"
    asked = tuple(row.name for row in SHARED_WEIGHTS.values() if row.applies_to(problem))
    if not has_simple_spectra(problem):
        asked = tuple(name for name in asked if name != "ekfac_blocks")
    return Question(problem, f"{description} ({sizes})", asked)


def every_question() -> list[Question]:
    """The problems of all golden vectors."""
    return [
        *(plain(name, shape) for name, shape in PLAIN.items()),
        *(trap(name, of) for name, of in TRAPS.items()),
        *(steps(name, *of) for name, of in STEPS.items()),
        *(with_shared_weights(name, *of) for name, of in SHARED.items()),
    ]
