"""KFLR, Section 3.4: the exact second factor from a square root of H_L, equations (23)-(25)."""

from .._algebra.matrices import second_moment
from .._documentation import with_shared_text
from .._linearisation.linearisation import GaussNewtonLinearisation, checked_batch, linearised_for_gauss_newton
from .._network.network import Network
from .._network.output_hessian import Identity
from .._types import Array, Arrays, Namespace, Weights
from .._validation.scalars import checked_count
from ..backends import gram, matmul, symmetric_product, with_own_settings
from .chunk_memory import chunks
from .factor_memory import check_memory
from .kflr_over_positions import kflr_factor_over_positions
from .loss_and_factors import LossAndFactors, loss_and_factors
from .sharing import checked_sharing


def kflr_factor(
    at: GaussNewtonLinearisation, memory: int | None = None, sharing: str = "expand"
) -> tuple[Arrays, Arrays]:
    """dE/dh_l of every layer, and E[G_l] of every Kronecker block, summed over one chunk of datapoints at a time.

    In a network without positions, the shapes are (N, D_l) and (D_l, D_l). With T_l positions, dE/dh_l is (N T_l, D_l),
    and a layer with groups has one G for each group.

    Without positions and with H_L = I, E[G_{L-1}] is the result of the first step of KFRA (26), which is exact. The
    columns of the root are not split into chunks, since the restart that `_sums` describes needs all columns of a
    datapoint.
    """
    if at.network.has_positions:
        return kflr_factor_over_positions(at, sharing, memory)
    H, mean = at.output_curvature, at.output_curvature.mean()
    G = [mean]
    if isinstance(H, Identity) and at.network.depth > 1:
        kernel = at.network.layers[-1].kernel(at.weights[-1])
        G.append(H.congruence(mean, kernel) * second_moment(at.xp, at.forward.derivatives[-1]))
    missing = at.network.depth - len(G)
    total: list[Array] = []
    if missing > 0:
        for start, stop in chunks(at, memory, _bytes_per_datapoint(at)):
            sums = _sums(at.part(start, stop), missing)
            total = [t + s for t, s in zip(total, sums, strict=True)] if total else sums
    N = at.outputs.shape[0]
    return at.dE_dh(), tuple(reversed([*G, *(t / N for t in total)]))


def _sums(at: GaussNewtonLinearisation, layers: int) -> list[Array]:
    """The sums of G_l (D_l, D_l) over the datapoints of a linearisation, for l = layers, ..., 1.

    For each datapoint G_l = C^T M C. The K rows of C (N, K, D_l) obey the recursion (24), and M is I before the first
    restart. The recursion restarts at a layer with D_l < K, except the first layer: M becomes G_l, C becomes I and K
    becomes D_l. In exact arithmetic, a restart does not change the result. The product C W has a closed form in two
    cases: at the outputs, where C is the root of H_L, and after a restart, where C is I. M, M C and M C W are None
    while M is I.
    """
    xp, derivatives = at.xp, at.forward.derivatives
    kernels = [layer.kernel(W) for layer, W in zip(at.network.layers, at.weights, strict=True)]
    sums: list[Array] = []
    CW = at.output_curvature.transposed_root_product(kernels[-1])
    M: Array | None = None
    MCW: Array | None = None
    for l in reversed(range(len(derivatives))):
        B = derivatives[l][:, None, :]
        C = CW * B
        MC = None if MCW is None else MCW * B
        restarts = C.shape[2] < C.shape[1] and l > 0
        if restarts:
            M = gram(C) if MC is None else xp.matrix_transpose(C) @ MC
        if l < layers:
            sums.append(xp.sum(M, axis=0) if restarts else _sum_of_products(xp, C, MC))
        if restarts:
            CW, MCW = kernels[l][None, :, :], _times(xp, M, kernels[l])
        elif l > 0:
            CW = _times(xp, C, kernels[l])
            MCW = None if M is None else M @ CW
    return sums


