"""Adapters of other libraries. The module of an adapter is imported only if the adapter is used.

    kfgn-check --adapter kfgn_conformance.adapters.peers.backpack:BackPACK

An adapter passes a problem to its library as a user of the library would, and returns the library's result. The adapter
combines Kronecker factors into blocks, and orders the parts of a result. An adapter declares the conventions of its
library, and the kit translates the result. An adapter raises `UnsupportedError`, with the reason, for a problem that
its library does not support.
"""

from ...problems.problem import Problem
from .. import UnsupportedError


def transfer_names(problem: Problem) -> tuple[str, ...]:
    """The names of the transfer functions f_1, ..., f_{L-1}.

    Raises `UnsupportedError` for a transfer function with a parameter, and for a layer without a bias.
    """
    if not all(layer.bias for layer in problem.weighted):
        raise UnsupportedError("no support for layers without a bias")
    names = tuple(f for f in problem.transfers if isinstance(f, str))
    if names != problem.transfers:
        raise UnsupportedError("no support for transfer functions with a parameter")
    return names
