"""A child process with bounded streams and a deadline, which limit the time and the memory that the kit gives it.

Every process of an implementation from outside is such a child. A `guard` between the child and the kit ends the child
and every process that the child has started. It does so when the kit closes the child, and when the kit itself ends for
any reason.
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

from .answers import NoAnswerError, line

CHUNK = 2**16
SHOWN = 2**16
"""The most bytes of a child's standard error that are shown; the rest is read and dropped."""

GRACE = 10.0
"""Seconds to wait for events that should be immediate, such as the end of a process that was killed."""

GUARD = Path(__file__).with_name("guard.py")


class Child:
    """A running command, which reads questions. `ask` and `take` read its output.

    Both raise `NoAnswerError` and end the child if it does not write in time, writes too much, or has ended.
    """

    def __init__(self, command: Sequence[str]) -> None:
        if os.name != "posix":
            raise NoAnswerError(f"expected a POSIX system for a process of its own, got {sys.platform}")
        self._guard, self._lifeline = _started(command)
        self._pipes = [pipe for pipe in (self._guard.stdin, self._guard.stdout, self._guard.stderr) if pipe]
        self._stdin, self._stdout, self._stderr = (pipe.fileno() for pipe in self._pipes)
        for pipe in self._pipes:
            os.set_blocking(pipe.fileno(), False)
        self._limit, self._deadline = 0.0, 0.0
        self._question = memoryview(b"")
        self._written = bytearray()
        self._sources: dict[int, Callable[[], None]] = {self._stdout: self._read, self._stderr: self._hear}
        self._errors = _Errors()
        self.running = True

    def ask(self, question: bytes, limit: float, most: int) -> bytes:
        """Write the question, and return the line of at most `most` bytes that comes within the limit, in seconds."""
        self._limit, self._deadline = limit, time.monotonic() + limit
        with self._ended_by_failure():
            self._read()
            if self._written:
                raise NoAnswerError(f"expected one line for each question, got another: {self._start()}")
            # the child may have answered the last question before it had read all of it
            self._question = memoryview(bytes(self._question) + question)
            return self._taken(self._line_end(most))

    def take(self, count: int) -> bytes:
        """The next bytes after the line, within the same limit."""
        with self._ended_by_failure():
            while len(self._written) < count:
                self._wait()
            return self._taken(count)

    def end(self) -> None:
        """Kill the child and everything that it started, and wait until that is done."""
        if not self.running:
            return
        self.running = False
        with contextlib.suppress(OSError):
            self._lifeline.shutdown(socket.SHUT_WR)
        try:
            failed = self._guard.wait(GRACE) != 0
        except subprocess.TimeoutExpired:
            failed = True
        if failed:  # another process has stopped or killed the guard
            self._kill()
        for pipe in self._pipes:
            pipe.close()
        self._lifeline.close()

    @contextlib.contextmanager
    def _ended_by_failure(self) -> Iterator[None]:
        try:
            yield
        except BaseException:  # after an interrupt too: the answer to the question would still come
            self.end()
            raise

    def _line_end(self, most: int) -> int:
        """The number of bytes of output up to the end of the first line."""
        seen = 0
        while (found := self._written.find(b"\n", seen)) < 0:
            seen = len(self._written)
            if seen > most:
                raise NoAnswerError(f"expected a line of at most {most} bytes, got more: {self._start()}")
            self._wait()
        return found + 1

    def _taken(self, count: int) -> bytes:
        taken = bytes(memoryview(self._written)[:count])
        del self._written[:count]
        return taken

    def _start(self) -> str:
        return repr(self._written[:80].decode(errors="replace").strip())

    def _wait(self) -> None:
        """Wait until a stream is ready, and read and write what is possible. `NoAnswerError` at the deadline."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            part = f": only {len(self._written)} bytes of an answer" if self._written else ""
            raise NoAnswerError(f"no answer within {self._limit:g} s{part}")
        with selectors.DefaultSelector() as selector:
            for pipe in self._sources:
                selector.register(pipe, selectors.EVENT_READ)
            if self._question:
                selector.register(self._stdin, selectors.EVENT_WRITE)
            for key, _ in selector.select(min(left, 60.0)):
                self._sources.get(key.fd, self._write)()

    def _write(self) -> None:
        """Write as much of the question as the pipe takes. If the child has ended, this shows in its output."""
        try:
            self._question = self._question[os.write(self._stdin, self._question) :]
        except BlockingIOError:
            pass
        except OSError:
            self._question = memoryview(b"")

    def _read(self) -> None:
        """Read what the child has written. `NoAnswerError` with its exit status once its output is closed."""
        chunk = _available(self._stdout)
        if chunk == b"":
            raise NoAnswerError(self._ended())
        self._written += chunk or b""

    def _hear(self) -> None:
        chunk = _available(self._stderr)
        if chunk == b"":
            del self._sources[self._stderr]
        self._errors.add(chunk or b"")

    def _ended(self) -> str:
        """The fate of a child that has closed its output, on one line."""
        reports = self._reports(GRACE)
        if self._stderr in self._sources:
            self._hear()
        match reports:
            case [failed]:
                return failed if failed.startswith("it cannot") else "it has closed its output"
            case [_, status]:
                last = self._errors.last_line
                return ended(int(status)) + (f": {last}" if last else "")
        return "its process was ended together with its guard"

    def _reports(self, seconds: float) -> list[str]:
        """The lines of the guard: its whole report, if it comes in time."""
        written, deadline = b"", time.monotonic() + seconds
        with contextlib.suppress(OSError):  # the report is late
            while True:
                self._lifeline.settimeout(max(deadline - time.monotonic(), 0.001))
                if not (chunk := self._lifeline.recv(CHUNK)):
                    break
                written += chunk
        return written.decode(errors="replace").splitlines()

    def _kill(self) -> None:
        """Kill the child's process group in the place of the guard, and then the guard."""
        reports = self._reports(0.0)
        if reports and reports[0].isdecimal():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(int(reports[0]), signal.SIGKILL)
        self._guard.kill()
        self._guard.wait()


