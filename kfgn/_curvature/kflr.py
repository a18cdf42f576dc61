"""KFLR, Section 3.4: the exact second factor from a square root of H_L, equations (23)-(25)."""

from .._linearisation.arguments import checked, checked_split, checked_targets
from .._linearisation.passes import Forward, forward, gradients, kernel
from .._network.network import Network
from .._network.objectives import Split
from .._network.output_hessian import OutputCurvature
from .._types import Array, Arrays, Namespace, Weights
from .._validation.scalars import checked_count
from ..backends import with_own_settings
from .factor_memory import check_memory
from .loss_and_factors import LossAndFactors, curvature

MEMORY = 2**28
"""Bytes that the roots of one chunk of datapoints may take, by default."""


def _hidden_sums(xp: Namespace, weights: Weights, outputs: OutputCurvature, slopes: Arrays) -> list[Array]:
    """sum_n G_l of the datapoints given, for the hidden layers l = L-1, ..., 1, each (D_l, D_l).

    G_l = C^T M C with rows C (N, K, D_l) that obey (24), and M = I. Where a layer is narrower than K,
    G_l itself becomes M and the identity C, which is exact and lowers K to D_l from there on.
    Both starts know their product with W in closed form: a root of H_L, and the identity.
    """
    sums: list[Array] = []
    product = outputs.root_rows(kernel(weights[-1]))
    middle = None
    for l in reversed(range(len(slopes))):
        rows = product * slopes[l][:, None, :]
        weighted = rows if middle is None else middle @ rows
        _, K, D = rows.shape
        if D < K and l > 0:
            middle = xp.matrix_transpose(rows) @ weighted
            sums.append(xp.sum(middle, axis=0))
            product = kernel(weights[l])[None, :, :]
        else:
            sums.append(xp.reshape(rows, (-1, D)).T @ xp.reshape(weighted, (-1, D)))
            if l > 0:
                product = rows @ kernel(weights[l])
    return sums


def second_factor(
    xp: Namespace, network: Network, weights: Weights, trace: Forward, Y: Array, split: Split, memory: int
) -> Arrays:
    """E[G_l] for every layer, chunk by chunk.

    The chunks are of datapoints and not of columns of the root: a mean over datapoints is exact in any
    parts, and a restart needs all the columns of its datapoints.
    """
    N = Y.shape[0]
    last = split.at(xp, trace.outputs, Y).mean()
    if network.depth == 1:
        return (last,)
    chunk = max(1, memory // _bytes_per_datapoint(xp, network, split, trace.outputs.dtype))
    total: list[Array] = []
    for start in range(0, N, chunk):
        part = slice(start, min(start + chunk, N))
        outputs = split.at(xp, trace.outputs[part, :], Y[part, ...])
        sums = _hidden_sums(xp, weights, outputs, tuple(slope[part, :] for slope in trace.slopes))
        total = [t + s for t, s in zip(total, sums, strict=True)] if total else sums
    return (*(t / N for t in reversed(total)), last)


def _bytes_per_datapoint(xp: Namespace, network: Network, split: Split, dtype: object) -> int:
    """Five arrays of the size of a root at a time, at most: after a restart, the middle, two products and two roots."""
    return int(5 * split.columns(network.widths[-1]) * max(network.widths[1:]) * xp.finfo(dtype).bits // 8)


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
    xp, weights, X = checked(network, weights, X, check=check)
    Y = checked_targets(network, X, Y, check=check)
    split = checked_split(network)
    memory = checked_count("memory", memory)
    check_memory(network, X)
    trace = forward(xp, network, weights, X)
    dE_dh = gradients(xp, network, weights, trace, Y)
    return curvature(xp, network, trace, Y, dE_dh, second_factor(xp, network, weights, trace, Y, split, memory))
