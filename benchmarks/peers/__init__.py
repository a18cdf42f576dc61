"""The same work in other libraries. Each call starts at the datapoints, and ends when the factors exist.

BackPACK computes the gradient in the same call. Curvlinops and kfac-jax compute the factors alone.
"""

import importlib
import importlib.util
from collections.abc import Collection, Mapping

from ..batch import Batch
from ..timing import Call

PEERS = {"backpack": "torch", "curvlinops": "torch", "kfac_jax": "jax"}
"""The peers, by module, with the array library of each."""


def peer_calls(batches: Mapping[str, Batch], works: Collection[str]) -> dict[tuple[str, str], Call]:
    """A call for each of these works in each installed peer, by the names of the work and of the peer."""
    calls: dict[tuple[str, str], Call] = {}
    for name, library in PEERS.items():
        if library in batches and importlib.util.find_spec(name):
            module = importlib.import_module(f".{name}", __package__)
            for work in module.WORKS.keys() & works:
                calls[work, module.NAME] = module.WORKS[work](batches[library])
    return calls
