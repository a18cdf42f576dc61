"""KFLR for networks with positions: expand and reduce from the columns of a root of H_L."""

from .._linearisation.linearisation import GaussNewtonLinearisation
from .._types import Array, Arrays
from ..backends import gram
from .chunk_memory import chunks
from .columns import Columns, bytes_of_columns, carried_back, root_columns
from .sharing import sum_over_positions


def kflr_factor_over_positions(at: GaussNewtonLinearisation, sharing: str, memory: int | None) -> tuple[Arrays, Arrays]:
    """dE/dh_l (N T_l, D_l) of every layer, and G of every Kronecker block, computed in chunks of datapoints.

    memory: the number of bytes that the arrays of a chunk may need; None for the default
    """
    total: list[Array] = []
    for start, stop in chunks(at, memory, bytes_of_columns(at, at.root_size * at.network.positions[-1])):
        sums = _sums(at.part(start, stop), sharing)
        total = [t + s for t, s in zip(total, sums, strict=True)] if total else sums
    return at.dE_dh(), tuple(t / at.X.shape[0] for t in total)


def _sums(at: GaussNewtonLinearisation, sharing: str) -> list[Array]:
    """For each Kronecker block, the sum of G over the datapoints of a linearisation."""
    sums: list[Array] = []
    for l, columns in carried_back(at, root_columns(at)):
        if l in at.network.weighted:
            sums = [*_of_blocks(at, l, columns, sharing), *sums]
    return sums


def _of_blocks(at: GaussNewtonLinearisation, l: int, columns: Columns, sharing: str) -> list[Array]:
    """For each block of a layer, the sum of v v^T, where v is the part of a column at one position.

    The sum is over datapoints, columns and positions. For "reduce" and for a dense block, the sum of a column over the
    positions replaces its parts v. A column that belongs to one position has only one part v, and the sum of the column
    over the positions is this part.
    """
    xp, layer = at.xp, at.network.weighted[l]
    blocks = layer.roots(columns.rows, at.forward.inputs[l])
    if (sharing == "reduce" or layer.has_dense_block) and not columns.separate:
        blocks = tuple(sum_over_positions(xp, v, at.network.positions[l + 1]) for v in blocks)
    return [gram(xp.reshape(v, (-1, v.shape[-1]))) for v in blocks]
