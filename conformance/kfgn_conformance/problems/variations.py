"""Variations of random problems, with outputs or hidden units far from 0, or with layers of dead units.

For outputs or units far from 0, exponentials may overflow, and probabilities may round to 0 or 1. Correct formulas that
subtract, such as 1 - p or 1 - tanh^2, lose every digit if p or |tanh| rounds to 1. An implementation with these
formulas must pass. In the variations, the largest elements of each array therefore come from terms without
cancellation. Terms without cancellation come from datapoints or units that are not saturated, from classes with equal
probabilities, or from probabilities near 0 instead of near 1.

The reduction ratio contains a difference of losses. This difference loses digits if both losses are much larger than
the difference. Problems with large weights or biases therefore have a small eta, so that the L2 term is small. Problems
with large outputs also have a direction that is long enough to change a large loss.
"""

from collections.abc import Callable
from dataclasses import replace

import kfgn_reference as ref
import numpy as np

from .arrays import Array
from .problem import Problem

Change = Callable[[Problem], Problem]

ETA = 2.0**-16

MIXTURE = np.array([1, -1, 1])
"""The signs of the mixture's outputs for which its two classifiers explain an improbable label equally well."""


def unchanged(problem: Problem) -> Problem:
    """The problem itself."""
    return problem


def all_outputs_near(size: float) -> Change:
    """A change of the last layer's biases that moves every output of every datapoint to near +-size.

    For the Bernoulli objective, all outputs become negative, so that p (1 - p) does not lose digits. For the
    categorical objective, the outputs get alternating signs. For the mixture, the outputs get the signs `MIXTURE`.
    """

    def change(problem: Problem) -> Problem:
        D = problem.widths[-1]
        signs = {"bernoulli": -np.ones(D), "mixture": MIXTURE}.get(problem.objective, np.resize([1, -1], D))
        return damped(with_longer_step(with_biases(problem, len(problem.layers), size * signs), size), eta=ETA)

    return change


def some_outputs_near(size: float) -> Change:
    """A change of a network with one layer that moves the outputs of only the first two datapoints to near +-size.

    The last input gets the weights +-size. This input is 1 at the first datapoint, -1 at the second, and 0 elsewhere.
    """

    def change(problem: Problem) -> Problem:
        (W,), X, D = (problem.weights[0].copy(),), problem.X.copy(), problem.widths[-1]
        W[:, -2] = size * (MIXTURE if problem.objective == "mixture" else np.where(np.arange(D) == 0, 1, -1))
        X[:, -1] = np.where(np.arange(len(X)) < 2, 1 - 2 * np.arange(len(X)), 0)
        return damped(with_longer_step(replace(problem, weights=(W,), X=X), size), eta=ETA)

    return change


def some_units_near(size: float, tau: float, gamma: float) -> Change:
    """A change of the first layer that moves two units to near +-22 and two units to near +-size.

    At h = 22, softplus(h) - h is 3e-10, and 1 - tanh(h) rounds to 0.

    tau, gamma: dampings so large that the squares of large activations do not make the linear systems ill-conditioned
    """

    def change(problem: Problem) -> Problem:
        first, *others = problem.weights
        biases = np.zeros(len(first))
        biases[:4] = 22, -22, size, -size
        less = np.where(np.arange(len(first)) < 2, 1 / 8, 1)[:, None]
        return damped(with_biases(replace(problem, weights=(first * less, *others)), 1, biases), tau, gamma, ETA)

    return change


def with_dead_layer(l: int) -> Change:
    """A change of the biases of layer l that makes every pre-activation of the layer negative for every datapoint."""
    return lambda problem: with_biases(problem, l, np.full(problem.widths[l], -32.0))


def with_biases(problem: Problem, l: int, biases: Array) -> Problem:
    """The problem with `biases` added to the biases of layer l."""
    weights = list(problem.weights)
    weights[l - 1] = weights[l - 1].copy()
    weights[l - 1][:, -1] += biases
    return replace(problem, weights=tuple(weights))


def with_longer_step(problem: Problem, size: float) -> Problem:
    """The problem with a direction V so long that a step V changes the loss, even with outputs near +-size."""
    direction = tuple(V * (size // 16) for V in problem.arguments.direction)
    return replace(problem, arguments=problem.arguments._replace(direction=direction))


def damped(problem: Problem, tau: float = 7 / 16, gamma: float = 1 / 4, eta: float = 1 / 8) -> Problem:
    """The problem with these tau, gamma and eta. The defaults are those of `dyadic_problem`."""
    tau_0, gamma_0, eta_0 = (np.array(float(k)) for k in (tau, gamma, eta))
    return replace(problem, arguments=problem.arguments._replace(tau=tau_0, gamma=gamma_0, eta=eta_0))


def steep(problem: Problem) -> bool:
    """True if the step V changes the regularised loss by more than a sixteenth of the value before the step.

    The regularised loss is loss + eta/2 |theta|^2. If the function returns True, the difference of regularised losses
    in the reduction ratio rho loses only a few bits.
    """
    net, V, eta = problem.reference, dict(enumerate(problem.arguments.direction, start=1)), problem.arguments.eta
    before, after = (ref.regularised_loss(at, problem.X, problem.Y, eta) for at in (net, ref.moved(net, V)))
    return bool(abs(after - before) > before / 16)
