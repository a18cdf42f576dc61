"""Times of calls in interleaved rounds, and medians of ratios within rounds.

Each round times every call once, so a slow moment of the machine affects all calls of its round. A ratio of two times
is therefore computed within each round, and the median over the rounds is reported with the lowest and the highest
ratio.
"""

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

Call = Callable[[], Any]
Clock = Callable[[], float]
Name = TypeVar("Name")

CLOCKS: dict[str, Clock] = {"wall": time.perf_counter, "cpu": time.process_time}
"""Wall time, and the CPU seconds of all threads of the process, which other programs hardly affect."""

SHORTEST = 0.01
"""Calls that take fewer seconds are repeated, and their mean is one time."""

PAUSE = 0.01
"""The seconds for which `rest` sleeps before it looks at the threads of the process again."""

LONGEST_REST = 1.0
"""The seconds after which `rest` no longer waits."""


class Ratio(NamedTuple):
    """The median of the ratios within rounds, with the lowest and the highest ratio."""

    median: float
    low: float
    high: float


def ratio(times: Sequence[float], others: Sequence[float]) -> Ratio:
    """The ratio of two times, from the ratios within rounds."""
    within = [a / b for a, b in zip(times, others, strict=True)]
    return Ratio(statistics.median(within), min(within), max(within))


def repetitions(call: Call, clock: Clock, shortest: float = SHORTEST) -> int:
    """The number of repetitions of a call that take at least `shortest` seconds. The first call is a warm-up."""
    number = 1
    if repeated(call, number, clock) > 10 * shortest:
        return number
    while (taken := number * repeated(call, number, clock)) < shortest:
        number = max(2 * number, int(number * shortest / max(taken, shortest / 1000)))
    return number


def repeated(call: Call, number: int, clock: Clock) -> float:
    """The mean time in seconds of a number of calls, without the garbage collector."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        start = clock()
        for _ in range(number):
            call()
        return (clock() - start) / number
    finally:
        if collecting:
            gc.enable()


def rest() -> None:
    """Wait until all threads of the process sleep, for at most `LONGEST_REST` seconds.

    After a product, the threads of OpenBLAS wait for the next product in a loop for about a tenth of a second. The
    loop takes processors from the threads of a call by another library.
    """
    for _ in range(round(LONGEST_REST / PAUSE)):
        before = time.process_time()
        time.sleep(PAUSE)
        if time.process_time() - before < PAUSE / 10:
            return


def interleaved(calls: Mapping[Name, Call], rounds: int, clock: Clock) -> dict[Name, list[float]]:
    """The times of each call, by name: one time per round. Each round begins with a different call.

    Before each time, `rest` waits for the threads of the process.
    """
    numbers = {name: repetitions(call, clock) for name, call in calls.items()}
    times: dict[Name, list[float]] = {name: [] for name in calls}
    names = list(calls)
    for i in range(rounds):
        start = i * len(names) // rounds
        for name in names[start:] + names[:start]:
            rest()
            times[name].append(repeated(calls[name], numbers[name], clock))
    return times
