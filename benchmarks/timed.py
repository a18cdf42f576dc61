"""The tables of one network: each piece of work on each backend, over a gradient and over its floor.

All calls of a table are timed in the same rounds: the work on each backend and in each peer, autograd's gradient, and
the products of matrices whose rates give the floors. The floor has the rates of the fastest library, and the column
"over own rate" has the rates of the library of the row.
"""

import statistics
from dataclasses import replace
from typing import NamedTuple

from . import floor
from .batch import Batch, batch
from .floor import Terms
from .launches import launches
from .libraries import GPU, HOST, Library, usable
from .peers import PEERS, peer_calls
from .rates import Shape, products, rates
from .rows import Row
from .settings import Settings
from .sizes import AUTOENCODER, CLASSIFIER, SMALL, Sizes
from .timing import Call, Ratio, interleaved, ratio
from .work import ADAM, BY_NAME

AUTOGRAD = "autograd gradient"

FACTORS_ALONE = ("curvlinops", "kfac-jax")
"""The peers whose calls compute no gradient, and so have a lower floor than the other calls."""


class Table(NamedTuple):
    """A network, and the names of the work that is timed on it."""

    name: str
    sizes: Sizes
    works: tuple[str, ...]


WITHOUT_ROOTS = tuple(name for name in BY_NAME if name not in ("KFLR", "KFAC of given labels", "HessianFree step"))

TABLES = (
    Table("autoencoder", Sizes(AUTOENCODER, 1000), WITHOUT_ROOTS),
    Table("classifier", Sizes(CLASSIFIER, 1000, "categorical"), (*WITHOUT_ROOTS, "KFLR")),
    Table("small", Sizes(SMALL, 128, "categorical"), ("gradient", "KFRA", "KFLR", ADAM, "KFRA step")),
)

QUICK = {"autoencoder": Sizes((20, 30, 10, 30, 20), 50), "classifier": Sizes((20, 30, 5), 50, "categorical")}
"""The networks that replace those of the tables in a quick run."""


class Timed(NamedTuple):
    """The name of a timed call: the work and the library."""

    work: str
    library: str


def timed_table(table: Table, settings: Settings) -> list[Row]:
    """The rows of a table."""
    sizes = QUICK.get(table.name, table.sizes) if settings.quick else table.sizes
    works = [BY_NAME[name] for name in table.works if name in (settings.works or BY_NAME)]
    libraries = sharing(settings)
    batches = {library.name: batch(library, sizes) for library in libraries}
    calls: dict[Timed, Call] = references(batches)
    for name in settings.backends:
        calls |= {Timed(work.name, name): work.prepare(batches[name]) for work in works}
    if settings.peers:
        peers = peer_calls(batches, [work.name for work in works])
        calls |= {Timed(*name): call for name, call in peers.items()}
    bounds = products(libraries, (work.terms(sizes) for work in works))
    times = interleaved({**calls, **bounds}, settings.rounds, settings.time)
    rows = {name: _row(table.name, name, times, sizes, libraries) for name in calls}
    if settings.launches:
        rows = {name: _with_launches(row, calls[name], libraries) for name, row in rows.items()}
    return list(rows.values())


def sharing(settings: Settings) -> list[Library]:
    """The usable libraries that share the device of the chosen backends. A quick run has the chosen ones alone."""
    if settings.quick:
        return usable(settings.backends, settings.dtype)
    return usable(GPU if set(settings.backends) & set(GPU) else HOST, settings.dtype)


def references(batches: dict[str, Batch]) -> dict[Timed, Call]:
    """The gradient of PyTorch, if PyTorch is usable."""
    found = [b for name, b in batches.items() if name in ("torch", "torch-cuda")]
    if not found:
        return {}
    from . import autograd

    return {Timed(AUTOGRAD, "PyTorch"): autograd.gradient(found[0])}


def _row(case: str, name: Timed, times: dict[Timed, list[float]], sizes: Sizes, libraries: list[Library]) -> Row:
    """The row of a timed call, for one unit of its work."""
    alone, work = name.library in FACTORS_ALONE, BY_NAME.get(name.work)
    ratios, phases = over_calls(name, times), {}
    if work and not alone:
        terms = work.terms(sizes)
        ratios |= _over_floors(name, times, terms, libraries)
        phases = _phases(floor.times(terms, 1 / work.units), rates(times, libraries))
    seconds = statistics.median(times[name]) / _units(name)
    return Row(case, name.work, name.library, seconds, ratios, phases, note="without the gradient" if alone else "")


def _units(name: Timed) -> int:
    return BY_NAME[name.work].units if name.work in BY_NAME else 1


def over_calls(name: Timed, times: dict[Timed, list[float]]) -> dict[str, Ratio]:
    """The ratios of the time of one unit to other calls."""
    others = {"over gradient": Timed(AUTOGRAD, "PyTorch")}
    if name.work == "KFRA step":
        others["over Adam step"] = Timed(ADAM, name.library)
    if name.library in PEERS:
        others["over kfgn"] = Timed(name.work, PEERS[name.library][1])
    return {
        heading: ratio([t / _units(name) for t in times[name]], [t / _units(other) for t in times[other]])
        for heading, other in others.items()
        if other in times and other != name
    }


def _over_floors(
    name: Timed, times: dict[Timed, list[float]], terms: Terms, libraries: list[Library]
) -> dict[str, Ratio]:
    """The ratios to the floor at the rates of the fastest library, and of the library of the call."""
    own = [library for library in libraries if library.name == name.library]
    rated = {"over floor": rates(times, libraries), "over own rate": rates(times, own)}
    return {
        heading: ratio(times[name], [floor.seconds(terms, rate) for rate in found])
        for heading, found in rated.items()
        if found
    }


def _phases(terms: Terms, bounds: list[dict[Shape, float]]) -> dict[str, float]:
    """The floor of each phase in seconds: the median over the rounds."""
    return {
        phase: statistics.median(floor.seconds(floor.of_phase(terms, phase), best) for best in bounds)
        for phase in floor.by_phase(terms)
    }


def _with_launches(row: Row, call: Call, libraries: list[Library]) -> Row:
    """The row with the number of launches in one unit of its work, for the backends on PyTorch."""
    for library in libraries:
        found = launches(call, library) if library.name == row.library else None
        if found is not None:
            return replace(row, launches=found / BY_NAME[row.work].units)
    return row
