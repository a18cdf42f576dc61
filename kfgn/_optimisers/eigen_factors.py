"""The arrays that EKFAC keeps between steps: averaged factors, their eigenvectors, and averaged eigenvalues."""

from typing import NamedTuple

from .._documentation import documented_tuple
from .._types import Array, Arrays
from ..backends import matmul


@documented_tuple
class EigenFactors(NamedTuple):
    """The averaged curvature of a run with `EigenvalueCorrected`.

    Attributes
    ----------
    count : Array
        The number of batches in the averages of Q_l and G_l, a 0-d integer array.
    Q : tuple of Array
        The averages of Q_l. For a dense layer, the shape is (D_{l-1} + 1, D_{l-1} + 1), or (D_{l-1}, D_{l-1}) without a
        bias.
    G : tuple of Array
        The averages of G_l. For a dense layer, the shape is (D_l, D_l). A layer with groups has an array for each
        group in all fields that are tuples.
    U_Q, U_G : tuple of Array
        The eigenvectors of the averages Q and G, as columns. While `count` is 0, each matrix is the identity.
    batches : Array
        The number of batches in the averages S, a 0-d integer array. While `batches` is 0, S has no meaning.
    S : tuple of Array
        The averaged diagonals of the blocks in the basis U_Q kron U_G. For a dense layer, the shape is that of W_l.

    Examples
    --------
    >>> import numpy as np
    >>> import kfgn
    >>> optimiser = kfgn.GaussNewton(kfgn.Network.dense((2, 3, 1), ("tanh",), "squared_error"), "ekfac")
    >>> factors = optimiser.init((np.ones((3, 3)), np.ones((1, 4)))).factors
    >>> int(factors.batches), [S.shape for S in factors.S]
    (0, [(3, 3), (1, 4)])
    """

    count: Array
    Q: Arrays
    G: Arrays
    U_Q: Arrays
    U_G: Arrays
    batches: Array
    S: Arrays


def in_new_basis(S: Array, old: tuple[Array, Array], new: tuple[Array, Array]) -> Array:
    """The diagonal of U diag(vec S) U^T in a new basis, as (D, P), where U is U_Q kron U_G of the old basis.

    The sum of all elements stays the same. If the new basis has the old vectors in a different order and with different
    signs, the elements have the new order.

    old, new: U_Q (P, P) and U_G (D, D) of each basis
    """
    (U_Q, U_G), (V_Q, V_G) = old, new
    cosines_Q, cosines_G = matmul(V_Q.T, U_Q), matmul(V_G.T, U_G)
    return matmul(matmul(cosines_G * cosines_G, S), (cosines_Q * cosines_Q).T)
