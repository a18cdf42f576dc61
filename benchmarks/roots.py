"""KFLR of the autoencoder: time, floor and peak memory of one call in a fresh process, for 100 and 1000 datapoints."""

import importlib.util
import statistics

from .child import Measured, measured
from .floor import seconds
from .libraries import Library
from .rates import products, rates
from .rows import Row
from .settings import Settings
from .sizes import AUTOENCODER, Sizes
from .timed import sharing
from .timing import Ratio, interleaved
from .work import BY_NAME

BATCHES = (100, 1000)
QUICK = Sizes((20, 30, 10, 30, 20), 50)

LARGEST_OF_BACKPACK = 100
"""The number of datapoints above which BackPACK would need more than 10 GiB."""


def kflr_of_autoencoder(settings: Settings) -> list[Row]:
    """A row for each number of datapoints and each backend, and for BackPACK."""
    batches = [QUICK] if settings.quick else [Sizes(AUTOENCODER, N) for N in BATCHES]
    return [row for sizes in batches for row in _rows(sizes, settings)]


def _rows(sizes: Sizes, settings: Settings) -> list[Row]:
    libraries = sharing(settings)
    peer = settings.peers and importlib.util.find_spec("backpack") and sizes.N <= LARGEST_OF_BACKPACK
    names = [*settings.backends, *["BackPACK"] * bool(peer)]
    found = {name: measured("KFLR", name, sizes, settings) for name in names}
    bound = _floor(sizes, libraries, settings)
    return [_row(sizes, name, one, bound) for name, one in found.items()]


def _row(sizes: Sizes, name: str, one: Measured, bound: float) -> Row:
    over = one.seconds / bound
    return Row(
        "roots",
        f"KFLR, N = {sizes.N}",
        name,
        one.seconds,
        {"over floor": Ratio(over, over, over)},
        peak=one.peak,
    )


def _floor(sizes: Sizes, libraries: list[Library], settings: Settings) -> float:
    """The floor in seconds, with the median of the highest rates in the rounds."""
    terms = BY_NAME["KFLR"].terms(sizes)
    bounds = rates(interleaved(products(libraries, [terms]), settings.rounds, settings.time), libraries)
    return statistics.median(seconds(terms, best) for best in bounds)
