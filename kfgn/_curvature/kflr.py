"""KFLR, Section 3.4: the exact second factor from a square root of H_L, equations (23)-(25)."""

from .._linearisation.linearisation import GaussNewtonLinearisation, linearise_for_gauss_newton
from .._network.network import Network
from .._types import Array, Arrays, Weights
from .._validation.scalars import checked_count
from ..backends import with_own_settings
from .factor_memory import check_memory
from .loss_and_factors import LossAndFactors, loss_and_factors

MEMORY = 2**28
"""The default number of bytes that the roots of one chunk of datapoints may take."""


def kflr_factor(at: GaussNewtonLinearisation, memory: int = MEMORY) -> tuple[Arrays, Arrays]:
    """dE/dh_l (N, D_l), and E[G_l] (D_l, D_l) of every layer, chunk by chunk.

    The chunks are of datapoints and not of columns of the root: a mean over datapoints is exact in any
    parts, and a restart needs all the columns of its datapoints.
    """
    last = at.output_curvature.mean()
    N, chunk = at.outputs.shape[0], max(1, memory // _bytes_per_datapoint(at))
    total: list[Array] = []
    if at.network.depth > 1:
        for start in range(0, N, chunk):
            sums = _hidden_sums(at.part(start, min(start + chunk, N)))
            total = [t + s for t, s in zip(total, sums, strict=True)] if total else sums
    return at.dE_dh(), (*(t / N for t in reversed(total)), last)


def _hidden_sums(at: GaussNewtonLinearisation) -> list[Array]:
    """sum_n G_l of the datapoints given, for the hidden layers l = L-1, ..., 1, each (D_l, D_l).

    G_l = C^T M C with rows C (N, K, D_l) that obey (24), and M = I. Where a layer is narrower than K,
    G_l itself becomes M and the identity C, which is exact and lowers K to D_l from there on.
    Both starts know their product with W in closed form: a root of H_L, and the identity.
    """
    xp, derivatives = at.xp, at.forward.derivatives
    kernels = [layer.kernel(W) for layer, W in zip(at.network.layers, at.weights, strict=True)]
    sums: list[Array] = []
    product = at.output_curvature.transposed_root_product(kernels[-1])
    middle = None
    for l in reversed(range(len(derivatives))):
        rows = product * derivatives[l][:, None, :]
        weighted = rows if middle is None else middle @ rows
        _, K, D = rows.shape
        if D < K and l > 0:
            middle = xp.matrix_transpose(rows) @ weighted
            sums.append(xp.sum(middle, axis=0))
            product = kernels[l][None, :, :]
        else:
            sums.append(xp.reshape(rows, (-1, D)).T @ xp.reshape(weighted, (-1, D)))
            if l > 0:
                product = rows @ kernels[l]
    return sums


def _bytes_per_datapoint(at: GaussNewtonLinearisation) -> int:
    """Five arrays of the size of a root at a time, at most: after a restart, the middle, two products and two roots."""
    bits = at.xp.finfo(at.outputs.dtype).bits
    return int(5 * at.root_size * max(at.network.widths[1:]) * bits // 8)


@with_own_settings
def kflr(
    network: Network, weights: Weights, X: Array, Y: Array, *, memory: int = MEMORY, check: bool = True
) -> LossAndFactors:
    """Loss, gradient, Q and the second factor by KFLR, equation (25), from one pass forward and one back.

        E[G_l] = 1/N sum_n sum_k C_l^k C_l^kT,  C_l^k = B_l W_{l+1}^T C_{l+1}^k,  C_L C_L^T = H_L

    Exact: the mean of `preactivation_gauss_newton`. The cost grows with the number of outputs: the method for
    classifiers. Datapoints are taken in chunks whose roots fit in `memory` bytes (one at least); a trace by
    `jax.jit` holds every chunk, so give it memory for few. Other arguments and errors as in
    `preactivation_gauss_newton`.
    """
    at = linearise_for_gauss_newton(network, weights, X, Y, check=check)
    memory = checked_count("memory", memory)
    check_memory(network, X)
    return loss_and_factors(at, *kflr_factor(at, memory))
