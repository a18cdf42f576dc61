"""KFLR for networks with positions: expand and reduce from the columns of a root of H_L."""

from .._linearisation.linearisation import GaussNewtonLinearisation
from .._types import Array, Arrays
from ..backends import gram
from .chunk_memory import chunks
from .columns import Columns, bytes_of_columns, carried_back, root_columns
from .sharing import columns_of_groups, sum_over_positions


def kflr_factor_over_positions(at: GaussNewtonLinearisation, sharing: str, memory: int | None) -> tuple[Arrays, Arrays]:
    """dE/dh_l (N T_l, D_l) of every layer, and G_l of every group, in chunks of datapoints.

    memory: the number of bytes that the arrays of a chunk may need; None for the default
    """
    total: list[Array] = []
    for start, stop in chunks(at, memory, bytes_of_columns(at, at.root_size * at.network.positions[-1])):
        sums = _sums(at.part(start, stop), sharing)
        total = [t + s for t, s in zip(total, sums, strict=True)] if total else sums
    return at.dE_dh(), tuple(t / at.X.shape[0] for t in total)


def _sums(at: GaussNewtonLinearisation, sharing: str) -> list[Array]:
    """The sums of G_l over the datapoints of a linearisation, for each group of each layer with weights."""
    sums: list[Array] = []
    for l, columns in carried_back(at, root_columns(at)):
        if l in at.network.weighted:
            sums = [*_of_groups(at, l, columns, sharing), *sums]
    return sums


def _of_groups(at: GaussNewtonLinearisation, l: int, columns: Columns, sharing: str) -> list[Array]:
    """The sum of v v^T over the columns v of each group of a layer, and over their positions or after a sum of them."""
    xp, T = at.xp, at.network.positions[l + 1]
    groups = columns_of_groups(at.network, l, columns.rows)
    if sharing == "reduce" and not columns.separate:
        groups = [sum_over_positions(xp, v, T) for v in groups]
    return [gram(xp.reshape(v, (-1, v.shape[-1]))) for v in groups]
