"""Networks whose layers share their weights between positions: each method over a gradient, and other libraries."""

import statistics
from typing import NamedTuple

import kfgn

from .batch import batch_of
from .peers import peer_calls
from .rows import Row
from .settings import Settings
from .timed import FACTORS_ALONE, Timed, over_calls, references, sharing
from .timing import Call, interleaved
from .work import BY_NAME

WORKS = ("gradient", "KFRA", "KFLR", "KFAC, 1 sample")


class Shared(NamedTuple):
    """A network and its number of datapoints.

    peers: the libraries that support the network
    """

    network: kfgn.Network
    N: int
    peers: tuple[str, ...]


def images(side: int, channels: tuple[int, int]) -> kfgn.Network:
    """A classifier of images with two convolutions of 3 x 3 taps, each before a mean over 2 x 2 positions."""
    around = ((1, 1), (1, 1))
    convolutions = (kfgn.Convolution(C, (3, 3), "tanh", padding=around) for C in channels)
    layers = [layer for conv in convolutions for layer in (conv, kfgn.Pooling((2, 2), (2, 2), "mean"))]
    return kfgn.Network((1, side, side), (*layers, kfgn.Flatten(), kfgn.Dense(10)), "categorical")


def tokens(widths: tuple[int, ...], T: int) -> kfgn.Network:
    """Dense layers over T tokens, with one class per token, and the mean over tokens as the loss."""
    layers = [*(kfgn.Dense(D, "tanh") for D in widths[1:-1]), kfgn.Dense(widths[-1])]
    return kfgn.Network((widths[0], T), layers, "categorical", divisor=T)


NETWORKS = {
    "images": Shared(images(28, (8, 16)), 128, ("BackPACK", "curvlinops", "kfac-jax")),
    "tokens": Shared(tokens((64, 256, 64, 10), 16), 128, ("curvlinops", "kfac-jax")),
}

QUICK = {
    "images": Shared(images(8, (2, 3)), 8, ("BackPACK", "curvlinops", "kfac-jax")),
    "tokens": Shared(tokens((4, 8, 3), 5), 8, ("curvlinops", "kfac-jax")),
}


def shared_weights(settings: Settings) -> list[Row]:
    """A row for each network, piece of work and library."""
    networks = QUICK if settings.quick else NETWORKS
    return [row for name, shared in networks.items() for row in _rows(name, shared, settings)]


def _rows(name: str, shared: Shared, settings: Settings) -> list[Row]:
    works = [work for work in WORKS if work in (settings.works or WORKS)]
    batches = {library.name: batch_of(library, shared.network, shared.N) for library in sharing(settings)}
    calls: dict[Timed, Call] = references(batches)
    for library in settings.backends:
        calls |= {Timed(work, library): BY_NAME[work].prepare(batches[library]) for work in works}
    if settings.peers:
        found = peer_calls(batches, works)
        calls |= {Timed(*call): found[call] for call in found if call[1] in shared.peers}
    times = interleaved(calls, settings.rounds, settings.time)
    return [
        Row(
            f"shared, {name}",
            call.work,
            call.library,
            statistics.median(times[call]),
            over_calls(call, times),
            note="without the gradient" if call.library in FACTORS_ALONE else "",
        )
        for call in calls
    ]
