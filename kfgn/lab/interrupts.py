"""Ctrl-C between two steps, so that what is written is the state after one."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any


class Asked:
    """Whether the run was asked to stop."""

    def __init__(self) -> None:
        self.to_stop = False


@contextlib.contextmanager
def interrupts() -> Iterator[Asked]:
    """Ctrl-C and SIGTERM ask to stop; a second one stops at once. In a thread other than the first, as ever."""
    asked = Asked()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    signals = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in signals}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def ask(_number: int, _frame: Any) -> None:
        asked.to_stop = True
        restore()

    for number in signals:
        signal.signal(number, ask)
    try:
        yield asked
    finally:
        restore()
