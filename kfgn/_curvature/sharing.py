"""Expand and reduce: the second factor of a layer whose weights are used at several positions of a datapoint.

Let v be a column of a root of H_L that is propagated back to the pre-activations, and let v_nt be the part of v at
position t of datapoint n. Expand takes the sum over t of v_nt v_nt^T. Reduce takes s_n s_n^T, where s_n is the sum over
t of v_nt. With one position both are (25).
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
    """The second factor of each Kronecker block, from rows v of the shape (..., N T_l, D_l) for each layer.

    Expand has the sum of v v^T over the T_l positions. Reduce has s s^T with the sum s of v over the positions. Dense
    blocks always have s s^T. The results are means over the datapoints and the leading axes.
    """
    found = []
    for (v, T), summed in zip(per_group(at, rows), sums_positions(at.network, sharing), strict=True):
        if summed:
            found.append(second_moment(at.xp, sum_over_positions(at.xp, v, T)))
        else:
            found.append(times(second_moment(at.xp, v), T))
    return tuple(found)


def per_group(at: Linearisation, rows: Arrays) -> list[tuple[Array, int]]:
    """The rows (..., N T_l, O) of each Kronecker block, with T_l, from the rows (..., N T_l, D_l) of each layer."""
    inputs, T = at.forward.inputs, at.network.positions[1:]
    return [(v, T[l]) for l, layer in at.network.weighted.items() for v in layer.roots(rows[l], inputs[l])]


def sums_positions(network: Network, sharing: str) -> list[bool]:
    """One boolean per Kronecker block, True if the second factor is made of outer products of sums over the positions.

    For "reduce", all blocks have True. For "expand", only the dense blocks have True, since the G of a dense block is
    the whole block.
    """
    layers = network.weighted.values()
    return [sharing == "reduce" or layer.has_dense_block for layer in layers for _ in range(layer.groups)]


def by_group(network: Network, arrays: Arrays) -> Arrays:
    """The weights of each Kronecker block, from arrays of the shapes of the weights."""
    layers = zip(network.weighted.values(), arrays, strict=True)
    return tuple(block for layer, W in layers for block in layer.split(W))


def of_groups(network: Network, blocks: Arrays) -> Arrays:
    """Arrays in the shapes of the weights, made from one array per Kronecker block."""
    remaining, layers = iter(blocks), network.weighted.values()
    return tuple(layer.joined(tuple(next(remaining) for _ in range(layer.groups))) for layer in layers)


def sum_over_positions(xp: Namespace, rows: Array, T: int) -> Array:
    """The sum over the T positions of each datapoint: (..., N T, D) to (..., N, D)."""
    return rows if T == 1 else xp.sum(xp.reshape(rows, (*rows.shape[:-2], -1, T, rows.shape[-1])), axis=-2)
