"""The growth of the cost with width, depth, N and outputs: slopes of log-log plots, next to those of the operations.

Appendix D.4 gives the orders of the costs. The counted operations are exact for the grid, where no term dominates yet.
"""

import math
import statistics
from collections.abc import Callable, Sequence

from .batch import batch
from .calls import library_of
from .floor import operations
from .rows import Row
from .settings import Settings
from .sizes import Sizes
from .timing import Ratio, interleaved
from .work import BY_NAME

WORKS = ("KFRA", "KFLR", "KFAC, 1 sample")

GROWTHS: dict[str, tuple[tuple[int, ...], Callable[[int], Sizes]]] = {
    "width": ((128, 256, 512, 1024), lambda x: Sizes((x, x, x, 32), 512, "categorical")),
    "depth": ((2, 4, 8, 16), lambda x: Sizes((256,) * x + (32,), 512, "categorical")),
    "N": ((256, 512, 1024, 2048), lambda x: Sizes((256, 256, 256, 32), x, "categorical")),
    "outputs": ((16, 32, 64, 128), lambda x: Sizes((256, 256, 256, x), 512, "categorical")),
}
"""The values of each variable, and the network and batch for a value."""


def growth(settings: Settings) -> list[Row]:
    """A row for each piece of work, variable and backend. The time is that of the largest value."""
    rows = []
    for name in settings.backends:
        library = library_of(name, settings.dtype)
        for variable, (values, sizes) in GROWTHS.items():
            values = values[:2] if settings.quick else values
            for work in (work for work in WORKS if work in (settings.works or WORKS)):
                calls = {x: BY_NAME[work].prepare(batch(library, sizes(x))) for x in values}
                times = interleaved(calls, settings.rounds, settings.time)
                slopes = [slope(values, seconds) for seconds in zip(*times.values(), strict=True)]
                counted = slope(values, [operations(BY_NAME[work].terms(sizes(x))) for x in values])
                ratios = {
                    "slope": Ratio(statistics.median(slopes), min(slopes), max(slopes)),
                    "slope of operations": Ratio(counted, counted, counted),
                }
                largest = statistics.median(times[values[-1]])
                rows.append(Row("growth", f"{work}, {variable} {values[0]}-{values[-1]}", name, largest, ratios))
    return rows


def slope(x: Sequence[float], y: Sequence[float]) -> float:
    """The slope of the least-squares line through the points (log x, log y)."""
    return statistics.linear_regression([math.log(a) for a in x], [math.log(b) for b in y]).slope
