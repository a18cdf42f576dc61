"""Columns that are carried back through the layers: those of a root of H_L (24), or gradients at sampled labels.

H_L of a datapoint has a block for each of the T_L positions of the outputs, and the root of a block has K columns. The
root of H_L therefore has T_L K columns. From the outputs down to the last layer that mixes positions, the columns of
position t are zero at all other positions, and one array (K, N T, D) contains the columns of all positions. Below this
layer, the array is (T_L K, N T, D). A gradient at a label is one column over all positions.
"""

from collections.abc import Iterator
from typing import NamedTuple

from .._algebra.matrices import identity_like
from .._linearisation.linearisation import GaussNewtonLinearisation, Linearisation
from .._network.divided import square_root
from .._types import Array


class Columns(NamedTuple):
    """The columns at the pre-activations of one layer.

    rows:     (columns, N T, D), with the part of each column at each position
    separate: True if every column belongs to one position and is zero at all others, so that `rows` has the columns of
              all positions together
    """

    rows: Array
    separate: bool


def root_columns(at: GaussNewtonLinearisation) -> Columns:
    """The K columns of the root of each output position, (K, N T_L, D_L)."""
    units, shape = identity_like(at.xp, at.root_size, at.outputs), (at.root_size, at.outputs.shape[0], at.root_size)
    rows = at.output_curvature.root_product(at.xp.broadcast_to(units[:, None, :], shape))
    return Columns(rows, separate=True)


def label_columns(at: Linearisation, labels: Array) -> Columns:
    """The gradients at S labels, divided by sqrt(S divisor), where the divisor is that of the loss: (S, N T_L, D_L).

    The gradients are those of the loss without its divisor. The sum over s of the outer products of the columns is
    therefore the mean of the outer products of these gradients, divided by the divisor once.

    labels: (S, N T_L, ...), with one row for each position of each datapoint
    """
    return Columns(at.gradient_at(labels) / square_root(labels.shape[0] * at.counted.divisor), separate=False)


def carried_back(at: Linearisation, columns: Columns) -> Iterator[tuple[int, Columns]]:
    """The index of each layer and the columns at its pre-activations, from the last layer to the first, by (24).

    columns: the columns at the outputs
    """
    network, weights = at.network, at.weights_by_layer
    last = len(network.layers) - 1
    yield last, columns
    for l in reversed(range(last)):
        layer = at.maps[l + 1]
        if columns.separate and layer.mixes_positions:
            columns = Columns(_of_each_position(at, columns.rows, network.positions[l + 2]), separate=False)
        rows = at.forward.derivatives[l] * layer.pulled_back(weights[l + 1], columns.rows)
        columns = columns._replace(rows=rows)
        yield l, columns


def _of_each_position(at: Linearisation, rows: Array, T: int) -> Array:
    """T K columns (T K, N T, D), each zero at all positions except one, from the rows (K, N T, D) of all positions."""
    if T == 1:
        return rows
    xp, (K, _, D) = at.xp, rows.shape
    same_position = identity_like(xp, T, rows)[:, None, None, :, None]
    return xp.reshape(xp.reshape(rows, (1, K, -1, T, D)) * same_position, (T * K, -1, D))


def bytes_of_columns(at: Linearisation, columns: int) -> int:
    """The bytes per datapoint of the arrays that exist at once while columns are carried back through a layer.

    Three arrays have the columns at pre-activations. Two arrays have the rows of all taps of a convolution, or the rows
    of all Kronecker blocks of a layer.

    columns: the number of columns per datapoint
    """
    network, bits, T = at.network, at.xp.finfo(at.outputs.dtype).bits, at.network.positions
    sizes = [C * t for C, t in zip(network.widths[1:], T[1:], strict=True)]
    layers = list(zip(network.weighted, network.weighted.values(), network.weight_shapes, strict=True))
    # nothing is pulled back through layer 1, whose weights may have a column for each of many tokens
    of_taps = [T[l] * D * -(-P * layer.groups // network.widths[l]) if l else 0 for l, layer, (D, P) in layers]
    of_blocks = [T[l + 1] * sum(O for O, _ in layer.block_shapes(shape)) for l, layer, shape in layers]
    return int(columns * (3 * max(sizes) + 2 * max(*of_taps, *of_blocks)) * bits // 8)
