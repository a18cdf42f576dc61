"""Networks, batches and runs for the tests of the optimiser."""

import itertools

import kfgn_reference as ref
import numpy as np

TAU, GAMMA, ETA = 0.6, 0.3, 0.02


OBJECTIVES = (
    ("squared_error", "project"),
    ("bernoulli", "project"),
    ("categorical", "project"),
    ("mixture", "project"),
    ("mixture", "scalar"),
)


METHODS = ("kflr", "kfra", "kfac", "rp")


WIDTHS = (2, 4, 3)


N, S = 4, 2


def network(objective, psd="project", transfers=("tanh",), widths=WIDTHS, seed=1):
    rng = np.random.default_rng(seed)
    shapes = [(width, below + 1) for below, width in itertools.pairwise(widths)]
    return ref.Network(tuple(rng.normal(size=shape) for shape in shapes), transfers, objective, psd)


def batches(net, method, count, seed=2):
    """New data and new draws for each step."""
    rng = np.random.default_rng(seed)
    D, K = len(net.weights[-1]), 1 if (net.objective, net.psd) == ("mixture", "scalar") else len(net.weights[-1])
    for _ in range(count):
        Y = {
            "squared_error": rng.normal(size=(N, D)),
            "bernoulli": rng.uniform(size=(N, D)),
            "categorical": rng.integers(D, size=N),
            "mixture": rng.permutation(N) % 2,
        }[net.objective]
        draws = None
        if method == "rp":
            draws = rng.normal(size=(N, S, K))
        elif method == "kfac" and net.objective == "squared_error":
            draws = rng.normal(size=(N, S, D))
        elif method == "kfac":
            draws = rng.uniform(size=(N, S, D) if net.objective == "bernoulli" else (N, S))
        yield rng.normal(size=(N, WIDTHS[0])), Y, draws


def second_factor(method, net, X, Y, draws):
    """The second factor of a batch by the function of the method."""
    if method == "kfac":
        return ref.kfac(net, X, ref.draw_labels(net, X, draws))
    return ref.rp(net, X, Y, draws) if method == "rp" else {"kflr": ref.kflr, "kfra": ref.kfra}[method](net, X, Y)


def run(settings, net, count, tau=TAU, gamma=GAMMA, seed=2):
    """The batches, the states before and after each step, and the info of each step."""
    data = list(batches(net, settings.method, count, seed))
    start = ref.initial_state(net, tau, gamma)
    done = ref.trajectory(settings, start, data)
    return data, [start, *(state for state, _ in done)], [info for _, info in done]


def by_layer(net):
    return dict(enumerate(net.weights, start=1))
