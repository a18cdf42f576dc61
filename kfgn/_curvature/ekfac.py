"""EKFAC (George et al., 2018): eigenvectors of Kronecker factors, and the diagonal of the exact block in this basis.

The columns C_t, the matrices P_nc and the groups of a layer are those of the module `pairs`.
"""

from typing import NamedTuple

from array_api_compat import array_namespace

from .._algebra.eigen_block import EigenBlock
from .._algebra.matrices import symmetrised
from .._documentation import documented_tuple, with_shared_text
from .._linearisation.inputs import with_dtype
from .._linearisation.linearisation import checked_batch
from .._network.network import Network
from .._network.padded import values_of
from .._types import Array, Arrays, Weights
from .._validation.arrays import check_finite, check_floating_dtype, one_library_and_device
from .._words import type_of
from ..backends import detached, eigh, gram, matmul, with_own_settings
from .pairs import Pairs, PairsOfBatch, checked_pairs, pairs_of_checked
from .sharing import checked_sharing


@documented_tuple
@with_shared_text
class LossAndEigenBlocks(NamedTuple):
    """The mean loss of a batch, its gradient and the blocks of EKFAC.

    `ekfac` returns a `LossAndEigenBlocks`, a named tuple of arrays, and so a pytree for JAX and PyTorch.

    Attributes
    ----------
    loss : array, shape ()
        The mean loss.
    gradient : tuple of L arrays
        dE/dW_l, equation (3), in the shapes of the weights.
    blocks : tuple of EigenBlock
        One block for each layer, or for each group of a layer with groups.

    Examples
    --------
    {example}
    >>> result = kfgn.ekfac(network, weights, X, Y)
    >>> [block.S.shape for block in result.blocks]
    [(3, 3), (2, 4)]
    """

    loss: Array
    gradient: Arrays
    blocks: tuple[EigenBlock, ...]


def eigenbasis(A: Array) -> Array:
    """The eigenvectors of a symmetric matrix (D, D), as columns, in ascending order of the eigenvalues."""
    return eigh(symmetrised(A))[1]


def factors_of_bases(pairs: PairsOfBatch, sharing: str) -> tuple[Arrays, Arrays]:
    """The factors Q and G of every group, of expand or of reduce. Their eigenvectors are the bases of EKFAC."""
    G = pairs.means(lambda _, of_group: (_second_factor(of_group, sharing),))
    return pairs.at.input_moments(sharing), tuple(G_j for (G_j,) in G)


def _second_factor(pairs: Pairs, sharing: str) -> Array:
    """The sum of a matrix over datapoints and columns, (O, O).

    The matrix is sum_t C_t C_t^T for "expand", and s s^T with s = sum_t C_t for "reduce".
    """
    xp, C = array_namespace(pairs.C), pairs.C
    rows = C if sharing == "expand" else xp.sum(C, axis=2)
    return gram(xp.reshape(rows, (-1, C.shape[3])))


def diagonals(pairs: PairsOfBatch, U_Q: Arrays, U_G: Arrays) -> Arrays:
    """S (O, I) of every group: the diagonal of 1/N sum_n sum_c vec(P_nc) vec(P_nc)^T in the basis U_Q kron U_G."""
    return tuple(S for (S,) in pairs.means(lambda j, of_group: (_sum_of_squares(of_group, U_Q[j], U_G[j]),)))


def _sum_of_squares(pairs: Pairs, U_Q: Array, U_G: Array) -> Array:
    """The sum over datapoints and columns of (U_G^T P U_Q)^2, (O, I), where the square is elementwise.

    For T = 1 the sum is one product of two matrices: the squares of the rotated columns, summed over the columns, and
    the squares of the rotated inputs.
    """
    xp = array_namespace(U_Q)
    rotated = Pairs(matmul(pairs.a, U_Q), matmul(pairs.C, U_G))
    if pairs.positions == 1:
        a, C = rotated.flat()
        return matmul(xp.sum(C * C, axis=0).T, a * a)
    P = rotated.gradients()
    return xp.sum(P * P, axis=0)