class _Errors:
    """The standard error of a child: its start is shown on the standard error of the kit, and its end is kept."""

    def __init__(self) -> None:
        self._shown, self._end = 0, b""

    def add(self, chunk: bytes) -> None:
        """Show a piece of it without control characters, while there is room."""
        self._end = (self._end + chunk)[-1000:]
        if not chunk or self._shown >= SHOWN:
            return
        self._shown += len(chunk)
        text = chunk.decode(errors="replace") + ("" if self._shown < SHOWN else "\n[more is not shown]\n")
        with contextlib.suppress(OSError, ValueError, AttributeError):  # closed, absent or in another encoding
            sys.stderr.write("".join(c for c in text if c.isprintable() or c in "\n\t"))

    @property
    def last_line(self) -> str:
        """The last line that is not empty, on which Python names the exception that ended the process."""
        lines = [text for text in self._end.decode(errors="replace").splitlines() if text.strip()]
        return line(lines[-1], 300) if lines else ""


def ended(status: int) -> str:
    """The fate of a process, by its exit status."""
    return (
        f"its process was ended by signal {-status}" if status < 0 else f"its process ended with exit status {status}"
    )


def _started(command: Sequence[str]) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """The guard of the command, and the kit's end of its lifeline."""
    ours, theirs = socket.socketpair()
    with theirs:
        try:
            guard = subprocess.Popen(
                [sys.executable, "-I", "-S", str(GUARD), str(theirs.fileno()), *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,  # Ctrl-C must reach only the kit, which then ends the guard
            )
        except (OSError, ValueError) as error:
            ours.close()
            raise NoAnswerError(f"it cannot be started: {line(error)}") from error
    return guard, ours


def _available(pipe: int) -> bytes | None:
    """A chunk of what is in the pipe now. None if the pipe is empty now, and b"" if it is at its end."""
    try:
        return os.read(pipe, CHUNK)
    except BlockingIOError:
        return None
