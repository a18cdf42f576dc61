"""KFLR for networks with positions: expand and reduce from the columns of a root of H_L.

H_L of a datapoint has a block for each of the T_L positions of the outputs. The root of H_L has K columns for each
position, and T_L K columns in total. From the outputs down to the last layer that mixes positions, the columns of
position t are zero at all other positions, and the K columns of all positions are propagated together. Below that
layer, all T_L K columns are propagated.
"""

from .._algebra.matrices import identity_like
from .._linearisation.linearisation import GaussNewtonLinearisation
from .._types import Array, Arrays
from ..backends import gram
from .sharing import per_group, sum_over_positions, sums_positions


def kflr_factor_over_positions(at: GaussNewtonLinearisation, sharing: str, memory: int) -> tuple[Arrays, Arrays]:
    """dE/dh_l (N T_l, D_l) of every layer, and G of every Kronecker block, computed in chunks of datapoints.

    memory: the number of bytes that the arrays of a chunk may need
    """
    N, chunk = at.X.shape[0], max(1, memory // _bytes_per_datapoint(at))
    total: list[Array] = []
    for start in range(0, N, chunk):
        sums = _sums(at.part(start, min(start + chunk, N)), sharing)
        total = [t + s for t, s in zip(total, sums, strict=True)] if total else sums
    return at.dE_dh(), tuple(t / N for t in total)


def _sums(at: GaussNewtonLinearisation, sharing: str) -> list[Array]:
    """The sum of the G of the datapoints of a linearisation, for each Kronecker block of each layer with weights."""
    network, weights = at.network, at.weights_by_layer
    rows, separate = _root(at), True
    found = [(rows, separate)]
    for l in reversed(range(len(network.layers) - 1)):
        layer = network.maps[l + 1]
        if separate and layer.mixes_positions:
            rows, separate = _columns_of_positions(at, rows, network.positions[l + 2]), False
        rows = at.forward.derivatives[l] * layer.pulled_back(weights[l + 1], rows)
        found.append((rows, separate))
    found.reverse()
    separated = [found[l][1] for l, layer in network.weighted.items() for _ in range(layer.groups)]
    parts = per_group(at, tuple(rows for rows, _ in found))
    groups = zip(parts, separated, sums_positions(network, sharing), strict=True)
    summed = (sum_over_positions(at.xp, v, T) if inside and not alone else v for (v, T), alone, inside in groups)
    return [gram(at.xp.reshape(v, (-1, v.shape[-1]))) for v in summed]


def _root(at: GaussNewtonLinearisation) -> Array:
    """The K columns of the root of each output position, as rows (K, n T_L, D_L) for n datapoints."""
    units = identity_like(at.xp, at.root_size, at.outputs)[:, None, :]
    shape = at.root_size, at.outputs.shape[0], at.root_size
    return at.output_curvature.root_product(at.xp.broadcast_to(units, shape))


def _columns_of_positions(at: GaussNewtonLinearisation, rows: Array, T: int) -> Array:
    """The columns (T K, n T, D) of single positions, from rows (K, n T, D) that hold the columns of all positions."""
    if T == 1:
        return rows
    xp, (K, _, D) = at.xp, rows.shape
    same_position = identity_like(xp, T, rows)[:, None, None, :, None]
    return xp.reshape(xp.reshape(rows, (1, K, -1, T, D)) * same_position, (T * K, -1, D))


def _bytes_per_datapoint(at: GaussNewtonLinearisation) -> int:
    """The bytes per datapoint of the arrays that exist at once: three sets of columns and two of products."""
    network, bits = at.network, at.xp.finfo(at.outputs.dtype).bits
    sizes = [C * T for C, T in zip(network.widths[1:], network.positions[1:], strict=True)]
    # no rows are pulled back through layer 1. Its P columns are left out, since an embedding has one for each token
    widths = [
        network.positions[l + 1] * sum(max(O, P if l else 0) for O, P in layer.block_shapes(shape))
        for (l, layer), shape in zip(network.weighted.items(), network.weight_shapes, strict=True)
    ]
    columns = at.root_size * network.positions[-1]
    return int(columns * (3 * max(sizes) + 2 * max(widths)) * bits // 8)
