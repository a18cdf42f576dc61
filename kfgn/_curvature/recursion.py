"""The step that the recursions (8) and (22) share, and the block (7) of a layer."""

from collections.abc import Callable

from .._algebra.matrices import diagonal, identity_like, mean_kron, outer
from .._linearisation.linearisation import Linearisation
from .._network.dense import Dense
from .._network.layer_map import WeightedMap
from .._network.normalising import NormalisationJacobian, NormalisationSecondTerm
from .._types import Array, Arrays, Namespace
from .sharing import sum_over_positions


def pull_back(at: Linearisation, l: int, M: Array) -> Array:
    """The product B W^T M W B = (W^T M W) * (f' f'^T), (N, D_l, D_l), for W = W_{l+1} without its bias.

    M: one matrix per datapoint, (N, D_{l+1}, D_{l+1})
    l: the index of the layer, counted from 0, and so one less than the l of the equation and of the shapes

    With T positions, a matrix has a row and a column for each of the T D_l entries of all positions. W is then the
    matrix of the linear map of layer l + 1 for all positions. For a normalisation, B is its Jacobian.
    """
    layer, W, derivative = at.maps[l + 1], at.weights_by_layer[l + 1], at.forward.derivatives[l]
    normalised = isinstance(derivative, NormalisationJacobian)
    if isinstance(layer, Dense) and at.network.positions[l + 1] == 1 and not normalised:
        kernel = layer.kernel(W)
        return (kernel.T @ M @ kernel) * outer(derivative)
    C = at.network.widths[l + 2]
    return _both_sides(at.xp, lambda rows: derivative * layer.pulled_back(W, rows), C, M)


def _both_sides(xp: Namespace, transposed: Callable[[Array], Array], C: int, M: Array) -> Array:
    """A^T M A (N, D, D) for M (N, T C, T C), with a matrix A (T C, D) per datapoint.

    transposed: the function of rows (S, N T, C) that returns the products of the rows with A, (S, N T', D / T'), where
                the D columns of A belong to T' positions
    """
    for _ in range(2):
        N, S, _ = M.shape
        rows = xp.reshape(xp.permute_dims(M, (1, 0, 2)), (S, -1, C))
        M = xp.permute_dims(xp.reshape(transposed(rows), (S, N, -1)), (1, 2, 0))
    return M


def second_term(at: Linearisation, l: int, D: Array | NormalisationSecondTerm) -> Array:
    """The term of (8) in second derivatives as a matrix per datapoint, (N, T D_l, T D_l).

    D: the diagonals (10), or the matrices of a normalisation
    """
    if isinstance(D, NormalisationSecondTerm):
        return over_positions(at.xp, D.matrices(), at.network.positions[l + 1])
    return diagonal(at.xp, entries(at, D))


def entries(at: Linearisation, rows: Array) -> Array:
    """The entries of all positions of each datapoint: (N T, C) to (N, T C)."""
    return at.xp.reshape(rows, (at.X.shape[0], -1))


def over_positions(xp: Namespace, M: Array, T: int) -> Array:
    """The matrix of all T positions of each datapoint, (N, T C, T C), from M (N T, C, C), with 0 between positions."""
    if T == 1:
        return M
    C = M.shape[-1]
    same_position = identity_like(xp, T, M)[:, None, :, None]
    return xp.reshape(xp.reshape(M, (-1, T, C, 1, C)) * same_position, (-1, T * C, T * C))


def mean_blocks(at: Linearisation, M: Arrays) -> Arrays:
    """The blocks (7) or (16) of all layers with weights, from the matrices M (N, T D_l, T D_l) of each layer.

    The block is 1/N sum_n sum_t sum_t' (a_nt a_nt'^T) kron M_n[t, t'], with all pairs of positions. For a layer
    with a dense block or with several groups, A_nt^T M_n[t, t'] A_nt' replaces the Kronecker product, where A_nt is
    dh_nt / dvec(W).
    """
    inputs, T = at.forward.inputs, at.network.positions[1:]
    return tuple(
        _mean_dense_block(at.xp, layer, inputs[l], M[l], T[l])
        if layer.has_dense_block
        else _mean_block(at, layer.by_group(inputs[l]), M[l], T[l])
        for l, layer in at.network.weighted.items()
    )


def _mean_dense_block(xp: Namespace, layer: WeightedMap, inputs: Array, M: Array, T: int) -> Array:
    """The mean of A^T M A over the datapoints, with the derivative A of all entries of h_l with respect to vec(W_l)."""

    def transposed(rows: Array) -> Array:
        return sum_over_positions(xp, layer.roots(rows, inputs)[0], T)

    return xp.mean(_both_sides(xp, transposed, M.shape[1] // T, M), axis=0)


def _mean_block(at: Linearisation, groups: Arrays, M: Array, T: int) -> Array:
    """The block of a whole layer, from the inputs (N T, I) of each of its groups, and from M (N, T D_l, T D_l).

    With several groups, the block also has the parts between two groups.
    """
    xp, (N, _, size) = at.xp, M.shape
    if T == len(groups) == 1:
        return mean_kron(xp, groups[0], M)
    n, I = len(groups), groups[0].shape[1]
    o = size // T // n
    A = [xp.matrix_transpose(xp.reshape(a, (N, T, I))) for a in groups]
    M = xp.reshape(M, (N, T, n, o, T, n, o))
    parts = [[_part(xp, A[i], A[j], M[:, :, i, :, :, j, :]) for j in range(n)] for i in range(n)]
    return xp.reshape(xp.concat([xp.concat(row, axis=3) for row in parts], axis=1), (I * n * o, I * n * o))


def _part(xp: Namespace, left: Array, right: Array, M: Array) -> Array:
    """The part (I, O, I, O) of a block for a pair of groups, from their inputs (N, I, T) and M (N, T, O, T, O)."""
    (N, I, T), O = left.shape, M.shape[-1]
    half = xp.reshape(left @ xp.reshape(M, (N, T, O * T * O)), (N, I * O, T, O))
    half = xp.reshape(xp.permute_dims(half, (0, 2, 1, 3)), (N, T, I * O * O))
    # the axes are the inputs of `right`, the inputs of `left`, the outputs of `left` and the outputs of `right`
    mean = xp.reshape(xp.mean(right @ half, axis=0), (I, I, O, O))
    return xp.permute_dims(mean, (1, 2, 0, 3))
