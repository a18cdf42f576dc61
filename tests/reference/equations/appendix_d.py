"""Datapoints for Appendix D, with log p(y | h_L) by torch.distributions and derivatives by torch.func.

Every label is enumerated with its probability. For the normal distribution the labels are the three nodes of
Gauss-Hermite quadrature per output. On rationals the Jacobian is an exact difference quotient, and J^T J is the Fisher
matrix.
"""

import itertools

import numpy as np
import pytest

torch = pytest.importorskip("torch")


TINY = 1e-12


APART = 1e-2


NATURAL = ("squared_error", "bernoulli", "categorical")


CASES = (
    ("squared_error", ("tanh",), "raise"),
    ("bernoulli", ("softplus",), "raise"),
    ("categorical", ("relu", "logistic"), "raise"),
    ("mixture", ("tanh",), "project"),
    ("mixture", ("softplus",), "scalar"),
)


def log_p(objective, h, Y):
    """log p(y | h_L = h) for each of the K labels in Y, (K,)."""
    d, y = torch.distributions, torch.tensor(np.asarray(Y))
    if objective == "squared_error":
        model = d.Independent(d.Normal(h, torch.ones_like(h), validate_args=False), 1, validate_args=False)
    elif objective == "bernoulli":  # the labels of the data may be between 0 and 1
        model = d.Independent(d.Bernoulli(logits=h, validate_args=False), 1, validate_args=False)
    elif objective == "categorical":
        model = d.Categorical(logits=h, validate_args=False)
    else:
        which = d.Categorical(logits=torch.stack([h[0], 0 * h[0]]), validate_args=False)
        model = d.MixtureSameFamily(which, d.Bernoulli(logits=h[1:], validate_args=False), validate_args=False)
        y = y.to(h.dtype)
    return model.log_prob(y)


def all_labels(objective, h):
    """All labels y and p(y | h_L = h); for the normal distribution nodes and weights, exact to degree 5 in y_i."""
    if objective == "squared_error":
        nodes, weights = np.polynomial.hermite_e.hermegauss(3)
        Y = [h + np.array(z) for z in itertools.product(nodes, repeat=len(h))]
        p = [np.prod(w) for w in itertools.product(weights / np.sum(weights), repeat=len(h))]
    elif objective == "bernoulli":
        p_1 = 1 / (1 + np.exp(-h))
        Y = [np.array(y, dtype=float) for y in itertools.product((0, 1), repeat=len(h))]
        p = [np.prod(np.where(y == 1, p_1, 1 - p_1)) for y in Y]
    elif objective == "categorical":
        Y, p = range(len(h)), np.exp(h) / np.sum(np.exp(h))
    else:
        s, A, C = 1 / (1 + np.exp(-h))
        Y, p = (0, 1), (s * (1 - A) + (1 - s) * (1 - C), s * A + (1 - s) * C)
    return np.array(Y), np.array(p)


class Datapoint:
    """Quantities of one datapoint x by PyTorch. `scores` has one row per label of the model.

    h_L, x         arrays
    Y, p           the labels of the model and their probabilities
    J, J_l         dh_L/dtheta and dh_L/dh_l
    scores         grad log p with respect to theta, and by layer to h_l
    """

    def __init__(self, autodiff, net, x):
        self.objective, self.x, self.at, self.output = net.objective, x, autodiff.theta(net), autodiff.output(net, x)
        self.h = autodiff.preactivation(net, x)
        self.h_L = self.h[net.L].numpy()
        self.Y, self.p = all_labels(net.objective, self.h_L)
        self.J = autodiff.jacobian(self.output, self.at)
        self.J_l = {l: autodiff.jacobian(autodiff.onward(net, l), h) for l, h in self.h.items()}
        self.scores = autodiff.jacobian(lambda at: log_p(net.objective, self.output(at), self.Y), self.at)
        self.scores_l = {
            l: autodiff.jacobian(lambda h, l=l: log_p(net.objective, autodiff.onward(net, l)(h), self.Y), h)
            for l, h in self.h.items()
        }

    def over_labels(self, left, right):
        """sum_y p(y) left_y right_y^T."""
        return np.einsum("k,ki,kj->ij", self.p, left, right)

    def mean_log_p(self, h):
        """sum_y p(y) log p(y | h) with constant probabilities p(y)."""
        return torch.tensor(self.p) @ log_p(self.objective, h, self.Y)


class Case:
    """A problem, its datapoints, and the Fisher matrix of each datapoint as a sum over all labels."""

    def __init__(self, autodiff, problem):
        self.problem, self.net, self.natural = problem, problem.net, problem.net.objective in NATURAL
        self.datapoints = [Datapoint(autodiff, problem.net, x) for x in problem.X]
        self.fishers = [d.over_labels(d.scores, d.scores) for d in self.datapoints]

    def mean(self, f):
        return sum(f(d) for d in self.datapoints) / len(self.datapoints)

    def means(self, f):
        """The mean of f(datapoint, l) for each layer l."""
        return {l: self.mean(lambda d, l=l: f(d, l)) for l in self.problem.layers}

    @property
    def fisher(self):
        return sum(self.fishers) / len(self.fishers)


class Exact:
    """A rational, piecewise linear problem with squared error, and the exact J of each datapoint."""

    def __init__(self, problem, difference_quotient):
        self.problem, self.net = problem, problem.net
        self.entries = [
            (l, a, b) for l, W in enumerate(self.net.weights, 1) for b in range(W.shape[1]) for a in range(len(W))
        ]
        self.J = [
            np.stack([difference_quotient(self.net, x, None, entry) for entry in self.entries], axis=1)
            for x in problem.X
        ]
        self.fisher = sum(J.T @ J for J in self.J) / len(self.J)

    def bias(self, l):
        """The positions in theta of the bias of W_l. The bias shifts h_l, so these columns of J are dh_L/dh_l."""
        unit = self.net.weights[l - 1].shape[1] - 1
        return [i for i, (m, _, b) in enumerate(self.entries) if (m, b) == (l, unit)]

    @property
    def factors(self):
        """E[script G_l] of each layer, with H_L = I."""
        return {l: self.fisher[np.ix_(self.bias(l), self.bias(l))] for l in self.problem.layers}


def one_input(problem):
    """The problem with one input and two outputs, since the Hessians at all four labels are needed."""
    weights = (problem.net.weights[0][:, [0, -1]], problem.net.weights[1][:2])
    return problem._replace(net=problem.net._replace(weights=weights), X=problem.X[:, :1], Y=problem.Y[:, :2])


def blocks(net, M):
    """The blocks of M between vec(W_l) and vec(W_m), keyed (l, m)."""
    ends = np.cumsum([0, *[W.size for W in net.weights]])
    slices = {l: slice(i, j) for l, (i, j) in enumerate(itertools.pairwise(ends), 1)}
    return {(l, m): M[slices[l], slices[m]] for l in slices for m in slices}
