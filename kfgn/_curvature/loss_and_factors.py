"""The result of KFLR, KFRA, KFAC and random projections."""

from typing import NamedTuple

from .._linearisation.linearisation import Linearisation
from .._types import Array, Arrays


class LossAndFactors(NamedTuple):
    """The loss, its gradient and the Kronecker factors of a batch, all of them means over its N datapoints.

    loss:     0-d
    gradient: dE/dW_l (D_l, D_{l-1} + 1), equation (3)
    Q:        E[Q_l] (D_{l-1} + 1, D_{l-1} + 1), equation (21), the unit in the last row and column
    G:        E[G_l] (D_l, D_l), by the method that was called

    The Gauss-Newton block of vec(W_l), columns stacked, is approximated by Q_l kron G_l, equation (20).
    A tuple of arrays, so a pytree to JAX and PyTorch.
    """

    loss: Array
    gradient: Arrays
    Q: Arrays
    G: Arrays


def loss_and_factors(at: Linearisation, dE_dh: Arrays, G: Arrays) -> LossAndFactors:
    """The result with a second factor G, from dE/dh_l (N, D_l) at the targets of the batch."""
    return LossAndFactors(loss=at.loss(), gradient=at.mean_gradient(dE_dh), Q=at.input_moments(), G=G)
