"""Expand and reduce: the second factor of a layer whose weights are used at several positions of a datapoint.

For a column v of a root of H_L that is carried back to the pre-activations, v_nt is its part at position t. Expand
takes the sum over t of v_nt v_nt^T, and reduce takes the product of the sums over t. With one position both are (25).
"""

from .._algebra.matrices import second_moment
from .._linearisation.linearisation import Linearisation
from .._network.divided import times
from .._network.network import Network
from .._types import Array, Arrays, Namespace
from .._validation.scalars import checked_name

SHARINGS = ("expand", "reduce")
"""The values of the option `sharing`."""


def checked_sharing(sharing: str) -> str:
    """Return "expand" or "reduce"."""
    return checked_name("sharing", sharing, SHARINGS)


def second_factors(at: Linearisation, rows: Arrays, sharing: str) -> Arrays:
    """The second factor of each group of each layer with weights, from rows v of the shape (..., N T_l, D_l).

    Expand has the sum of v v^T over the T_l positions. Reduce has s s^T with the sum s of v over the positions. Both
    are averaged over the datapoints and the leading axes.
    """
    found = []
    for v, T in per_group(at, rows):
        if sharing == "reduce":
            found.append(second_moment(at.xp, sum_over_positions(at.xp, v, T)))
        else:
            found.append(times(second_moment(at.xp, v), T))
    return tuple(found)


def per_group(at: Linearisation, rows: Arrays) -> list[tuple[Array, int]]:
    """The columns of each group of rows (..., N T_l, D_l), and T_l, for each layer with weights."""
    network, found = at.network, []
    for l in network.weighted:
        found += [(part, network.positions[l + 1]) for part in columns_of_groups(network, l, rows[l])]
    return found


def columns_of_groups(network: Network, l: int, rows: Array) -> list[Array]:
    """The columns of each group of the layer with index l, from rows (..., N T_l, D_l)."""
    groups = network.weighted[l].groups
    size = network.widths[l + 1] // groups
    return [rows[..., j * size : (j + 1) * size] for j in range(groups)] if groups > 1 else [rows]


def by_group(network: Network, arrays: Arrays) -> Arrays:
    """The rows of each group, one array per Kronecker block, from arrays of the shapes of the weights."""
    found: list[Array] = []
    for layer, W in zip(network.weighted.values(), arrays, strict=True):
        size = W.shape[0] // layer.groups
        found += [W[i : i + size, :] for i in range(0, W.shape[0], size)] if layer.groups > 1 else [W]
    return tuple(found)


def of_groups(xp: Namespace, network: Network, blocks: Arrays) -> Arrays:
    """Arrays of the shapes of the weights from one array per Kronecker block."""
    remaining = iter(blocks)
    parts = [[next(remaining) for _ in range(layer.groups)] for layer in network.weighted.values()]
    return tuple(xp.concat(part, axis=0) if len(part) > 1 else part[0] for part in parts)


def sum_over_positions(xp: Namespace, rows: Array, T: int) -> Array:
    """The sum over the T positions of each datapoint: (..., N T, D) to (..., N, D)."""
    return rows if T == 1 else xp.sum(xp.reshape(rows, (*rows.shape[:-2], -1, T, rows.shape[-1])), axis=-2)
