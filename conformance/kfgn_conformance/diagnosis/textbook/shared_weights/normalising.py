"""The normalisation of the channels of each position as batched formulas, with its Jacobian and second derivatives.

At a position with C channels, let c be the centred channels, m the divisor of the variance, s the number by which c is
divided, z = c / s the normalised channels, and r = sqrt(variance + epsilon). The right formula has s = r. The Jacobian
of z is

    J = (P - k z z^T) / s,    k = s / (m r),    P = I - 1 1^T / C

In the right formula, k is therefore 1 / m. One mistake adds epsilon after the root: it has
r = sqrt(variance) and s = r + epsilon.
"""

from typing import NamedTuple

import numpy as np

from ....problems.problem import Array


class Statistics(NamedTuple):
    """The normalised channels z (N, C, T), and the numbers s and k of each position, both (N, 1, T)."""

    z: Array
    s: Array
    k: Array


class Normalising:
    """Formulas of the normalisation of activations a (N, C, T) with a positive epsilon."""

    def divisor_of_variance(self, channels: int) -> int:
        """The number by which the sum of the squares of the centred channels is divided."""
        return channels

    def deviation(self, variance: Array, epsilon: float) -> tuple[Array, Array]:
        """s and r."""
        r = np.sqrt(variance + epsilon)
        return r, r

    def statistics(self, a: Array, epsilon: float) -> Statistics:
        """z, s and k."""
        m = self.divisor_of_variance(a.shape[1])
        centred = a - np.mean(a, axis=1, keepdims=True)
        s, r = self.deviation(np.sum(centred**2, axis=1, keepdims=True) / m, epsilon)
        return Statistics(centred / s, s, s / (m * r))

    def of_mean(self, d: Array) -> Array:
        """The part of derivatives d (N, K, C, T) that passes through the mean: their mean over the channels."""
        return np.mean(d, axis=2, keepdims=True)

    def of_variance(self, at: Statistics, d: Array) -> Array:
        """The part of derivatives d (N, K, C, T) that passes through the variance: k z z^T d."""
        z, k = at.z[:, None], at.k[:, None]
        return k * z * np.sum(z * d, axis=2, keepdims=True)

    def normalised_back(self, a: Array, epsilon: float, d: Array) -> Array:
        """J^T d for columns d (N, K, C, T)."""
        at = self.statistics(a, epsilon)
        return (d - self.of_mean(d) - self.of_variance(at, d)) / at.s[:, None]

    def jacobians(self, a: Array, epsilon: float) -> Array:
        """J at every position, (N, T, C, C)."""
        N, C, T = a.shape
        columns = np.broadcast_to(np.eye(C)[None, :, :, None], (N, C, C, T))
        return self.normalised_back(a, epsilon, columns).transpose(0, 3, 1, 2)

    def normalised_curvature(self, a: Array, epsilon: float, d: Array) -> Array:
        """The sum over channels j of d_j times the second derivatives of z_j, (N, T, C, C), for d (N, C, T)."""
        at = self.statistics(a, epsilon)
        z, g = at.z.transpose(0, 2, 1), self.normalised_back(a, epsilon, d[:, None])[:, 0].transpose(0, 2, 1)
        outer = z[..., :, None] * g[..., None, :]
        along = np.sum(at.z * d, axis=1)[..., None, None]
        k, s = (x[:, 0, :, None, None] for x in (at.k, at.s))
        return -k * (outer + outer.swapaxes(2, 3) + along * self.jacobians(a, epsilon)) / s
