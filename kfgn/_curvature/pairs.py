"""The pairs of a batch: the inputs and the columns of each group, from which TKFAC, TNT, KFOC and EKFAC are computed.

A group is the part of a layer with one Kronecker block: a group of outputs of a convolution with groups, and otherwise
the whole layer. At position t of datapoint n, the weights of a group have the inputs a_nt, and C_ntc is column c of a
root of H_L, carried back to the pre-activations of the group. For S given labels, C_nt has the S columns of
`label_columns` instead. With P_nc = sum_t C_ntc a_nt^T, the matrix 1/N sum_n sum_c vec(P_nc) vec(P_nc)^T is the exact
block, or an estimate of the exact block for given labels.
"""

from collections.abc import Callable
from typing import NamedTuple

from array_api_compat import array_namespace

from .._linearisation.arguments import checked_labels, gauss_newton_split
from .._linearisation.linearisation import (
    GaussNewtonLinearisation,
    Linearisation,
    checked_batch,
    linearised,
    linearised_for_gauss_newton,
)
from .._network.embedding import EmbeddingMap
from .._network.network import Network
from .._types import Array, Arrays, Weights
from .._validation.scalars import checked_count
from ..backends import matmul
from .chunk_memory import chunks
from .columns import Columns, bytes_of_columns, carried_back, label_columns, root_columns
from .factor_memory import check_memory
from .kfac import rows_of_labels, swap_samples
from .sharing import sum_over_positions

COPIES = 4
"""The largest number of large arrays that exist at once. Each has the size of all P_nc of a group in a chunk."""


class Pairs(NamedTuple):
    """The pairs of n datapoints for one group of a layer.

    If every column belongs to one position, P_nc is one term of the sum over t. Each position is then treated as a
    datapoint with T = 1.

    a: the inputs, (n, T, I)
    C: the columns, (K, n, T, O)
    """

    a: Array
    C: Array

    @property
    def positions(self) -> int:
        """The number T of positions."""
        return int(self.a.shape[1])

    def flat(self) -> tuple[Array, Array]:
        """The inputs (n T, I) and the columns (K, n T, O) with the positions of all datapoints along one axis."""
        xp, (K, _, _, O) = array_namespace(self.a), self.C.shape
        return xp.reshape(self.a, (-1, self.a.shape[2])), xp.reshape(self.C, (K, -1, O))

    def gradients(self) -> Array:
        """P_nc = sum_t C_ntc a_nt^T for every datapoint and column, (n K, O, I)."""
        xp, (K, n, T, O) = array_namespace(self.a), self.C.shape
        by_datapoint = xp.reshape(xp.permute_dims(self.C, (1, 0, 3, 2)), (n, K * O, T))
        return xp.reshape(matmul(by_datapoint, self.a), (n * K, O, self.a.shape[2]))


class PairsOfBatch:
    """The pairs of all groups of a batch, in chunks of datapoints.

    If there is one chunk, its pairs are computed once. Otherwise every call of `means` computes the pairs again.

    labels: (S, N T_L, ...), with one row for each output position of each datapoint; None for the root of H_L
    memory: the number of bytes that the arrays of a chunk may need; None for the default
    """

    def __init__(self, at: Linearisation, labels: Array | None = None, memory: int | None = None) -> None:
        self.at, self._labels = at, labels
        self._chunks = chunks(at, memory, _bytes_per_datapoint(at, labels))
        self._kept = self._of_chunk(*self._chunks[0]) if len(self._chunks) == 1 else None

    def means(self, sums: Callable[[int, Pairs], Arrays]) -> list[Arrays]:
        """The results of a function for every group, summed over the chunks and divided by N.

        sums: a function of the index of a group, from 0, and of the pairs of this group in a chunk
        """
        total: list[Arrays] = []
        for bounds in self._chunks:
            found = [sums(j, pairs) for j, pairs in enumerate(self._kept or self._of_chunk(*bounds))]
            total = [_plus(a, b) for a, b in zip(total, found, strict=True)] if total else found
        N = self.at.X.shape[0]
        return [tuple(array / N for array in arrays) for arrays in total]

    def _of_chunk(self, start: int, stop: int) -> list[Pairs]:
        """The pairs of all groups for the datapoints start, ..., stop - 1."""
        at = self.at.part(start, stop)
        found: list[Pairs] = []
        for l, columns in carried_back(at, self._output_columns(at, start, stop)):
            if l in at.network.weighted:
                found = [*_of_layer(at, l, columns), *found]
        return found

    def _output_columns(self, at: Linearisation, start: int, stop: int) -> Columns:
        if self._labels is not None:
            T = at.network.positions[-1]
            return label_columns(at, self._labels[:, start * T : stop * T, ...])
        assert isinstance(at, GaussNewtonLinearisation)
        return root_columns(at)


