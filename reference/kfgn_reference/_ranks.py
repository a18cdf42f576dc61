"""Section 6 and Appendix E: the rank of the Monte-Carlo Gauss-Newton matrix, (63) and (64).

Ranks are computed by `rank` of `_linear_algebra`, which needs exact arithmetic.

>>> from kfgn_reference import mean_ranks
>>> from kfgn_reference._example import X, Y, net
>>> mean_ranks(net, X, Y)
(2, 2)
"""

from typing import Any

from ._batch import datapoints
from ._gauss_newton import gauss_newton, sample_gauss_newton
from ._linear_algebra import rank
from ._network import Network, forward
from ._outputs import output_gauss_newton
from ._types import Array


def sample_ranks(net: Network, x: Array, y: Any) -> tuple[int, int]:
    """Equation (63): rank(G) and its bound rank(H_L), of one datapoint."""
    H_L = output_gauss_newton(net, forward(net, x)[1][net.L], y)
    return rank(sample_gauss_newton(net, x, y)), rank(H_L)


def mean_ranks(net: Network, X: Array, Y: Array) -> tuple[int, int]:
    """Equation (64): rank(1/N sum_n G_n) and its bound, the sum of the N ranks of H_L.

    Misprint: the text applies the bound to the curvature matrix of the optimiser. The bound holds for the mean (64) and
    for the factor G of KFLR. For the factor G of KFAC, the bound is N S. There is no such bound for Q kron G, whose
    rank is the product of the ranks of Q and G, nor for the G of KFRA.
    """
    bound = sum(rank(output_gauss_newton(net, forward(net, x)[1][net.L], y)) for x, y in datapoints(net, X, Y))
    return rank(gauss_newton(net, X, Y)), bound
