"""Child processes with limits on the time and the size of each answer.

The kit runs an external implementation in a child process, unless the implementation is a Python class that is run
without a time limit. A supervisor process between the kit and the child kills the child and the processes that the
child has started. The supervisor kills these processes when `ChildProcess.end` is called, when the child ends, and when
the kit ends for any reason.
"""

import contextlib
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from .answers import NoAnswerError, one_line

CHUNK = 2**16
"""The largest number of bytes that one system call reads."""

MAX_SHOWN_BYTES = 2**16
"""The number of bytes of a child's standard error after which the kit prints no further chunk."""

GRACE = 10.0
"""The time in seconds to wait for an event that should be immediate, such as the end of a killed process."""

SUPERVISOR = Path(__file__).with_name("supervisor.py")


class ChildProcess:
    """A running command that reads questions from its standard input and writes answers to its standard output.

    Raises `NoAnswerError` if the supervisor cannot be started, or if the system is not POSIX. `ask` and `read` raise
    `NoAnswerError` and kill the process if the answer is late or too long, if the process writes a line without a
    question, or if the process ends or closes its standard output.
    """

    def __init__(self, command: Sequence[str]) -> None:
        if os.name != "posix":
            raise NoAnswerError(f"expected a POSIX system for separate processes, got {sys.platform}")
        supervisor, self._lifeline = _started(command)
        self._supervisor = supervisor
        self._pipes = [pipe for pipe in (supervisor.stdin, supervisor.stdout, supervisor.stderr) if pipe]
        self._stdin, self._stdout, self._stderr = (pipe.fileno() for pipe in self._pipes)
        for pipe in self._pipes:
            os.set_blocking(pipe.fileno(), False)
        self._limit, self._deadline = 0.0, 0.0
        self._question = memoryview(b"")
        self._written = bytearray()
        self._sources: dict[int, Callable[[], None]] = {
            self._stdout: self._read_output,
            self._stderr: self._read_errors,
        }
        self._errors = _StandardError()
        self.running = True

    def ask(self, question: bytes, limit: float, max_bytes: int) -> bytes:
        """Write a question and return the first line of the answer.

        limit:     time in seconds within which the answer must be complete
        max_bytes: number of bytes after which a first line that is still incomplete is refused
        """
        self._limit, self._deadline = limit, time.monotonic() + limit
        with self._ending_on_failure():
            self._read_output()
            if self._written:
                raise NoAnswerError(f"expected one line per question, got a further line: {self._start()}")
            # the child may have answered the previous question before reading all of that question
            self._question = memoryview(bytes(self._question) + question)
            return self._removed(self._line_end(max_bytes))

    def read(self, count: int) -> bytes:
        """Read the next `count` bytes of the answer, before the deadline of the question."""
        with self._ending_on_failure():
            while len(self._written) < count:
                self._wait()
            return self._removed(count)

    def end(self) -> None:
        """Kill the child and the processes that it started, and wait until the supervisor has ended."""
        if not self.running:
            return
        self.running = False
        with contextlib.suppress(OSError):
            self._lifeline.shutdown(socket.SHUT_WR)
        try:
            failed = self._supervisor.wait(GRACE) != 0
        except subprocess.TimeoutExpired:
            failed = True
        if failed:  # another process has stopped or killed the supervisor
            self._kill()
        for pipe in self._pipes:
            pipe.close()
        self._lifeline.close()

    @contextlib.contextmanager
    def _ending_on_failure(self) -> Iterator[None]:
        """End the child if the `with` block raises an exception."""
        try:
            yield
        except BaseException:  # even an interrupt, after which a late answer would count for the next question
            self.end()
            raise

    def _line_end(self, max_bytes: int) -> int:
        """Read until the first line of the output is complete, and return the length of the line."""
        seen = 0
        while (found := self._written.find(b"\n", seen)) < 0:
            seen = len(self._written)
            if seen > max_bytes:
                raise NoAnswerError(f"expected a line of at most {max_bytes} bytes, got more: {self._start()}")
            self._wait()
        return found + 1

    def _removed(self, count: int) -> bytes:
        """Remove the first `count` bytes from the output that was read, and return these bytes."""
        removed = bytes(memoryview(self._written)[:count])
        del self._written[:count]
        return removed

    def _start(self) -> str:
        """The start of the output, for an error message."""
        return repr(self._written[:80].decode(errors="replace").strip())

    def _wait(self) -> None:
        """Wait until a pipe is ready, and read from the pipe or write to it. Raises `NoAnswerError` at the deadline."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            part = f": got only {len(self._written)} bytes of an answer" if self._written else ""
            raise NoAnswerError(f"no answer within {self._limit:g} s{part}")
        with selectors.DefaultSelector() as selector:
            for pipe in self._sources:
                selector.register(pipe, selectors.EVENT_READ)
            if self._question:
                selector.register(self._stdin, selectors.EVENT_WRITE)
            for key, _ in selector.select(min(left, 60.0)):
                self._sources.get(key.fd, self._write)()

    def _write(self) -> None:
        """Write as much of the question as the pipe accepts.

        If the child has closed the pipe, the rest of the question is dropped. If the child has ended, `_read_output`
        reports the end.
        """
        try:
            self._question = self._question[os.write(self._stdin, self._question) :]
        except BlockingIOError:
            pass
        except OSError:
            self._question = memoryview(b"")

    def _read_output(self) -> None:
        """Read the available output. If the output is closed, raises `NoAnswerError` with the reason."""
        chunk = _available(self._stdout)
        if chunk == b"":
            raise NoAnswerError(self._end_of_output())
        self._written += chunk or b""

    def _read_errors(self) -> None:
        """Read the available part of the standard error."""
        chunk = _available(self._stderr)
        if chunk == b"":
            del self._sources[self._stderr]
        self._errors.add(chunk or b"")

    def _end_of_output(self) -> str:
        """The reason why a child has closed its output, on one line."""
        reports = self._reports(GRACE)
        if self._stderr in self._sources:
            self._read_errors()
        match reports:
            case [failed]:
                return failed if failed.startswith("the command cannot") else "the process has closed its output"
            case [_, status]:
                last = self._errors.last_line
                return described_exit(int(status)) + (f": {last}" if last else "")
        return "the process was ended together with its supervisor"

    def _reports(self, seconds: float) -> list[str]:
        """The lines that the supervisor writes until it ends, or until the given number of seconds has passed."""
        written, deadline = b"", time.monotonic() + seconds
        with contextlib.suppress(OSError):  # a timeout: the supervisor has not ended
            while True:
                self._lifeline.settimeout(max(deadline - time.monotonic(), 0.001))
                if not (chunk := self._lifeline.recv(CHUNK)):
                    break
                written += chunk
        return written.decode(errors="replace").splitlines()

    def _kill(self) -> None:
        """Kill the child's process group and the supervisor. Called if the supervisor did not end normally in time."""
        reports = self._reports(0.0)
        if reports and reports[0].isdecimal():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(int(reports[0]), signal.SIGKILL)
        self._supervisor.kill()
        self._supervisor.wait()


