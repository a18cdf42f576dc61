"""Child processes: every wait has a time limit, every stream a size limit, and no process is left running."""

import os
import signal
import subprocess
import sys
import time

import pytest
from kfgn_conformance.adapters import child_process as module
from kfgn_conformance.adapters.answers import NoAnswerError
from kfgn_conformance.adapters.child_process import ChildProcess

from .processes import LONG, alive, wait_until, with_proc


def python(program):
    return [sys.executable, "-I", "-S", "-c", "import os, signal, subprocess, sys, time\n" + program]


@pytest.fixture
def started():
    children = []

    def start(program):
        children.append(ChildProcess(python(program)))
        return children[-1]

    yield start
    for one in children:
        one.end()


def test_a_line_and_the_bytes_after_it(started):
    """The child answers before it has read the whole question, and then reads the rest."""
    one = started(
        "for line in sys.stdin.buffer: os.write(1, line.upper() + bytes(10**6)); sys.stdin.buffer.read(10**6)"
    )
    for _ in range(2):
        assert one.ask(b"hello\n" + bytes(10**6), LONG, 100) == b"HELLO\n"
        assert one.read(10**6) == bytes(10**6)
    assert one.running


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("time.sleep(3600)", "no answer within 0.5 s"),
        ("os.write(1, b'half'); time.sleep(3600)", "no answer within 0.5 s(: got only 4 bytes of an answer)?"),
        (
            "while True: os.write(1, b'x'); time.sleep(0.01)",
            "no answer within 0.5 s(: got only .* bytes of an answer)?",
        ),
        ("while True: os.write(2, b'x' * 65536)", "no answer within 0.5 s"),
        ("[signal.signal(s, signal.SIG_IGN) for s in (1, 2, 15)]; time.sleep(3600)", "no answer within 0.5 s"),
        ("os.kill(os.getppid(), signal.SIGSTOP); time.sleep(3600)", "no answer within 0.5 s"),
    ],
)
def test_every_wait_has_a_limit(program, message, started, monkeypatch):
    monkeypatch.setattr(module, "GRACE", 1.0)
    one = started(program)
    began = time.monotonic()
    with pytest.raises(NoAnswerError, match=f"^{message}$"):
        one.ask(bytes(10**7) + b"\n", 0.5, 1000)
    assert 0.5 <= time.monotonic() - began < LONG
    assert not one.running


def test_missing_bytes_are_awaited_until_the_deadline_of_the_question(started):
    one = started("sys.stdin.readline(); os.write(1, b'first\\nsec'); time.sleep(3600)")
    one.ask(b"\n", LONG, 100)
    one._deadline = time.monotonic() + 0.5  # a short wait: the bytes never come
    with pytest.raises(NoAnswerError, match=r"no answer within .* s: got only 3 bytes of an answer"):
        one.read(6)
    assert not one.running


@pytest.mark.parametrize("stream", [1, 2])
def test_every_stream_has_a_size_limit(stream, started, capfd):
    """400 MB on one line: the kit reads a few MB of it, and shows the start of the standard error."""
    resource = pytest.importorskip("resource")
    one = started(f"for _ in range(400): os.write({stream}, b'x' * 10**6)\nos.write(1, b'\\n')")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if stream == 1:
        with pytest.raises(NoAnswerError, match="expected a line of at most 1000 bytes, got more: 'xxx"):
            one.ask(b"\n", LONG, 1000)
        assert not one.running
    else:
        assert one.ask(b"\n", LONG, 1000) == b"\n"
        shown = capfd.readouterr().err
        assert 0 < len(shown) < 200_000
        assert "[the rest is not shown]" in shown
    unit = 1 if sys.platform == "darwin" else 1024
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * unit < 100e6


