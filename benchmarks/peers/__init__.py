"""The same work in other libraries. Each call starts at the datapoints, and ends when the factors exist.

BackPACK computes the gradient in the same call. Curvlinops and kfac-jax compute the factors alone.
"""

import importlib
import importlib.util
from collections.abc import Collection, Mapping

from ..batch import Batch
from ..timing import Call

PEERS = {"BackPACK": ("backpack", "torch"), "curvlinops": ("curvlinops", "torch"), "kfac-jax": ("kfac_jax", "jax")}
"""The module of each peer, and the backend of kfgn with the same array library."""


def peer_calls(batches: Mapping[str, Batch], works: Collection[str]) -> dict[tuple[str, str], Call]:
    """A call for each of these works in each installed peer, by the names of the work and of the peer."""
    calls: dict[tuple[str, str], Call] = {}
    for peer, (name, library) in PEERS.items():
        if library in batches and importlib.util.find_spec(name):
            found = importlib.import_module(f".{name}", __package__).WORKS
            calls |= {(work, peer): found[work](batches[library]) for work in works if work in found}
    return calls
