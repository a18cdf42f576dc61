"""Beside the paper's three: the second factor from random projections of the root of H_L.

The authors' released code has it. Like KFAC it is a sample, but it needs no distribution p(y | h_L).
"""

import numpy as np

from ._batch import datapoints
from ._expectation import expectation
from ._kflr import sample_roots
from ._network import Network
from ._types import Array, PerLayer


def rp(net: Network, X: Array, Y: Array, projections: Array) -> PerLayer:
    """E[script G_l] ~ 1/(N S) sum_n sum_s (C_l z)(C_l z)^T, (D_l, D_l), for the roots C_l (D_l, K) of (24).

    projections: z (N, S, K) with E[z z^T] = I, such as normals or signs; the mean over z is KFLR's (25). With one z
    the result depends on which root of H_L is taken: `objectives` and `outputs` say which.

    Raises `ValueError` too for projections of another shape.
    """
    pairs = list(datapoints(net, X, Y))
    roots = [sample_roots(net, x, y) for x, y in pairs]
    K = roots[0][net.L].shape[1]
    if np.ndim(projections) != 3 or np.shape(projections)[::2] != (len(X), K) or np.shape(projections)[1] == 0:
        raise ValueError(
            f"projections: expected shape ({len(X)}, S, {K}) with at least one sample S, got {np.shape(projections)}"
        )
    columns = ({l: C[l] @ z for l in C} for C, zs in zip(roots, projections, strict=True) for z in zs)
    return expectation({l: np.outer(c[l], c[l]) for l in c} for c in columns)