@with_own_settings
@with_shared_text
def ekfac(
    network: Network,
    weights: Weights,
    X: Array,
    Y: Array,
    *,
    labels: Array | None = None,
    sharing: str = "expand",
    memory: int | None = None,
    check: bool = True,
) -> LossAndEigenBlocks:
    """The loss, its gradient and the blocks of EKFAC (George et al., 2018).

    Without `labels`, a block has the eigenvectors of the Kronecker product of `kflr`, and the diagonal of the exact
    Gauss-Newton block in the basis of these eigenvectors. The trace of the block is therefore that of the exact block.
    In the Frobenius norm, the block is at least as near to the exact block as the Kronecker product is. With `labels`,
    the product of `kfac` replaces that of `kflr`, and an estimate from the labels replaces the exact block. The method
    is not in the paper of Botev et al.

    Parameters
    ----------
    {network}
    {weights}
    {X}
    {Y}
    {columns_of_labels}
    {sharing}
    {memory_of_pairs}
    {check}

    Returns
    -------
    LossAndEigenBlocks
        The loss, the gradient and an `EigenBlock` per layer, or per group of a layer with groups. The eigenvectors of
        each factor are in ascending order of the eigenvalues of the factor.

    Raises
    ------
    {errors_of_pairs}
    {memory_error}

    Notes
    -----
    With the eigenvectors U_Q and U_G of the factors Q and G of `kflr`, or of `kfac` for given labels, the block is::

        U diag(vec S) U^T,  U = U_Q kron U_G,  S = 1/N sum_n sum_c (U_G^T P_nc U_Q)^2,  P_nc = sum_t C_ntc a_nt^T

    where the square is elementwise, C_ntc is column c of a root of H_L that is carried back to the pre-activations at
    position t of datapoint n, and a_nt is the input of the layer at this position. If a factor has a repeated
    eigenvalue, several bases of eigenvectors are valid, and the blocks in these bases differ. The function
    `ekfac_diagonal` computes S for given bases.

    The cost has three parts: the cost of `kflr` without its restart, an eigendecomposition of every factor, and the
    cost of S. Let W_l have the shape (D_l, P_l), where W_l of a `ScaleShift` counts as one column, and let K be the
    number of columns over all output positions. With one position, the products of a and C with the bases need N P_l^2
    and N K D_l^2 multiplications, and S then needs N D_l P_l. With T positions, the products with the bases need at
    most T times as many, and the matrices P_nc need at most N K T D_l P_l multiplications. These matrices exist for one
    chunk of datapoints at a time.

    Examples
    --------
    {example}
    >>> loss, gradient, blocks = kfgn.ekfac(network, weights, X, Y)
    >>> exact = kfgn.gauss_newton_blocks(network, weights, X, Y)
    >>> for block, F in zip(blocks, exact):
    ...     print(block.trace().round(3), np.trace(F).round(3))
    0.886 0.886
    0.802 0.802
    >>> [block.solve(g, damping=0.1).shape for block, g in zip(blocks, gradient)]
    [(3, 3), (2, 4)]
    """
    sharing = checked_sharing(sharing)
    pairs = checked_pairs(network, weights, X, Y, labels, memory, sets=2, check=check)
    at = pairs.at
    U_Q, U_G = (tuple(map(eigenbasis, factors)) for factors in factors_of_bases(pairs, sharing))
    blocks = map(EigenBlock, U_Q, U_G, diagonals(pairs, U_Q, U_G))
    return LossAndEigenBlocks(at.loss(), at.mean_gradient(at.dE_dh()), tuple(blocks))


