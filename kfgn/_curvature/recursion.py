"""The step that the recursions (8) and (22) share, and the block (7) of a layer."""

from .._algebra.matrices import identity_like, mean_kron, outer
from .._linearisation.linearisation import Linearisation
from .._network.dense import Dense
from .._network.layer_map import LayerMap
from .._types import Array, Arrays, Namespace


def pull_back(at: Linearisation, l: int, M: Array) -> Array:
    """The product B W^T M W B = (W^T M W) * (f' f'^T), (N, D_l, D_l), for W = W_{l+1} without its bias.

    M: one matrix per datapoint, (N, D_{l+1}, D_{l+1})
    l: the number of the layer in these shapes, minus 1

    With T positions, a matrix has a row and a column for each of the T D_l entries of all positions.
    """
    layer, W, derivative = at.network.maps[l + 1], at.weights_by_layer[l + 1], at.forward.derivatives[l]
    if isinstance(layer, Dense) and at.network.positions[l + 1] == 1:
        kernel = layer.kernel(W)
        return (kernel.T @ M @ kernel) * outer(derivative)
    C = at.network.widths[l + 2]
    half = _columns_pulled_back(at.xp, layer, W, C, M)
    return _columns_pulled_back(at.xp, layer, W, C, half) * outer(entries(at, derivative))


def _columns_pulled_back(xp: Namespace, layer: LayerMap, W: Array, C: int, M: Array) -> Array:
    """A^T M^T (N, D, S) for M (N, S, D'), with the matrix A (D', D) of a layer between all entries of all positions."""
    N, S, _ = M.shape
    rows = xp.reshape(xp.permute_dims(M, (1, 0, 2)), (S, -1, C))
    return xp.permute_dims(xp.reshape(layer.pulled_back(W, rows), (S, N, -1)), (1, 2, 0))


def entries(at: Linearisation, rows: Array) -> Array:
    """The entries of all positions of each datapoint: (N T, C) to (N, T C)."""
    return at.xp.reshape(rows, (at.X.shape[0], -1))


def over_positions(at: Linearisation, M: Array) -> Array:
    """The matrix of all positions of each datapoint, (N, T C, T C), from M (N T, C, C), with 0 between positions."""
    T, C = at.network.positions[-1], M.shape[-1]
    if T == 1:
        return M
    same_position = identity_like(at.xp, T, M)[:, None, :, None]
    return at.xp.reshape(at.xp.reshape(M, (-1, T, C, 1, C)) * same_position, (-1, T * C, T * C))


def mean_blocks(at: Linearisation, M: Arrays) -> Arrays:
    """The blocks (7) or (16) of all layers with weights, from the matrices M (N, T D_l, T D_l) of each layer.

    The block is 1/N sum_n sum_t sum_t' (a_nt a_nt'^T) kron M_n[t, t'], with all pairs of positions.
    """
    inputs, T = at.forward.inputs, at.network.positions[1:]
    weighted = at.network.weighted.items()
    return tuple(_mean_block(at, layer.by_group(inputs[l]), M[l], T[l]) for l, layer in weighted)


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
    """The part (I, O, I, O) of a block between two groups with inputs (N, I, T), from M (N, T, O, T, O)."""
    (N, I, T), O = left.shape, M.shape[-1]
    half = xp.reshape(left @ xp.reshape(M, (N, T, O * T * O)), (N, I * O, T, O))
    half = xp.reshape(xp.permute_dims(half, (0, 2, 1, 3)), (N, T, I * O * O))
    mean = xp.reshape(xp.mean(right @ half, axis=0), (I, I, O, O))  # right and left inputs, left and right outputs
    return xp.permute_dims(mean, (1, 2, 0, 3))