class _StandardError:
    """The standard error of a child. The kit prints the first bytes, and stores the last bytes for `last_line`."""

    def __init__(self) -> None:
        self._shown, self._end = 0, b""

    def add(self, chunk: bytes) -> None:
        """Store the end of a chunk of the standard error, and print the chunk.

        Unprintable characters are left out, except tabs and line breaks. After `MAX_SHOWN_BYTES` bytes, no further
        chunk is printed.
        """
        self._end = (self._end + chunk)[-1000:]
        if not chunk or self._shown >= MAX_SHOWN_BYTES:
            return
        self._shown += len(chunk)
        text = chunk.decode(errors="replace") + ("" if self._shown < MAX_SHOWN_BYTES else "\n[the rest is not shown]\n")
        with contextlib.suppress(OSError, ValueError, AttributeError):  # stderr may be closed, absent or not in UTF-8
            sys.stderr.write("".join(c for c in text if c.isprintable() or c in "\n\t"))

    @property
    def last_line(self) -> str:
        """The last non-empty line of the standard error, where Python names the exception that ended the process."""
        lines = [text for text in self._end.decode(errors="replace").splitlines() if text.strip()]
        return one_line(lines[-1], 300) if lines else ""


def described_exit(status: int) -> str:
    """Describe the end of a process by its exit status."""
    return (
        f"the process was ended by signal {-status}" if status < 0 else f"the process ended with exit status {status}"
    )


def _started(command: Sequence[str]) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """Start a command under a supervisor process. Returns the supervisor and a socket connected to the supervisor.

    Raises `NoAnswerError` if the supervisor cannot be started. The supervisor reports a command that cannot be started.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        try:
            supervisor = subprocess.Popen(
                [sys.executable, "-I", "-S", str(SUPERVISOR), str(theirs.fileno()), *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,  # Ctrl-C must reach only the kit, which then ends the supervisor
            )
        except (OSError, ValueError) as error:
            ours.close()
            raise NoAnswerError(f"the command cannot be started: {one_line(error)}") from error
    return supervisor, ours


def _available(pipe: int) -> bytes | None:
    """Read a chunk of bytes from a pipe. Returns None if the pipe is empty, and b"" if the pipe is closed."""
    try:
        return os.read(pipe, CHUNK)
    except BlockingIOError:
        return None
