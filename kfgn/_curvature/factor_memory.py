"""The memory for Kronecker factors, and an error that is raised before factors that do not fit are allocated."""

from array_api_compat import array_namespace

from .._network.network import Network
from .._types import Array
from ..backends import available_memory

SMALL = 2**28
"""The memory for factors, in bytes, below which the available memory of the device is not queried."""

TEMPORARIES = 2
"""The number of temporary arrays that the computation of a factor needs, each in the shape of the factor."""


def check_memory(network: Network, like: Array, *, sets: int = 1) -> None:
    """Raise `MemoryError` if the device reports less available memory than the computation of all factors needs.

    like: an array of the dtype and on the device of the factors
    sets: the number of sets of factors that exist at a time

    Factors that need less than `SMALL` bytes are not checked.
    """
    itemsize = array_namespace(like).finfo(like.dtype).bits // 8
    shapes = dict(zip(_block_names(network), network.block_shapes, strict=True))
    sizes = {f"G_{name}": D for name, (D, _) in shapes.items()} | {f"Q_{name}": P for name, (_, P) in shapes.items()}
    name = max(sizes, key=sizes.__getitem__)
    D = sizes[name]
    needed = itemsize * (sets * sum(n * n for n in sizes.values()) + TEMPORARIES * D * D)
    if needed < SMALL:
        return
    available = available_memory(like)
    if available is not None and needed > available:
        raise MemoryError(
            f"{name}: expected Kronecker factors that fit in {_gigabytes(available)} of available memory, got shape "
            f"{(D, D)} of {like.dtype}, and {_gigabytes(needed)} for all factors; kfgn.HessianFree, "
            "kfgn.solve_gauss_newton and kfgn.gauss_newton_product need no factors"
        )


def _block_names(network: Network) -> list[str]:
    """The names of the Kronecker blocks: the number of the layer and, if the layer has groups, of the group, from 1."""
    names = []
    for l, layer in enumerate(network.weighted.values(), start=1):
        names += [f"{l}, group {j}" for j in range(1, layer.groups + 1)] if layer.groups > 1 else [str(l)]
    return names


def _gigabytes(n: int) -> str:
    return f"{n / 1e9:.3g} GB"
