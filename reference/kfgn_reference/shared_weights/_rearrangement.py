"""Van Loan's rearrangement, which turns Kronecker products into matrices of rank 1 (Van Loan and Pitsianis, 1993).

>>> import numpy as np
>>> from kfgn_reference.shared_weights import rearranged
>>> Q, G = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[5.0]])
>>> rearranged(np.kron(Q, G), 2).tolist()
[[5.0], [15.0], [10.0], [20.0]]
"""

from .._types import Array


def rearranged(F: Array, I: int) -> Array:
    """R (I I, O O) of F (I O, I O), with R = vec(Q) vec(G)^T if F = Q kron G.

    Row (j, i) of R has the block F[i, j] (O, O) of F as a vector. The map from F to R is linear and keeps the Frobenius
    norm, so it turns the Kronecker product nearest to F into the matrix of rank 1 nearest to R.
    """
    O = len(F) // I
    return F.reshape(I, O, I, O).transpose(2, 0, 3, 1).reshape(I * I, O * O)
