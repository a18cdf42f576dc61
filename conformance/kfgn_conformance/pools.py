"""Processes that share the work of the kit, end when the kit ends, and report every exception as a RuntimeError."""

import functools
import os
import signal
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import active_children, get_context, parent_process
from pathlib import Path
from threading import Thread
from typing import Any, ParamSpec, TypeVar

MEMORY = 2 * 2**30
"""The number of bytes that a process of the kit may need if PyTorch and JAX are imported."""

MEMINFO = Path("/proc/meminfo")

P = ParamSpec("P")
T = TypeVar("T")


def affordable(jobs: int) -> int:
    """Return the number of processes that fit into half of the free memory: at least 1, and at most `jobs`.

    On a system that does not report its free memory, the result is `jobs`.
    """
    if not MEMINFO.is_file():
        return jobs
    lines = dict(line.split(":", 1) for line in MEMINFO.read_text().splitlines())
    free = int(lines["MemAvailable"].split()[0]) * 1024
    return max(1, min(jobs, free // 2 // MEMORY))


@contextmanager
def pool(jobs: int, start: Callable[..., object], *arguments: Any) -> Iterator[ProcessPoolExecutor]:
    """Start processes, each of which calls `start`. An exception, such as `KeyboardInterrupt`, kills the processes."""
    others = active_children()
    # processes are spawned, since libraries with threads do not survive a fork
    with ProcessPoolExecutor(jobs, get_context("spawn"), _started, (start, *arguments)) as processes:
        try:
            yield processes
        except BaseException:
            processes.shutdown(wait=False, cancel_futures=True)
            for process in set(active_children()).difference(others):
                process.kill()
            raise


def raising_plainly(work: Callable[P, T]) -> Callable[P, T]:
    """Decorate a function that a process runs, so that any exception of the function becomes a RuntimeError.

    The process sends an exception to the kit by pickle, and the kit may not be able to import the exception's class.
    """

    @functools.wraps(work)
    def plain(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return work(*args, **kwargs)
        except BaseException:
            failure = traceback.format_exc()
        raise RuntimeError(failure)

    return plain


def _started(start: Callable[..., object], *arguments: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C must reach only the kit, which ends this process
    Thread(target=_end_with_the_kit, daemon=True).start()
    start(*arguments)


def _end_with_the_kit() -> None:
    """Wait until the kit ends, and then end this process, which would otherwise wait for its next task for ever."""
    kit = parent_process()
    assert kit is not None
    kit.join()
    os._exit(1)
