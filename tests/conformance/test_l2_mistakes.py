"""The mistakes in the L2 term: each changes the L2 term in the same way at the problem's weights and at moved ones."""

from dataclasses import replace

import numpy as np
import pytest
from kfgn_conformance.diagnosis import MISTAKES
from kfgn_conformance.diagnosis.textbook import Textbook
from kfgn_conformance.problems.cases import cases
from kfgn_conformance.problems.fixed import fixed

PROBLEMS = [cases()[0], *(problem for problem in fixed() if problem.id == "shape-some-biases-bernoulli")]


def with_biases(problem, weights):
    """eta |theta|^2 / 2."""
    return problem.arguments.eta / 2 * sum(np.sum(W**2) for W in weights)


def without_biases(problem, weights):
    """The L2 term of the weights that are not biases."""
    kernels = [W[:, :-1] if layer.bias else W for layer, W in zip(problem.weighted, weights, strict=True)]
    return with_biases(problem, kernels)


L2_TERMS = {
    "penalty-forgotten-in-the-loss": lambda problem, weights: 0.0,
    "penalty-without-its-half": lambda problem, weights: 2 * with_biases(problem, weights),
    "penalty-forgotten-in-the-gradient": with_biases,
    "penalty-without-biases": without_biases,
}
"""The L2 term of f by the docstring of each mistake."""


def of_gradient(name, problem, l):
    """The L2 term of layer l of the gradient by the docstring of a mistake."""
    W = problem.weights[l - 1]
    if name == "penalty-forgotten-in-the-gradient":
        return 0 * W
    if name == "penalty-without-biases" and problem.weighted[l - 1].bias:
        W = np.column_stack([W[:, :-1], np.zeros(len(W))])
    return problem.arguments.eta * W


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.id)
@pytest.mark.parametrize("name", L2_TERMS)
def test_a_mistake_changes_what_its_description_says(name, problem):
    assert problem.arguments.eta > 0
    mistaken = MISTAKES[name].textbook(problem)
    moved = [W + V for W, V in zip(problem.weights, problem.arguments.direction, strict=True)]
    assert np.isclose(mistaken.regularised_loss(), f(name, problem, problem.weights), rtol=1e-13)
    assert np.isclose(mistaken.regularised_loss(dict(enumerate(moved, start=1))), f(name, problem, moved), rtol=1e-13)
    gradient = Textbook(problem).gradient()
    for l, g in mistaken.regularised_gradient().items():
        np.testing.assert_allclose(g, gradient[l] + of_gradient(name, problem, l), rtol=1e-13, atol=1e-15)


def f(name, problem, weights):
    """The mean of E at some weights, plus the L2 term by the docstring of a mistake."""
    return Textbook(replace(problem, weights=tuple(weights))).loss() + L2_TERMS[name](problem, weights)
