"""`kfgn.lab.interrupts`: the first signal requests a stop, and the second one stops at once."""

import signal
import threading

import pytest

from kfgn.lab.cli import main
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


def test_ctrl_c_between_two_runs_names_how_to_continue(tmp_path, capsys, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("kfgn.lab.comparison.draw_losses", interrupted)
    given = ["--data", "digits", "--updates", "2", "--out", str(tmp_path), "--quiet"]
    assert main(["compare", "--methods", "kfra", *given]) == 130
    how = f"kfgn compare --data digits --updates 2 --methods kfra --out {tmp_path}"
    assert capsys.readouterr().err == f"kfgn: stopped; to continue: {how}\n"


def test_a_third_ctrl_c_does_not_change_the_status(tmp_path, monkeypatch):
    """The second one stops the command at once, and the third one may come while the message is printed."""

    def interrupted(*_args, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr("kfgn.lab.cli.train", interrupted)
    monkeypatch.setattr("kfgn.lab.cli.print_error", lambda _line: signal.raise_signal(signal.SIGINT))
    assert main(["train", "--data", "digits", "--updates", "2", "--out", str(tmp_path / "a")]) == 130


def test_a_handler_of_another_language_is_kept(monkeypatch):
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(signal, "getsignal", {signal.SIGTERM: None, signal.SIGINT: signal.default_int_handler}.get)
    with stop_on_interrupt() as stop:
        monkeypatch.undo()
        assert signal.getsignal(signal.SIGTERM) is before
        signal.raise_signal(signal.SIGINT)
        assert stop.requested
