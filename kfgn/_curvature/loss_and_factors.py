"""The result of the methods that compute Kronecker factors."""

from typing import NamedTuple

from .._documentation import documented_tuple, with_shared_text
from .._linearisation.linearisation import Linearisation
from .._types import Array, Arrays


@documented_tuple
@with_shared_text
class LossAndFactors(NamedTuple):
    """The mean loss of a batch, its gradient and its Kronecker factors.

    `kflr`, `kfra`, `kfac`, `rp`, `tkfac`, `tnt`, `kfoc` and `foof` return a `LossAndFactors`. The Gauss-Newton block of
    vec(W_l), where vec stacks columns, is approximated by Q_l kron G_l, equation (20). A `LossAndFactors` is a named
    tuple of arrays, and so a pytree for JAX and PyTorch.

    Attributes
    ----------
    loss : array, shape ()
        The mean loss.
    gradient : tuple of L arrays
        dE/dW_l, equation (3), in the shapes of the weights.
    Q : tuple of L arrays
        E[Q_l], equation (21), of shape (D_{l-1} + 1, D_{l-1} + 1) with the appended unit in the last row and column, or
        (D_{l-1}, D_{l-1}) for a layer without a bias. For a convolution, the number of elements of a patch replaces
        D_{l-1}. `tkfac`, `tnt` and `kfoc` define their own Q_l.
    G : tuple of L arrays
        E[G_l] of shape (D_l, D_l). In a network without positions, E[G_l] is exact from `kflr`. E[G_l] is approximate
        from `kfra`, `kfac` and `rp`. `tkfac`, `tnt`, `kfoc` and `foof` define their own G_l. For a layer with groups,
        both tuples have an array for each group, and G_l has shape (D_l / groups, D_l / groups). For a `ScaleShift`,
        Q_l has shape (1, 1), and G_l has the shape of the block of vec(W_l).

    Examples
    --------
    {example}
    >>> result = kfgn.kfra(network, weights, X, Y)
    >>> [A.shape for A in result.Q], [A.shape for A in result.G]
    ([(3, 3), (4, 4)], [(3, 3), (2, 2)])
    """

    loss: Array
    gradient: Arrays
    Q: Arrays
    G: Arrays


def loss_and_factors(at: Linearisation, dE_dh: Arrays, G: Arrays, sharing: str = "expand") -> LossAndFactors:
    """Return a `LossAndFactors` with the given G_l, and with the gradient from dE/dh_l (N T_l, D_l)."""
    return LossAndFactors(loss=at.loss(), gradient=at.mean_gradient(dE_dh), Q=at.input_moments(sharing), G=G)
