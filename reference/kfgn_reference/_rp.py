"""The second factor from random projections of the root of H_L, a method that is not in the paper.

The authors' released code contains this method. Like KFAC, the method is a Monte Carlo estimate, but it needs no
distribution p(y | h_L).

>>> import numpy as np
>>> from kfgn_reference import rp
>>> from kfgn_reference._example import X, Y, net
>>> rp(net, X, Y, np.array([[[1.0]], [[-1.0]]]))[1].tolist()
[[0.5, -1.0], [-1.0, 4.0]]
"""

import numpy as np

from ._batch import datapoints
from ._expectation import expectation
from ._kflr import sample_roots
from ._network import Network
from ._types import Array, PerLayer


def rp(net: Network, X: Array, Y: Array, projections: Array) -> PerLayer:
    """E[script G_l] ~ 1/(N S) sum_n sum_s (C_l z)(C_l z)^T, (D_l, D_l), for the roots C_l (D_l, K) of (24).

    projections: z (N, S, K) with E[z z^T] = I, such as normals or signs. The expectation of the result over z is the
    factor (25) of KFLR. The result for a single z depends on the choice of the root of H_L in `_objectives` and
    `_outputs`.

    Raises `ValueError` for projections of a wrong shape.
    """
    pairs = list(datapoints(net, X, Y))
    roots = [sample_roots(net, x, y) for x, y in pairs]
    K = roots[0][net.L].shape[1]
    if np.ndim(projections) != 3 or np.shape(projections)[::2] != (len(X), K) or np.shape(projections)[1] == 0:
        raise ValueError(
            f"projections: expected shape ({len(X)}, S, {K}) with S of at least 1, got {np.shape(projections)}"
        )
    columns = ({l: C[l] @ z for l in C} for C, zs in zip(roots, projections, strict=True) for z in zs)
    return expectation({l: np.outer(c[l], c[l]) for l in c} for c in columns)
