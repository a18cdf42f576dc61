"""Networks with layers that have no bias."""

import itertools

import kfgn_reference as ref
import numpy as np

BIASES = [(True, False, True), (False, True, False), (False, False, False)]
TRANSFERS = (("leaky_relu", 0.01), "tanh")
WIDTHS = (2, 5, 4, 3)


def network(objective, biases, transfers=TRANSFERS, N=4, seed=1):
    rng = np.random.default_rng(seed)
    shapes = [(above, below + bias) for (below, above), bias in zip(itertools.pairwise(WIDTHS), biases, strict=True)]
    weights = tuple(rng.normal(size=shape) for shape in shapes)
    X = rng.normal(size=(N, WIDTHS[0]))
    Y = rng.normal(size=(N, WIDTHS[-1])) if objective == "squared_error" else np.arange(N) % WIDTHS[-1]
    return ref.Network(weights, transfers, objective, biases=biases), X, Y
