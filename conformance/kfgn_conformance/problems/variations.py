"""Variations of random problems: outputs or hidden units far from 0, and layers of dead units.

Far from 0 exponentials overflow, and probabilities round to 0 or 1. Formulas that are right but subtract, as in 1 - p
or 1 - tanh^2, lose every digit there, and they must pass. So the largest elements of each array come from places where
nothing cancels: from ordinary datapoints or units next to the saturated ones, from classes that share their
probability, or from probabilities near 0 instead of 1.

The reduction ratio contains a difference of losses. So large weights have a small weight of L2, and a direction is long
enough to change a large loss.
"""

from collections.abc import Callable
from dataclasses import replace

import kfgn_reference as ref
import numpy as np

from .problem import Array, Problem

Change = Callable[[Problem], Problem]

ETA = 2.0**-16

MIXTURE = np.array([1, -1, 1])
"""Signs of its outputs for which both classifiers explain an improbable label equally well."""


def unchanged(problem: Problem) -> Problem:
    """The problem itself."""
    return problem


def all_outputs_near(size: float) -> Change:
    """Every output of every datapoint is near +-size, by the biases of the last layer.

    Those of Bernoulli are all below 0, where p (1 - p) keeps its digits. Those of softmax have either sign by turns.
    """

    def change(problem: Problem) -> Problem:
        D = problem.widths[-1]
        signs = {"bernoulli": -np.ones(D), "mixture": MIXTURE}.get(problem.objective, np.resize([1, -1], D))
        return damped(with_longer_step(with_biases(problem, len(problem.layers), size * signs), size), eta=ETA)

    return change


def some_outputs_near(size: float) -> Change:
    """The outputs of the first two datapoints of a single layer are near +-size, and those of the others ordinary.

    The last input carries it: 1 at the first datapoint, -1 at the second and 0 at the others.
    """

    def change(problem: Problem) -> Problem:
        (W,), X, D = (problem.weights[0].copy(),), problem.X.copy(), problem.widths[-1]
        W[:, -2] = size * (MIXTURE if problem.objective == "mixture" else np.where(np.arange(D) == 0, 1, -1))
        X[:, -1] = np.where(np.arange(len(X)) < 2, 1 - 2 * np.arange(len(X)), 0)
        return damped(with_longer_step(replace(problem, weights=(W,), X=X), size), eta=ETA)

    return change


def some_units_near(size: float, tau: float, gamma: float) -> Change:
    """A first layer with two units near +-22, two near +-size, and ordinary other units.

    At 22 softplus(h) - h is 3e-10, and 1 - tanh(h) is 0 to rounding. The dampings are such that the systems are not
    ill-conditioned by the squares of large activations.
    """

    def change(problem: Problem) -> Problem:
        first, *others = problem.weights
        biases = np.zeros(len(first))
        biases[:4] = 22, -22, size, -size
        less = np.where(np.arange(len(first)) < 2, 1 / 8, 1)[:, None]
        return damped(with_biases(replace(problem, weights=(first * less, *others)), 1, biases), tau, gamma, ETA)

    return change


def with_dead_layer(l: int) -> Change:
    """The rectified linear units of layer l are below 0 for every datapoint, by their biases."""
    return lambda problem: with_biases(problem, l, np.full(problem.widths[l], -32.0))


def with_biases(problem: Problem, l: int, biases: Array) -> Problem:
    """The problem with these numbers added to the biases of layer l."""
    weights = list(problem.weights)
    weights[l - 1] = weights[l - 1].copy()
    weights[l - 1][:, -1] += biases
    return replace(problem, weights=tuple(weights))


def with_longer_step(problem: Problem, size: float) -> Problem:
    """The problem with a direction that is long enough for outputs of that size."""
    direction = tuple(V * (size // 16) for V in problem.arguments.direction)
    return replace(problem, arguments=problem.arguments._replace(direction=direction))


def damped(problem: Problem, tau: float = 7 / 16, gamma: float = 1 / 4, eta: float = 1 / 8) -> Problem:
    """The problem with other dampings; by default those of `dyadic_problem`."""
    tau_0, gamma_0, eta_0 = (np.array(float(k)) for k in (tau, gamma, eta))
    return replace(problem, arguments=problem.arguments._replace(tau=tau_0, gamma=gamma_0, eta=eta_0))


def steep(problem: Problem) -> bool:
    """True if the step V changes f + eta/2 |theta|^2 by a sixteenth or more; with less, rho loses digits."""
    net, V, eta = problem.reference, dict(enumerate(problem.arguments.direction, start=1)), problem.arguments.eta
    before, after = (ref.regularised_loss(at, problem.X, problem.Y, eta) for at in (net, ref.moved(net, V)))
    return bool(abs(after - before) > before / 16)
