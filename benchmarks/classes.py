"""Many classes: the time and the peak memory of kfgn over those of plain array code for the same formulas."""

import statistics

from .calls import PLAIN, call_of
from .child import measured
from .rows import Row
from .settings import Settings
from .sizes import Sizes
from .timing import Ratio, interleaved, ratio

MANY = Sizes((64, 128, 50_000), 128, "categorical")
FACTORED = Sizes((64, 128, 5_000), 1000, "categorical")
QUICK = Sizes((64, 128, 500), 128, "categorical")

WORKS = {
    "gradient": MANY,
    "Gauss-Newton product": MANY,
    "HessianFree step": MANY,
    "KFAC of given labels": FACTORED,
}


def many_classes(settings: Settings) -> list[Row]:
    """A row for each piece of work by kfgn and by plain code, on NumPy and PyTorch."""
    rows = []
    for library in settings.backends:
        if library in ("numpy", "torch", "torch-cuda", "cupy"):
            for work, sizes in WORKS.items():
                if work in (settings.works or WORKS):
                    rows += _pair(work, library, QUICK if settings.quick else sizes, settings)
    return rows


def _pair(work: str, library: str, sizes: Sizes, settings: Settings) -> list[Row]:
    names = (library, PLAIN + library)
    calls = {name: call_of(work, name, sizes, settings.dtype) for name in names}
    times = interleaved(calls, settings.rounds, settings.time)
    ours, plain = (measured(work, name, sizes, settings) for name in names)
    memory = ours.peak / plain.peak
    ratios = {"over plain code": ratio(times[library], times[names[1]]), "memory": Ratio(memory, memory, memory)}
    name, seconds = f"{work}, {sizes.outputs} classes", {key: statistics.median(times[key]) for key in names}
    return [
        Row("classes", name, library, seconds[library], ratios, peak=ours.peak),
        Row("classes", name, names[1], seconds[names[1]], peak=plain.peak),
    ]
