"""A delay of the first Ctrl-C or SIGTERM to the end of a step, so that the run stops with a complete checkpoint."""

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
    """Let the first Ctrl-C or SIGTERM set a flag, and let a second signal stop the program at once.

    Only the main thread can handle signals, so the flag is never set in another thread.
    """
    stop = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    signals = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in signals}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def request(_number: int, _frame: Any) -> None:
        stop.requested = True
        restore()

    for number in signals:
        signal.signal(number, request)
    try:
        yield stop
    finally:
        restore()