def test_its_standard_error_is_shown_without_control_characters(started, capfd):
    one = started(
        "sys.stderr.write('a \\x1b[31mred\\tword\\n'); sys.stderr.flush(); os.write(1, b'\\n'); time.sleep(3600)"
    )
    one.ask(b"\n", LONG, 1000)
    with pytest.raises(NoAnswerError):
        one.ask(b"\n", 0.5, 1000)
    assert capfd.readouterr().err == "a [31mred\tword\n"


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("sys.exit(7)", "the process ended with exit status 7"),
        ("sys.exit('no licence')", "the process ended with exit status 1: no licence"),
        ("raise ValueError('bad')", "the process ended with exit status 1: ValueError: bad"),
        ("os.write(1, b'half'); os._exit(0)", "the process ended with exit status 0"),
        ("os.kill(os.getpid(), 9)", "the process was ended by signal 9"),
        ("os.close(1); time.sleep(3600)", "the process has closed its output"),
        ("subprocess.Popen([sys.executable, '-c', 'input()'], stdin=0); os._exit(3)", ".* ended with exit status 3"),
        ("os.kill(os.getppid(), 9); time.sleep(3600)", "(no answer within .*|.* ended together with its supervisor)"),
    ],
)
def test_the_error_of_an_ended_process_has_its_last_message(program, message, started, monkeypatch):
    monkeypatch.setattr(module, "GRACE", 30.0 if "close" not in program else 0.5)
    one = started(program)
    with pytest.raises(NoAnswerError, match=f"^{message}$"):
        one.ask(b"\n", LONG if "ppid" not in program else 2.0, 1000)
    assert not one.running


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["no-such-program"], "the command cannot be started: .*No such file or directory: 'no-such-program'"),
        (["/"], "the command cannot be started: .*Permission denied: '/'"),
        (["a\0b"], "the command cannot be started: "),
    ],
)
def test_a_command_that_cannot_be_started_is_an_error(command, message):
    with pytest.raises(NoAnswerError, match=message):
        ChildProcess(command).ask(b"\n", LONG, 1000)


def test_a_surplus_line_is_not_the_next_answer(started):
    one = started("sys.stdin.readline(); os.write(1, b'one\\ntwo\\n'); time.sleep(3600)")
    assert one.ask(b"\n", LONG, 100) == b"one\n"
    with pytest.raises(NoAnswerError, match="expected one line per question, got a further line: 'two'"):
        one.ask(b"\n", LONG, 100)


FAMILY = """
def born(program, **options):
    return subprocess.Popen([sys.executable, "-I", "-S", "-c", program], stdout=subprocess.PIPE, **options)
sleeps = "import time; time.sleep(3600)"
ignores = "import signal, time; signal.signal(15, signal.SIG_IGN); print(flush=True); time.sleep(3600)"
orphan = (
    "import subprocess, sys; command = [sys.executable, '-c', sys.argv[1]]; "
    "print(subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL).pid)"
)
same, other, deaf = born(sleeps), born(sleeps, start_new_session=True), born(ignores)
deaf.stdout.readline()
lost = subprocess.run([sys.executable, "-c", orphan, sleeps], stdout=subprocess.PIPE).stdout.decode() \
    if sys.platform == "linux" else ""
line = f"{os.getpid()} {os.getppid()} {same.pid} {deaf.pid} " + (f"{other.pid} {lost}" if lost else "\\n")
sys.stdin.readline()
os.write(1, line.encode())
"""
"""Children in the same process group and, on Linux, in separate sessions, with and without a parent."""


@with_proc
@pytest.mark.parametrize("then", ["time.sleep(3600)", "os._exit(0)", "os.close(0); os.close(1); time.sleep(3600)"])
def test_no_process_is_left(then, started):
    one = started(FAMILY + then)
    family = [int(pid) for pid in one.ask(b"\n", LONG, 1000).split()]
    assert len(family) == (6 if sys.platform == "linux" else 4)
    one.end()
    assert not any(map(alive, family))
    assert one._supervisor.returncode is not None  # waited for, so no zombie is left


@with_proc
def test_no_process_is_left_after_the_child_ends(started):
    one = started(FAMILY + "os._exit(0)")
    family = [int(pid) for pid in one.ask(b"\n", LONG, 1000).split()]
    wait_until(lambda: not any(map(alive, family)))


KIT = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell ignores both signals in background processes
signal.signal(signal.SIGHUP, signal.SIG_DFL)
from kfgn_conformance.adapters.child_process import ChildProcess
child = ChildProcess(sys.argv[1:])
print(child.ask(b"\\n", 120.0, 1000).decode(), flush=True)
child.ask(b"\\n", 120.0, 1000)
"""


@with_proc
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL], ids=lambda s: s.name)
def test_no_process_outlives_the_kit(end):
    """The kit is ended by each signal while it waits for an answer."""
    command = [sys.executable, "-c", KIT, *python(FAMILY + "time.sleep(3600)")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as kit:
        family = [int(pid) for pid in kit.stdout.readline().split()]
        assert all(map(alive, family))
        kit.send_signal(end)
        kit.wait(LONG)
    wait_until(lambda: not any(map(alive, family)))


def test_a_system_without_posix_processes_is_an_error(monkeypatch):
    monkeypatch.setattr(os, "name", "nt")
    with pytest.raises(NoAnswerError, match=r"expected a POSIX system for separate processes, got "):
        ChildProcess(["true"])
