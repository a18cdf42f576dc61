"""The start of every recursion: the loss of all positions of the outputs, its derivatives, and a root of its Hessian.

The loss of a datapoint is 1/divisor sum_t E(h_t, y_t), so its Hessian has one block H_t / divisor for each position t,
and is 0 between positions.

>>> import numpy as np
>>> from kfgn_reference.shared_weights import Dense, Network
>>> from kfgn_reference.shared_weights._outputs import output_root
>>> net = Network((Dense(np.eye(1), bias=False),), "squared_error", divisor=4)
>>> output_root(net, np.array([[5.0, 6.0]]), np.array([[0.0], [0.0]])).tolist()
[[0.5, 0.0], [0.0, 0.5]]
"""

import functools
import math
import operator
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from .. import _network as paper, _outputs as paper_outputs
from .._arithmetic import rational, times_fraction
from .._expectation import mean
from .._objectives import OBJECTIVES
from .._types import Array
from ._batch import Datapoints, datapoints
from ._network import Network, forward
from ._positions import block_diagonal, vec


def at_positions(h: Array, y: Any) -> list[tuple[Array, Any]]:
    """The pairs (h_t, y_t) at the T_L positions of an output h (D_L, *positions), for a label y (*positions, ...)."""
    if h.ndim == 1:
        return [(h, y)]
    return [pair for i, y_i in enumerate(y) for pair in at_positions(h[:, i], y_i)]


def sample_loss(net: Network, h: Array, y: Any) -> Any:
    """E = 1/divisor sum_t E(h_t, y_t), a scalar, for one datapoint with outputs h = h_L (D_L, *positions)."""
    value = OBJECTIVES[net.objective].value
    total = functools.reduce(operator.add, (value(h_t, y_t) for h_t, y_t in at_positions(h, y)))
    return divided(net, total)


def loss(net: Network, X: Datapoints, Y: Datapoints) -> Any:
    """The expected loss: `sample_loss` averaged over the N datapoints of X (N, C_0, *positions)."""
    return mean(sample_loss(net, forward(net, x)[net.L], y) for x, y in datapoints(net, X, Y))


def output_gradient(net: Network, h: Array, y: Any) -> Array:
    """dE/dh_L (D_L, *positions), for one datapoint."""
    gradient = OBJECTIVES[net.objective].gradient
    columns = [gradient(h_t, y_t) for h_t, y_t in at_positions(h, y)]
    return divided(net, np.stack(columns, axis=1)).reshape(h.shape)


def output_hessian(net: Network, h: Array, y: Any) -> Array:
    """script H_L = d^2 E / dvec(h_L)^2 (D_L T_L, D_L T_L), for one datapoint."""
    hessian = OBJECTIVES[net.objective].hessian
    return divided(net, block_diagonal([hessian(h_t, y_t) for h_t, y_t in at_positions(h, y)]))


def output_gauss_newton(net: Network, h: Array, y: Any) -> Array:
    """script G_L (D_L T_L, D_L T_L): script H_L, where the replacement named `net.psd` replaces an indefinite H_t."""
    outputs = objective_of(net)
    blocks = [paper_outputs.output_gauss_newton(outputs, h_t, y_t) for h_t, y_t in at_positions(h, y)]
    return divided(net, block_diagonal(blocks))


def output_root(net: Network, h: Array, y: Any) -> Array:
    """C_L (D_L T_L, k T_L) with C_L C_L^T = script G_L, block diagonal with a root (D_L, k) for each position."""
    outputs = objective_of(net)
    roots = [paper_outputs.output_root(outputs, h_t, y_t) for h_t, y_t in at_positions(h, y)]
    places = np.eye(len(roots), dtype=bool)
    columns = [np.kron(places[:, t : t + 1], root) for t, root in enumerate(roots)]
    return np.concatenate(columns, axis=1) / square_root(net.divisor, h.reshape(-1)[0])


def sampled_output_root(net: Network, h: Array, labels: Sequence[Any]) -> Array:
    """C_L (D_L T_L, S): column s is the vector of all dE_t/dh_t at sample s of the labels, over sqrt(divisor S).

    E_t is the loss of position t without the divisor. The gradients of different positions are uncorrelated and have
    the mean 0. For every objective except the mixture, the expectation of C_L C_L^T over labels of the model is
    therefore script H_L. The gradient of E itself has the divisor, so its outer product would have the divisor squared.
    """
    whole = net._replace(divisor=1)
    columns = [vec(output_gradient(whole, h, y)) for y in labels]
    return np.stack(columns, axis=1) / square_root(net.divisor * len(labels), h.reshape(-1)[0])


def objective_of(net: Network) -> paper.Network:
    """A network of the paper with the objective and the `psd` of `net`. Only these two fields are read."""
    return paper.Network((), (), net.objective, net.psd)


def divided(net: Network, value: Any) -> Any:
    """A value divided by the divisor of the loss."""
    return times_fraction(value, net.divisor.denominator, net.divisor.numerator)


def square_root(number: int | Fraction, like: Any) -> Any:
    """sqrt(number) in the arithmetic of `like`. A rational root needs no `np.sqrt`, which rejects fractions."""
    roots = math.isqrt(number.numerator), math.isqrt(number.denominator)
    if (roots[0] ** 2, roots[1] ** 2) == (number.numerator, number.denominator):
        return rational(*roots, like)
    return np.sqrt(rational(number.numerator, number.denominator, like))
