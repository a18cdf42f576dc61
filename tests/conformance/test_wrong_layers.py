"""Implementations that use an array of a wrong layer. Most of them answer only where the layers have equal widths."""

import numpy as np
import pytest
from kfgn_conformance import Status, UnsupportedError, check
from kfgn_conformance.problems.fixed import fixed

SQUARE = "shape-square-layers-categorical"


def softmax_gradients(problem, swap):
    """E[dE/dh_l dE/dh_l^T] and dE/dW_l of softmax networks with tanh, without a guard for wrong shapes.

    swap: a function of the lists [f'_1, ..., f'_{L-1}] and [W_2, ..., W_L], which are used from their ends
    """
    if problem.objective != "categorical" or set(problem.transfers) != {"tanh"}:
        raise UnsupportedError("only tanh and softmax")
    if not all(layer.bias for layer in problem.layers):
        raise UnsupportedError("only layers with a bias")
    a, h = [problem.X], []
    for W in problem.weights:
        h.append(a[-1] @ W[:, :-1].T + W[:, -1])
        a.append(np.tanh(h[-1]))
    slopes, weights = swap([1 - z**2 for z in a[1:-1]], [W[:, :-1] for W in problem.weights[1:]], h, problem)
    p = np.exp(h[-1] - h[-1].max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    g = p - np.eye(p.shape[1])[problem.Y.astype(int).ravel()]
    gradients = [g]
    for s, W in zip(slopes[::-1], weights[::-1], strict=True):
        g = (g @ W) * s
        gradients.insert(0, g)
    ones = np.ones((problem.N, 1))
    return [g.T @ np.hstack([z, ones]) / problem.N for g, z in zip(gradients, a[:-1], strict=True)]


def derivative(h):
    return 1 - np.tanh(h) ** 2


MISTAKES = {
    "slope-of-the-layer-above": lambda s, W, h, p: ([*s[1:], s[-1]], W),
    "slope-of-the-layer-below": lambda s, W, h, p: ([s[0], *s[:-1]], W),
    "slopes-reversed": lambda s, W, h, p: (s[::-1], W),
    "slope-at-the-outputs-above": lambda s, W, h, p: ([derivative(x) for x in h[1:]], W),
    "slope-at-the-inputs-below": lambda s, W, h, p: ([derivative(x) for x in (p.X, *h[:-2])], W),
    "weights-of-the-layer-above": lambda s, W, h, p: (s, [*W[1:], W[-1]]),
    "weights-of-the-layer-below": lambda s, W, h, p: (s, [p.weights[0][:, :-1], *W[:-1]]),
    "weights-reversed": lambda s, W, h, p: (s, W[::-1]),
    "weights-from-the-first": lambda s, W, h, p: (s, [w[:, :-1] for w in p.weights[:-1]][::-1]),
    "weights-transposed": lambda s, W, h, p: (s, [w.T if w.shape[0] == w.shape[1] else w for w in W]),
}
"""The swapped lists of derivatives and weights of each mistake."""


def test_the_implementation_is_right_without_a_mistake():
    assert check("gradient", lambda p: softmax_gradients(p, lambda s, W, h, p: (s, W))).passed


@pytest.mark.parametrize("name", MISTAKES)
def test_an_array_of_a_wrong_layer_is_named(name):
    """The mistake raises an error on most problems, and is named by the others."""
    result = check("gradient", lambda p: softmax_gradients(p, MISTAKES[name]))
    assert not result.passed
    assert result.mistakes == (name,)


def test_a_reversed_answer_is_named():
    """The shapes are wrong, except where all layers have the same shape."""
    result = check("gradient", lambda p: softmax_gradients(p, lambda s, W, h, p: (s, W))[::-1])
    assert result.mistakes == ("layers-reversed",)


def test_the_mistakes_of_the_square_problem_alone():
    """A mistake that shows on one problem only has its name there."""
    square = [problem for problem in fixed() if problem.id == SQUARE]
    result = check("gradient", lambda p: softmax_gradients(p, MISTAKES["weights-transposed"]), problems=square)
    assert result.report.cells[0].status is Status.FAIL
    assert result.mistakes == ("weights-transposed",)


@pytest.mark.parametrize("name", ["bias-forgotten", "bias-not-added"])
def test_the_two_ways_to_forget_a_bias(name):
    """The bias is not added, and the appended input of Q is 0 or stays 1."""
    unit = 0.0 if name == "bias-forgotten" else 1.0

    def q(problem):
        if set(problem.transfers) != {"tanh"} or not all(layer.bias for layer in problem.layers):
            raise UnsupportedError("only tanh, and layers with a bias")
        x, Q = problem.X, []
        for W in problem.weights:
            a = np.hstack([x, np.full((problem.N, 1), unit)])
            Q.append(a.T @ a / problem.N)
            x = np.tanh(x @ W[:, :-1].T)
        return Q

    assert check("q", q).mistakes == (name,)
