"""The handling of Ctrl-C and SIGTERM: the first signal stops the run after the present step, with a checkpoint."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any


class StopRequest:
    """A flag that is set when the run is asked to stop."""

    def __init__(self) -> None:
        self.requested = False


@contextlib.contextmanager
def stop_on_interrupt() -> Iterator[StopRequest]:
    """Let the first Ctrl-C or SIGTERM set a flag, and restore the earlier handlers of both signals.

    If these are Python's default handlers, a second signal stops the program at once. Python accepts handlers only in
    the main thread, so a signal never sets the flag of a run in any other thread.
    """
    stop = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    found = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    # None is a handler that another language has installed. Python could not restore it, so it is kept.
    before = {number: handler for number, handler in found.items() if handler is not None}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def request(_number: int, _frame: Any) -> None:
        stop.requested = True
        restore()

    for number in before:
        signal.signal(number, request)
    try:
        yield stop
    finally:
        restore()