def _of_layer(at: Linearisation, l: int, columns: Columns) -> list[Pairs]:
    """The pairs of each block of a layer. With separate columns, each position is a datapoint.

    A dense block has the input 1 at every position. If its columns are not separate, they are summed over the
    positions, so that T is 1.
    """
    xp, T, layer = at.xp, 1 if columns.separate else at.network.positions[l + 1], at.network.weighted[l]
    inputs, of_blocks = layer.by_group(at.forward.inputs[l]), layer.roots(columns.rows, at.forward.inputs[l])
    if layer.has_dense_block and T > 1:
        inputs = tuple(a[: a.shape[0] // T, :] for a in inputs)
        of_blocks, T = tuple(sum_over_positions(xp, C, T) for C in of_blocks), 1
    return [
        Pairs(xp.reshape(a, (-1, T, a.shape[1])), xp.reshape(C, (C.shape[0], -1, T, C.shape[2])))
        for a, C in zip(inputs, of_blocks, strict=True)
    ]


def _plus(a: Arrays, b: Arrays) -> Arrays:
    return tuple(x + y for x, y in zip(a, b, strict=True))


def _bytes_per_datapoint(at: Linearisation, labels: Array | None) -> int:
    """The bytes per datapoint of the columns of all layers, and of the arrays that exist at once for one layer.

    For an embedding, the bytes include the one-hot vectors of the tokens, and the array of booleans from which these
    vectors are made.
    """
    network, T = at.network, at.network.positions
    root_size = gauss_newton_split(network).root_size(network.widths[-1]) if labels is None else 0
    columns = root_size * T[-1] if labels is None else labels.shape[0]
    shared = [T[l + 1] > 1 for l, layer in network.weighted.items() for _ in range(layer.groups)]
    gradients = [D * P for (D, P), several in zip(network.block_shapes, shared, strict=True) if several]
    kept = sum(C * t for C, t in zip(network.widths[1:], T[1:], strict=True))
    one_hot = sum(T[l + 1] * layer.tokens for l, layer in network.weighted.items() if isinstance(layer, EmbeddingMap))
    numbers = columns * (kept + COPIES * max(gradients, default=0)) + one_hot
    return bytes_of_columns(at, columns) + int(numbers * at.xp.finfo(at.outputs.dtype).bits // 8) + one_hot


def pairs_at_labels(at: Linearisation, labels: Array, memory: int | None = None) -> PairsOfBatch:
    """The pairs of a batch at given labels (N, S, ...)."""
    return PairsOfBatch(at, rows_of_labels(at.network, swap_samples(at.xp, labels)), memory)


def checked_pairs(
    network: Network,
    weights: Weights,
    X: Array,
    Y: Array,
    labels: Array | None,
    memory: int | None,
    *,
    sets: int = 1,
    check: bool,
) -> PairsOfBatch:
    """Check the arguments of a public function, and return the pairs of the batch.

    sets: the number of sets of factors that exist at a time
    """
    batch = checked_batch(network, weights, X, Y, check=check)
    return pairs_of_checked(network, batch, labels, memory, sets=sets, check=check)


def pairs_of_checked(
    network: Network,
    batch: tuple[Arrays, Array, Array],
    labels: Array | None,
    memory: int | None,
    *,
    sets: int = 1,
    check: bool,
) -> PairsOfBatch:
    """Check `labels` and `memory`, and return the pairs of a batch that has been checked.

    sets: the number of sets of factors that exist at a time; 0 if no factors are computed
    """
    (W_1, *_), X, _ = batch
    labels = None if labels is None else checked_labels(network, X, labels, check=check)
    memory = None if memory is None else checked_count("memory", memory)
    if sets:
        check_memory(network, W_1, sets=sets)
    if labels is None:
        return PairsOfBatch(linearised_for_gauss_newton(network, *batch), None, memory)
    return pairs_at_labels(linearised(network, *batch), labels, memory)
