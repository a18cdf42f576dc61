"""`kfgn.lab.interrupts`: the first signal requests a stop, and the second one stops at once."""

import signal
import threading

import pytest

from kfgn.lab.interrupts import stop_on_interrupt


@pytest.fixture(autouse=True)
def default_handlers():
    """Set Python's own handlers, since the shell of the test run may ignore SIGINT."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_requests_a_stop(number):
    with stop_on_interrupt() as stop:
        assert not stop.requested
        signal.raise_signal(number)
        assert stop.requested


def test_the_second_signal_stops_at_once():
    with stop_on_interrupt():
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_the_handlers_are_restored():
    with stop_on_interrupt():
        assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_another_thread_changes_no_handler():
    found = []

    def enter():
        with stop_on_interrupt() as stop:
            found.append((stop.requested, signal.getsignal(signal.SIGINT)))

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert found == [(False, signal.default_int_handler)]
