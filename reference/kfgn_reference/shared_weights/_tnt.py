"""TNT: the covariances of the rows and of the columns of the gradient of W (Ren and Goldfarb, 2021).

The paper of TNT has gradients at sampled labels. Here the columns of the roots replace these gradients. The pairs of
`sampled_pairs` give the estimate of that paper, and the pairs of `pairs` need no sampling.

>>> from kfgn_reference.shared_weights import pairs, tnt
>>> from kfgn_reference.shared_weights._example import X, Y, net
>>> float(tnt(pairs(net, X, Y)[1, 1]).block.trace())
130.0
"""

from .._expectation import mean
from .._linear_algebra import trace
from .._types import Array
from ._exact import weight_roots
from ._factors import Factors
from ._pairs import Batch, Pairs


def tnt(batch: Batch) -> Factors:
    """Q = 1/N sum_n sum_c P_nc^T P_nc (I, I),    G = 1/N sum_n sum_c P_nc P_nc^T / tr Q (O, O).

    P_nc = sum_t C_ntc a_nt^T (O, I) is summed over positions before it is squared. The trace of Q kron G is the trace
    of the exact block for every T. For T = 1 the factors are those of `tkfac`. Raises `ZeroDivisionError` if tr Q is 0
    and the arithmetic is exact.
    """
    by_input, by_output = zip(*map(unfolded, batch), strict=True)
    Q, G = (mean(P @ P.T for P in matrices) for matrices in (by_input, by_output))
    return Factors(Q, G / trace(Q))


def unfolded(datapoint: Pairs) -> tuple[Array, Array]:
    """The columns of all matrices P_c^T of a datapoint, (I, O K), and the columns of all matrices P_c, (O, I K)."""
    _, O, K = datapoint.C.shape
    P = weight_roots(datapoint).reshape(-1, O, K)
    return P.reshape(len(P), -1), P.swapaxes(0, 1).reshape(O, -1)
