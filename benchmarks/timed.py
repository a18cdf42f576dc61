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
from .rates import Shape, products, rates
from .rows import Row
from .settings import Settings
from .sizes import AUTOENCODER, CLASSIFIER, SMALL, Sizes
from .timing import Call, interleaved, ratio
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
    calls: dict[Timed, Call] = _references(batches)
    for name in settings.backends:
        calls |= {Timed(work.name, name): work.prepare(batches[name]) for work in works}
    if settings.peers:
        calls |= _peers(batches, [work.name for work in works])
    bounds = products(libraries, (work.terms(sizes) for work in works))
    times = interleaved({**calls, **bounds}, settings.rounds, settings.time)
    rows = {name: _row(table.name, name, times, sizes, libraries) for name in calls}
    if settings.launches:
        rows = {name: _with_launches(row, calls[name], libraries) for name, row in rows.items()}
    return list(rows.values())


def sharing(settings: Settings) -> list[Library]:
    """The usable libraries that share the device of the chosen backends."""
    return usable(GPU if set(settings.backends) & set(GPU) else HOST, settings.dtype)


def _references(batches: dict[str, Batch]) -> dict[Timed, Call]:
    """The gradient of PyTorch, if PyTorch is usable."""
    found = [b for name, b in batches.items() if name in ("torch", "torch-cuda")]
    if not found:
        return {}
    from . import autograd

    return {Timed(AUTOGRAD, "PyTorch"): autograd.gradient(found[0])}


def _peers(batches: dict[str, Batch], works: list[str]) -> dict[Timed, Call]:
    from .peers import peer_calls

    return {Timed(*name): call for name, call in peer_calls(batches, works).items()}


def _row(case: str, name: Timed, times: dict[Timed, list[float]], sizes: Sizes, libraries: list[Library]) -> Row:
    """The row of a timed call."""
    work, alone = BY_NAME.get(name.work), name.library in FACTORS_ALONE
    units = work.units if work else 1
    seconds = [t / units for t in times[name]]
    ratios = {}
    gradient, adam = times.get(Timed(AUTOGRAD, "PyTorch")), times.get(Timed(ADAM, name.library))
    if gradient and name.work != AUTOGRAD:
        ratios["over gradient"] = ratio(seconds, gradient)
    if adam and name.work == "KFRA step":
        ratios["over Adam step"] = ratio(times[name], adam)
    phases: dict[str, float] = {}
    if work and not alone:
        terms, best = floor.times(work.terms(sizes), 1 / units), rates(times, libraries)
        ratios["over floor"] = ratio(seconds, [floor.seconds(terms, rate) for rate in best])
        if own := rates(times, [library for library in libraries if library.name == name.library]):
            ratios["over own rate"] = ratio(seconds, [floor.seconds(terms, rate) for rate in own])
        phases = _phases(terms, best)
    note = "without the gradient" if alone else ""
    return Row(case, name.work, name.library, statistics.median(seconds), ratios, phases, note=note)


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