@with_own_settings
@with_shared_text
def ekfac_diagonal(
    network: Network,
    weights: Weights,
    X: Array,
    Y: Array,
    U_Q: Weights,
    U_G: Weights,
    *,
    labels: Array | None = None,
    memory: int | None = None,
    check: bool = True,
) -> Arrays:
    """The diagonal of the exact Gauss-Newton block of each layer in given bases, as in EKFAC (George et al., 2018).

    Parameters
    ----------
    {network}
    {weights}
    {X}
    {Y}
    U_Q : tuple or list of arrays, shape (P_l, P_l)
        An orthogonal matrix for each factor Q of `kflr`, in the dtype of the weights, with the vectors of the basis as
        columns. The function does not check that the matrices are orthogonal.
    U_G : tuple or list of arrays, shape (D_l, D_l)
        An orthogonal matrix for each factor G of `kflr`, in the dtype of the weights.
    {columns_of_labels}
    {memory_of_pairs}
    {check}

    Returns
    -------
    tuple of arrays, shape (D_l, P_l)
        S for each layer, or for each group of a layer with groups. vec(S), where vec stacks columns, is the diagonal of
        U^T F U for the exact block F and U = U_Q kron U_G. With `labels`, F is an estimate of the exact block.

    Raises
    ------
    {errors_of_pairs}

    Notes
    -----
    Let C_ntc be column c of a root of H_L that is carried back to the pre-activations at position t of datapoint n, and
    let a_nt be the input of the layer at this position. Then S is::

        S = 1/N sum_n sum_c (U_G^T P_nc U_Q)^2,  P_nc = sum_t C_ntc a_nt^T

    where the square is elementwise. The sum over positions is inside the square. Let K be the number of columns over
    all output positions. With one position, the products of a and C with the bases need N P_l^2 and N K D_l^2
    multiplications, and S then needs N D_l P_l. With T positions, the products with the bases need at most T times as
    many, and the matrices P_nc need at most N K T D_l P_l multiplications.

    Examples
    --------
    {example}
    >>> U_Q, U_G = [np.eye(3), np.eye(4)], [np.eye(3), np.eye(2)]
    >>> S = kfgn.ekfac_diagonal(network, weights, X, Y, U_Q, U_G)
    >>> exact = kfgn.gauss_newton_blocks(network, weights, X, Y)
    >>> print(S[1].round(3))
    [[0.106 0.008 0.119 0.168]
     [0.106 0.008 0.119 0.168]]
    >>> print(np.diag(exact[1]).reshape(4, 2).T.round(3))
    [[0.106 0.008 0.119 0.168]
     [0.106 0.008 0.119 0.168]]
    """
    _, X, _ = batch = checked_batch(network, weights, X, Y, check=check)
    bases = _checked_bases(network, X, U_Q, U_G, check=check)
    return diagonals(pairs_of_checked(network, batch, labels, memory, sets=0, check=check), *bases)


def _checked_bases(network: Network, X: Array, U_Q: Weights, U_G: Weights, *, check: bool) -> tuple[Arrays, Arrays]:
    """Check the matrices U_Q and U_G of every Kronecker block, and return them outside any autograd graph."""
    P, D = zip(*((P, D) for D, P in network.block_shapes), strict=True)
    for name, matrices, sizes in (("U_Q", U_Q, P), ("U_G", U_G, D)):
        if not isinstance(matrices, (tuple, list)):
            raise TypeError(f"{name}: expected a tuple or list of arrays {name}_1, ..., got {type_of(matrices)}")
        if len(matrices) != len(sizes):
            raise ValueError(f"{name}: expected {len(sizes)} arrays, one per Kronecker block, got {len(matrices)}")
        named = {f"{name}_{j}": U for j, U in enumerate(matrices, start=1)}
        xp = one_library_and_device({"X": values_of(X)} | named)
        check_floating_dtype(xp, with_dtype(network, X) | named)
        for (label, U), size in zip(named.items(), sizes, strict=True):
            if (shape := tuple(U.shape)) != (size, size):
                raise ValueError(f"{label}: expected shape {(size, size)}, got {shape}")
        if check:
            check_finite(xp, named)
    return tuple(map(detached, U_Q)), tuple(map(detached, U_G))