def _sum_of_products(xp: Namespace, C: Array, MC: Array | None) -> Array:
    """The sum of C^T M C over the datapoints, (D, D), where M is I if the product M C is None."""
    return gram(_flat(xp, C)) if MC is None else symmetric_product(_flat(xp, C), _flat(xp, MC))


def _times(xp: Namespace, A: Array, W: Array) -> Array:
    """The products A W (N, K, P) of A (N, K, D) and W (D, P)."""
    return xp.reshape(matmul(_flat(xp, A), W), (*A.shape[:2], W.shape[1]))


def _flat(xp: Namespace, rows: Array) -> Array:
    """The rows (N, K, D) as one matrix (N K, D), since some libraries multiply N small matrices one by one."""
    return xp.reshape(rows, (-1, rows.shape[-1]))


def _bytes_per_datapoint(at: GaussNewtonLinearisation) -> int:
    """An upper bound of the bytes per datapoint of the arrays that exist at once in `_sums`.

    After a restart, these are six arrays: M, C, C W, M C, and M C W for two layers.
    """
    bits = at.xp.finfo(at.outputs.dtype).bits
    return int(6 * at.root_size * max(at.network.widths[1:]) * bits // 8)


@with_own_settings
@with_shared_text
def kflr(
    network: Network,
    weights: Weights,
    X: Array,
    Y: Array,
    *,
    memory: int | None = None,
    sharing: str = "expand",
    check: bool = True,
) -> LossAndFactors:
    """The loss, its gradient and the Kronecker factors by KFLR, equation (25).

    In a network without positions, the second factor is exact: it is the mean of `preactivation_gauss_newton`. The cost
    grows with the number of outputs, so KFLR suits networks with few outputs, such as classifiers.

    Parameters
    ----------
    {network}
    {weights}
    {X}
    {Y}
    memory : int, optional
        The memory for the roots C_l and for temporary arrays, in bytes. The batch is split into chunks of datapoints
        whose arrays fit into this memory, with at least one datapoint per chunk. The default is 2^26, and 2^28 in a
        program that `jax.jit` or `torch.compile` traces. Such a program contains the code of every chunk, and larger
        chunks make the program shorter.
    {sharing}
    {check}

    Returns
    -------
    LossAndFactors
        The loss, the gradient, Q and G, all means over the N datapoints.

    Raises
    ------
    {gauss_newton_errors}
    {memory_error}

    Notes
    -----
    The K columns C_L^k of a root of H_L are propagated back through the layers, with B_l = diag(f'(h_l)) and W_{l+1}
    without its bias::

        E[G_l] = 1/N sum_n sum_k C_l^k C_l^kT,  C_l^k = B_l W_{l+1}^T C_{l+1}^k,  C_L C_L^T = H_L

    K is D_L, or 1 for a mixture with psd "scalar". At a layer with fewer than K units, except the first layer, the
    recursion restarts with the matrix G_l instead of H_L, and K becomes D_l. Without a restart, the cost of the second
    factors is at most that of K backward passes and of N K D_l^2 multiplications per layer. For the squared error,
    E[G_{L-1}] is computed by the first step of `kfra`, which is exact and costs less.

    In a network with positions, the recursion does not restart, and the first step of `kfra` is not used. With T output
    positions the root has K columns for each position. Below a layer that mixes positions the cost is that of K T
    backward passes.

    Examples
    --------
    {example}
    >>> loss, gradient, Q, G = kfgn.kflr(network, weights, X, Y)
    >>> print(G[0].round(3))
    [[0.061 0.078 0.049]
     [0.078 0.199 0.062]
     [0.049 0.062 0.041]]
    """
    (W_1, *_), X, _ = batch = checked_batch(network, weights, X, Y, check=check)
    memory = None if memory is None else checked_count("memory", memory)
    sharing = checked_sharing(sharing)
    check_memory(network, W_1)
    at = linearised_for_gauss_newton(network, *batch)
    return loss_and_factors(at, *kflr_factor(at, memory, sharing), sharing)
