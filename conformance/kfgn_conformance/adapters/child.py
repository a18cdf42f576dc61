"""A child process with bounded streams and a deadline: whatever it does, the kit waits no longer and reads no more.

Every process of an implementation from outside is one of these. Between it and the kit stands a `guard`, which ends
the child with everything that it started: when the kit lets go of it, and when the kit itself ends, however it does.
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
"""So many bytes of its standard error are passed on; the rest is read and dropped."""

GRACE = 10.0
"""Seconds for what takes no time: the end of a process that is killed, and the report of an end."""

GUARD = Path(__file__).with_name("guard.py")


class Child:
    """A running command. It reads questions, and what it writes is taken by `ask` and `take`.

    Both raise `NoAnswerError` if it does not write in time, writes too much, or has ended; the child is ended then.
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
        """Write the question; the line of at most so many bytes that comes within the limit, in seconds."""
        self._limit, self._deadline = limit, time.monotonic() + limit
        with self._ended_by_failure():
            self._read()
            if self._written:
                raise NoAnswerError(f"expected one line for each question, got another: {self._start()}")
            self._question = memoryview(bytes(self._question) + question)  # the last may have been answered half read
            return self._taken(self._line_end(most))

    def take(self, count: int) -> bytes:
        """So many bytes that follow the line, within the same limit."""
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
        if failed:  # something has stopped the guard, or killed it
            self._kill()
        for pipe in self._pipes:
            pipe.close()
        self._lifeline.close()

    @contextlib.contextmanager
    def _ended_by_failure(self) -> Iterator[None]:
        try:
            yield
        except BaseException:  # an interrupt too: the question has then been asked, and its answer is to come
            self.end()
            raise

    def _line_end(self, most: int) -> int:
        """How many bytes have been written when a line is complete."""
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
        """Read and write what can be, once something can be; `NoAnswerError` at the deadline."""
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
        """As much of the question as the pipe takes. The end of a child that reads no more shows in its output."""
        try:
            self._question = self._question[os.write(self._stdin, self._question) :]
        except BlockingIOError:
            pass
        except OSError:
            self._question = memoryview(b"")

    def _read(self) -> None:
        """What the child has written. `NoAnswerError` with its exit status once it writes no more."""
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
        """What became of a child that has closed its output, on a line."""
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
        """The lines of the guard: its whole report, if that comes in time."""
        written, deadline = b"", time.monotonic() + seconds
        with contextlib.suppress(OSError):  # it is late
            while True:
                self._lifeline.settimeout(max(deadline - time.monotonic(), 0.001))
                if not (chunk := self._lifeline.recv(CHUNK)):
                    break
                written += chunk
        return written.decode(errors="replace").splitlines()

    def _kill(self) -> None:
        """Kill the child's process group, and the guard, in the place of the guard."""
        reports = self._reports(0.0)
        if reports and reports[0].isdecimal():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(int(reports[0]), signal.SIGKILL)
        self._guard.kill()
        self._guard.wait()


class _Errors:
    """What a child writes to its standard error: the start is shown on that of the kit, and the end is kept."""

    def __init__(self) -> None:
        self._shown, self._end = 0, b""

    def add(self, chunk: bytes) -> None:
        """Show it while there is room, without control characters."""
        self._end = (self._end + chunk)[-1000:]
        if not chunk or self._shown >= SHOWN:
            return
        self._shown += len(chunk)
        text = chunk.decode(errors="replace") + ("" if self._shown < SHOWN else "\n[more is not shown]\n")
        with contextlib.suppress(OSError, ValueError, AttributeError):  # closed, of another encoding, or none
            sys.stderr.write("".join(c for c in text if c.isprintable() or c in "\n\t"))

    @property
    def last_line(self) -> str:
        """The last one with anything on it: where Python names the exception that ended it."""
        lines = [text for text in self._end.decode(errors="replace").splitlines() if text.strip()]
        return line(lines[-1], 300) if lines else ""


def ended(status: int) -> str:
    """What became of a process, by its exit status."""
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
                start_new_session=True,  # Ctrl-C is for the kit, which ends it then
            )
        except (OSError, ValueError) as error:
            ours.close()
            raise NoAnswerError(f"it cannot be started: {line(error)}") from error
    return guard, ours


def _available(pipe: int) -> bytes | None:
    """A chunk of what is in the pipe now: None if nothing is, empty if nothing will be."""
    try:
        return os.read(pipe, CHUNK)
    except BlockingIOError:
        return None
