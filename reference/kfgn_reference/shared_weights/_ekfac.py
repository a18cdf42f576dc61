"""EKFAC: the eigenbases of Kronecker factors, and the diagonal of the exact block in these bases (George et al., 2018).

For given bases, the diagonal is a rational function of the pairs and the bases. The bases themselves are unique, up to
signs, only if both factors have simple eigenvalues. To compare implementations, compare the diagonal for given bases,
or choose a problem whose factors have simple eigenvalues.

>>> import numpy as np
>>> from kfgn_reference.shared_weights import ekfac_diagonal, pairs
>>> from kfgn_reference.shared_weights._example import X, Y, net
>>> ekfac_diagonal(pairs(net, X, Y)[1, 1], np.eye(3), np.eye(1)).tolist()
[[97.0, 26.5, 6.5]]
"""

import numpy as np

from .._expectation import mean
from .._spectral import eigh
from .._types import Array
from .._vectors import unvec, vec
from ._exact import weight_roots
from ._expand import expand
from ._factors import Factors
from ._pairs import Batch


def ekfac_diagonal(batch: Batch, U_Q: Array, U_G: Array) -> Array:
    """S = 1/N sum_n sum_c (U_G^T P_nc U_Q)^2 (O, I), with the elementwise square and P_nc = sum_t C_ntc a_nt^T.

    vec(S) is the diagonal of U^T F U for the exact block F and U = U_Q kron U_G. The sum over t is inside the square.
    U_Q (I, I) and U_G (O, O) are orthogonal.
    """
    U = np.kron(U_Q, U_G)
    rotated = (U.T @ weight_roots(datapoint) for datapoint in batch)
    return unvec(mean((g * g).sum(axis=1) for g in rotated), len(U_G))


def ekfac_block(S: Array, U_Q: Array, U_G: Array) -> Array:
    """U diag(vec S) U^T, (I O, I O), with U = U_Q kron U_G."""
    U = np.kron(U_Q, U_G)
    return (U * vec(S)) @ U.T


def eigenbases(factors: Factors) -> tuple[Array, Array]:
    """U_Q (I, I) and U_G (O, O), the eigenvectors of both factors as columns, by ascending eigenvalues."""
    return eigh(factors.Q)[1], eigh(factors.G)[1]


def ekfac(batch: Batch) -> Array:
    """U diag(vec S) U^T, (I O, I O), with S of `ekfac_diagonal` and the eigenbases of the factors of `expand`.

    The trace is that of the exact block F. Of all matrices that are diagonal in these bases, this block is the nearest
    to F in the Frobenius norm. The block of `expand` is one of these matrices.
    """
    U_Q, U_G = eigenbases(expand(batch))
    return ekfac_block(ekfac_diagonal(batch, U_Q, U_G), U_Q, U_G)
