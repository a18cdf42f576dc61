"""FOOF: the factor of the inputs alone (Benzing, 2022).

>>> from kfgn_reference.shared_weights import foof, pairs
>>> from kfgn_reference.shared_weights._example import X, Y, net
>>> foof(pairs(net, X, Y)[1, 1]).G.tolist()
[[1.0]]
"""

from .._arithmetic import diagonal, one
from ._expand import expand
from ._factors import Factors
from ._pairs import Batch


def foof(batch: Batch) -> Factors:
    """Q = 1/(N T) sum_n sum_t a_nt a_nt^T (I, I), as in `expand`,    G = I (O, O)."""
    return Factors(expand(batch).Q, diagonal(one(batch[0].C[0, :, 0])))
