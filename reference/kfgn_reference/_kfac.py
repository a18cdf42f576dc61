"""Appendix D.3: KFAC, the second factor from labels sampled from the model, equation (59).

>>> import numpy as np
>>> from kfgn_reference import draw_labels, kfac
>>> from kfgn_reference._example import X, net
>>> normals = np.array([[[1.0], [-1.0]], [[1.0], [-1.0]]])
>>> kfac(net, X, draw_labels(net, X, normals))[1].tolist()
[[0.5, -1.0], [-1.0, 4.0]]
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ._batch import check_shape, inputs, labelled, samples
from ._expectation import expectation
from ._gradient import backpropagate
from ._network import Network, forward
from ._objectives import OBJECTIVES
from ._types import Array, PerLayer


def draw_labels(net: Network, X: Array, draws: Array) -> list[list[Any]]:
    """S labels y ~ p_theta(y | x) per datapoint, from given draws.

    draws: (N, S, D_L) standard normals for the squared error, (N, S, D_L) uniforms for Bernoulli,
    (N, S) uniforms for the categorical objective and the mixture. Returns N lists of S labels.

    Gap: the paper does not define the p_theta(x, y) of (47) and (59). Only y is sampled; x is data.
    """
    sample = OBJECTIVES[net.objective].sample
    rows = inputs(net, X)
    check_shape(net, "draws", np.shape(draws), samples("draws", draws, rows))
    outputs = (forward(net, x)[1][net.L] for x in rows)
    return [[sample(h_L, draw) for draw in row] for h_L, row in zip(outputs, draws, strict=True)]


def kfac(net: Network, X: Array, labels: Sequence[Sequence[Any]] | Array) -> PerLayer:
    """Equation (59): E[script G_l] ~ 1/(N S) sum_n sum_s dE/dh_l dE/dh_l^T at sampled labels, (D_l, D_l).

    labels: S labels per datapoint, from `draw_labels`. With the labels of the data, the result would be a factor of the
    empirical Fisher matrix, which differs from the Fisher matrix.
    """
    gradients = (backpropagate(net, x, y) for x, y in labelled(net, X, labels))
    return expectation({l: np.outer(d[l], d[l]) for l in d} for d in gradients)
