"""Problems for the tests of Algorithm 1."""

import itertools

import kfgn_reference as ref
import numpy as np

GAMMA, TAU, ETA = 0.7, 0.2, 0.05


def problem(objective, psd="project", widths=(4, 5, 2, 3), transfers=("tanh", "softplus"), N=5, seed=1):
    rng = np.random.default_rng(seed)
    shapes = [(width, below + 1) for below, width in itertools.pairwise(widths)]
    net = ref.Network(tuple(rng.normal(size=shape) for shape in shapes), transfers, objective, psd)
    D = widths[-1]
    Y = {
        "squared_error": rng.normal(size=(N, D)),
        "bernoulli": rng.uniform(size=(N, D)),
        "categorical": rng.integers(D, size=N),
        "mixture": np.arange(N) % 2,
    }[objective]
    return net, rng.normal(size=(N, widths[0])), Y
