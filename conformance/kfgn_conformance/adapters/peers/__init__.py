"""Adapters of other libraries, each imported only when it is asked for.

    kfgn-check --adapter kfgn_conformance.adapters.peers.backpack:BackPACK

An adapter hands a problem to the library in the library's own way, and what comes out to the kit as it is: its
conventions are declared, not computed away. What a library does not take is `UnsupportedError`, with the reason.
"""

from ...problems.problem import Problem
from .. import UnsupportedError


def transfer_names(problem: Problem) -> tuple[str, ...]:
    """f_1, ..., f_{L-1} by name. Raises `UnsupportedError` for a parameter, or for a layer without a bias."""
    if not all(layer.bias for layer in problem.layers):
        raise UnsupportedError("takes no layers without a bias")
    names = tuple(f for f in problem.transfers if isinstance(f, str))
    if names != problem.transfers:
        raise UnsupportedError("takes no transfer functions with a parameter")
    return names
