"""KFOC (Schnaus et al., 2021, Koroko et al., 2022): the Kronecker product that is nearest to the exact block.

The exact block is 1/N sum_n sum_c vec(P_nc) vec(P_nc)^T, with the matrices P_nc (O, I) of the module `pairs`. The
rearrangement of this block by Van Loan and Pitsianis (1993) is a linear map from G to Q. The transpose of this map
takes Q to G:

    G -> Q = 1/N sum_n sum_c P_nc^T G P_nc        Q -> G = 1/N sum_n sum_c P_nc Q P_nc^T

The nearest product is made of the leading singular vectors of the map. The matrix of the map is not formed. Both maps
take positive semi-definite matrices to positive semi-definite matrices, so both factors can be positive semi-definite.
The identity is not orthogonal to such a factor, so the Lanczos iteration can start from the identity.
"""

from collections.abc import Callable

from array_api_compat import array_namespace

from .._algebra.leading_eigenvector import leading_eigenvectors
from .._algebra.matrices import identity_like, root, symmetrised
from .._documentation import with_shared_text
from .._network.network import Network
from .._types import Array, Arrays, Namespace, Weights
from .._validation.scalars import checked_count
from ..backends import eigh, matmul, symmetric_product, with_own_settings
from .loss_and_factors import LossAndFactors
from .pairs import Pairs, PairsOfBatch, checked_pairs

ITERATIONS = 32
"""The default of `iterations`, the largest number of steps of the Lanczos iteration."""


