"""Adapters of other libraries. Each is imported only when it is used.

    kfgn-check --adapter kfgn_conformance.adapters.peers.backpack:BackPACK

An adapter passes a problem to its library in the library's own way and returns the result unchanged. It declares the
conventions of the library and converts nothing. It raises `UnsupportedError`, with the reason, for a problem that the
library does not support.
"""

from ...problems.problem import Problem
from .. import UnsupportedError


def transfer_names(problem: Problem) -> tuple[str, ...]:
    """f_1, ..., f_{L-1} by name. `UnsupportedError` for one with a parameter, and for a layer without a bias."""
    if not all(layer.bias for layer in problem.layers):
        raise UnsupportedError("takes no layers without a bias")
    names = tuple(f for f in problem.transfers if isinstance(f, str))
    if names != problem.transfers:
        raise UnsupportedError("takes no transfer functions with a parameter")
    return names
