"""The normalisation of the channels of each position, as in layer normalisation: a layer that is not linear.

The layer has no weights. Every other layer of this package is elementwise or linear. In the recursion of the Hessian,
this layer adds the matrix D_t of `curvatures` at each position t. D_t is not diagonal. The recursion of the
Gauss-Newton matrix has no such term.

>>> import numpy as np
>>> from kfgn_reference.shared_weights import Normalisation
>>> layer, a = Normalisation(epsilon=0.4), np.array([[1.0], [4.0], [1.0], [-2.0], [1.0]])
>>> layer.forward(a).round(3)[:, 0].tolist()
[0.0, 1.5, 0.0, -1.5, 0.0]
>>> layer.jacobians(a)[0].round(3)[1].tolist()
[-0.1, 0.175, -0.1, 0.125, -0.1]
"""

from typing import Any, NamedTuple

import numpy as np

from .._arithmetic import diagonal, one
from .._types import Array
from ._positions import matrix


class Normalisation(NamedTuple):
    """z_t = (a_t - m_t) / s_t at each position t, m_t = 1/C sum_c a_ct, s_t^2 = 1/C sum_c (a_ct - m_t)^2 + epsilon.

    epsilon: the positive number that is added to the variance. The default in PyTorch is 1e-5. The scale and the shift
             of PyTorch's layer normalisation are a `ScaleShift` after this layer
    """

    epsilon: Any

    def output_shape(self, C: int, *positions: int) -> tuple[int, ...]:
        """(C, *positions). Raises `ValueError` for an epsilon that is not positive."""
        if not self.epsilon > 0:
            raise ValueError(f"epsilon: expected a positive number, got {self.epsilon}")
        return C, *positions

    def forward(self, a: Array) -> Array:
        """z, (C, *positions)."""
        return self._normalised(a)[0].reshape(a.shape)

    def jacobians(self, a: Array) -> list[Array]:
        """J_t = dz_t/da_t = (I - 1 1^T / C - z_t z_t^T / C) / s_t, (C, C), at each position."""
        z, s = self._normalised(a)
        C = len(a)
        centred = diagonal(one(z[:, 0])) - one(np.outer(z[:, 0], z[:, 0])) / C
        return [(centred - np.outer(z_t, z_t) / C) / s_t for z_t, s_t in zip(z.T, s, strict=True)]

    def curvatures(self, a: Array, dE_dz: Array) -> list[Array]:
        """D_t = sum_k dE/dz_kt d^2 z_kt / da_t^2 (C, C), at each position.

        D_t = -(g_t z_t^T + z_t g_t^T + (z_t^T dE/dz_t) J_t) / (C s_t) with g_t = J_t dE/dz_t, the gradient with respect
        to a_t. The equation follows from ds_t/da_t = z_t / C.
        """
        z, s = self._normalised(a)
        rows = zip(z.T, s, matrix(dE_dz).T, self.jacobians(a), strict=True)
        return [self._curvature(z_t, s_t, d_t, J_t) for z_t, s_t, d_t, J_t in rows]

    def _curvature(self, z: Array, s: Any, d: Array, J: Array) -> Array:
        """D_t of one position, with d = dE/dz_t."""
        products = np.outer(J @ d, z)
        return -(products + products.T + np.sum(z * d) * J) / (len(z) * s)

    def _normalised(self, a: Array) -> tuple[Array, Array]:
        """z (C, T) and s (T,), with the positions in row-major order."""
        A, C = matrix(a), len(a)
        centred = A - np.sum(A, axis=0) / C
        s = np.sqrt(np.sum(centred * centred, axis=0) / C + self.epsilon)
        return centred / s, s