def kfoc_factors(pairs: PairsOfBatch, iterations: int = ITERATIONS) -> tuple[Arrays, Arrays]:
    """Q and G of every group. G has norm 1, unless Q and G are 0.

    The Lanczos iteration finds G up to an error. The negative eigenvalues of this G are errors, and are set to 0. The
    best Q for this G follows, and then the best G for this Q. Both are positive semi-definite.
    """
    xp, shapes = pairs.at.xp, pairs.at.network.block_shapes

    def first(G: Arrays) -> Arrays:
        return _of_groups(pairs, G, _first_sum)

    def second(Q: Arrays) -> Arrays:
        return _of_groups(pairs, Q, _second_sum)

    Q = first(tuple(identity_like(xp, D, pairs.at.outputs) for D, _ in shapes))
    scales = tuple(_normalised(xp, A)[1] for A in Q)  # the square of a small block would underflow in float32

    def there_and_back(G: Arrays) -> Arrays:
        return second(tuple(A / scale for A, scale in zip(first(G), scales, strict=True)))

    start = second(tuple(A / scale for A, scale in zip(Q, scales, strict=True)))
    steps = min(iterations, max(min(D * (D + 1), P * (P + 1)) // 2 for D, P in shapes))
    leading = leading_eigenvectors(there_and_back, tuple(_normalised(xp, A)[0] for A in start), steps)
    Q = tuple(_normalised(xp, A)[0] for A in first(tuple(_nearest_psd(xp, A) for A in leading)))
    G, norms = zip(*(_normalised(xp, A) for A in second(Q)), strict=True)
    Q = tuple(norm * A for norm, A in zip(norms, Q, strict=True))
    return tuple(map(symmetrised, Q)), tuple(map(symmetrised, G))


def _of_groups(pairs: PairsOfBatch, factors: Arrays, sums: Callable[[Pairs, Array], Array]) -> Arrays:
    """For each group, `sums` of its pairs and of its factor, added over the chunks of the batch and divided by N."""
    return tuple(mean for (mean,) in pairs.means(lambda j, of_group: (sums(of_group, factors[j]),)))


def _first_sum(pairs: Pairs, G: Array) -> Array:
    """The sum over datapoints and columns of P^T G P, (I, I)."""
    xp = array_namespace(G)
    if pairs.positions == 1:
        a, C = pairs.flat()
        return symmetric_product(a, xp.sum(matmul(C, G) * C, axis=(0, 2))[:, None] * a)
    P = pairs.gradients()
    GP = xp.tensordot(G, P, axes=((1,), (1,)))  # (O, n K, I)
    return xp.tensordot(P, GP, axes=((1, 0), (0, 1)))


def _second_sum(pairs: Pairs, Q: Array) -> Array:
    """The sum over datapoints and columns of P Q P^T, (O, O)."""
    xp = array_namespace(Q)
    if pairs.positions == 1:
        a, C = pairs.flat()
        scaled = xp.vecdot(matmul(a, Q), a)[:, None] * C
        return symmetric_product(xp.reshape(C, (-1, C.shape[2])), xp.reshape(scaled, (-1, C.shape[2])))
    P = pairs.gradients()
    PQ = xp.reshape(matmul(xp.reshape(P, (-1, P.shape[2])), Q), P.shape)
    return xp.tensordot(PQ, P, axes=((0, 2), (0, 2)))


def _normalised(xp: Namespace, A: Array) -> tuple[Array, Array]:
    """A / |A| and the norm |A| (), or 0 and 1 if A is 0."""
    largest = xp.max(xp.abs(A))
    unit = xp.where(largest > 0, largest, xp.ones_like(largest))  # squares of small numbers would underflow
    B = A / unit
    norm = root(xp, xp.sum(B * B))
    norm = xp.where(norm > 0, norm, xp.ones_like(norm))
    return B / norm, unit * norm


def _nearest_psd(xp: Namespace, A: Array) -> Array:
    """The positive semi-definite matrix that is nearest to A, or to -A if the trace of A is negative."""
    values, U = eigh(symmetrised(A))
    values = xp.where(xp.sum(values) < 0, -values, values)
    return matmul(U * xp.where(values > 0, values, xp.zeros_like(values)), U.T)


@with_own_settings
@with_shared_text
def kfoc(
    network: Network,
    weights: Weights,
    X: Array,
    Y: Array,
    *,
    labels: Array | None = None,
    iterations: int = ITERATIONS,
    memory: int | None = None,
    check: bool = True,
) -> LossAndFactors:
    """The loss, its gradient and the Kronecker factors of KFOC, the nearest Kronecker product to the exact block.

    Up to the error of the Lanczos iteration, no other Kronecker product is nearer to the exact Gauss-Newton block of a
    layer in the Frobenius norm. With `labels`, an estimate from the labels replaces the exact block. Schnaus et al.
    (2021) and Koroko et al. (2022) describe the method. The released code of Botev et al. computes the product by a
    power iteration.

    Parameters
    ----------
    {network}
    {weights}
    {X}
    {Y}
    {columns_of_labels}
    iterations : int, optional
        The largest number of steps of the Lanczos iteration, positive. The iteration of a layer with weights of shape
        (D_l, P_l) needs at most min(D_l (D_l + 1), P_l (P_l + 1)) / 2 steps. A value of `iterations` above the largest
        of these bounds is reduced to this bound. No step depends on a random number.
    {memory_of_pairs}
    {check}

    Returns
    -------
    LossAndFactors
        The loss, the gradient, and positive semi-definite Q and G. Q has the scale of the block. G has norm 1, unless Q
        and G are 0.

    Raises
    ------
    {errors_of_pairs}
    {memory_error}

    Notes
    -----
    Let C_ntc be column c of a root of H_L that is carried back to the pre-activations at position t of datapoint n, let
    a_nt be the input of the layer at this position, and let P_nc = sum_t C_ntc a_nt^T. Up to their scales, the factors
    are the leading singular vectors of the map from G to Q::

        Q = 1/N sum_n sum_c P_nc^T G P_nc        G ~ 1/N sum_n sum_c P_nc Q P_nc^T

    where ~ means proportional to. The product is unique if the two largest singular values s_1 and s_2 differ. With k
    steps the error falls at least as fast as (s_2 / (s_1 + r))^(2k), where r^2 = s_1^2 - s_2^2. The error of a power
    iteration falls as (s_2 / s_1)^(2k).

    A step computes two sums over the batch. In this paragraph W_l of a `ScaleShift` counts as one column. Let K be the
    number of columns over all output positions. With one position, each sum needs N P_l^2 + N K D_l^2 multiplications.
    With T positions, each sum needs at most N K T D_l P_l multiplications for the matrices P_nc and N K D_l P_l (D_l +
    P_l) for their products. If the columns do not fit into `memory`, each sum computes them again.

    Examples
    --------
    {example}
    >>> loss, gradient, Q, G = kfgn.kfoc(network, weights, X, Y)
    >>> exact = kfgn.gauss_newton_blocks(network, weights, X, Y)[0]
    >>> print(np.linalg.norm(np.kron(Q[0], G[0]) - exact).round(3))
    0.227
    >>> loss, gradient, Q, G = kfgn.kflr(network, weights, X, Y)
    >>> print(np.linalg.norm(np.kron(Q[0], G[0]) - exact).round(3))
    0.289
    """
    iterations = checked_count("iterations", iterations)
    pairs = checked_pairs(network, weights, X, Y, labels, memory, check=check)
    at = pairs.at
    return LossAndFactors(at.loss(), at.mean_gradient(at.dE_dh()), *kfoc_factors(pairs, iterations))
