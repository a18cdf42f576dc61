"""The parent of a child process of the kit, which ends the child and its descendants when the kit ends.

    python -I -S guard.py FD COMMAND...

FD is a socket whose other end the kit alone has. The socket closes when the kit closes it, and when the kit ends, even
by SIGKILL. Then the guard kills the child's process group. When the child has ended, for this or another reason, the
guard kills the rest of the group and, on Linux, every other descendant, even one in a session of its own. The guard
writes two lines on the socket: the child's process id, and at the end its exit status. If the child cannot be started,
it writes one line.

This file uses the standard library alone, so the guard starts in a few milliseconds.
"""

import contextlib
import os
import signal
import socket
import sys
import threading
from pathlib import Path

NOT_FOR_ME = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
"""The signals that the guard ignores: only the end of the kit or of the child ends it."""


def main(number: str, *command: str) -> None:
    """Start the child, wait for its end, and end all its descendants."""
    lifeline = socket.socket(fileno=int(number))
    lifeline.set_inheritable(False)
    _adopt_orphans()
    for each in NOT_FOR_ME:
        signal.signal(each, signal.SIG_IGN)
    default = (*NOT_FOR_ME, signal.SIGPIPE)  # Python itself ignores the last
    try:
        child = os.posix_spawnp(command[0], command, os.environ, setpgroup=0, setsigdef=default)
    except (OSError, ValueError) as error:
        _tell(lifeline, f"it cannot be started: {error}")
        return
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):  # the child's own streams: only the child and its children may hold them open
        os.dup2(nothing, stream)
    _tell(lifeline, f"{child}")
    threading.Thread(target=_end_with_the_kit, args=(lifeline, child), daemon=True).start()
    while True:
        ended, status = os.wait()
        if ended == child:
            break
    _kill_group(child)
    _kill_descendants()
    _tell(lifeline, f"{os.waitstatus_to_exitcode(status)}")


def _tell(lifeline: socket.socket, message: str) -> None:
    with contextlib.suppress(OSError):  # the kit may have ended
        lifeline.sendall(message.replace("\n", " ").encode(errors="replace") + b"\n")


def _end_with_the_kit(lifeline: socket.socket, child: int) -> None:
    """Wait, in a thread, until the kit closes its end."""
    with contextlib.suppress(OSError):
        lifeline.recv(1)
    _kill_group(child)


def _kill_group(leader: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def _adopt_orphans() -> None:
    """Make this process the parent of every descendant that loses its own parent, if the system is Linux."""
    with contextlib.suppress(ImportError, OSError, AttributeError):
        import ctypes

        set_child_subreaper = 36
        ctypes.CDLL(None).prctl(set_child_subreaper, 1, 0, 0, 0)


def _kill_descendants() -> None:
    """Kill the remaining children, and then their children, which become orphans, until there are none."""
    with contextlib.suppress(ChildProcessError):
        while True:
            for child in _children():
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(child, signal.SIGKILL)
            os.wait()


def _children() -> list[int]:
    """The children of this process, as listed in /proc."""
    found = []
    with contextlib.suppress(FileNotFoundError):
        for process in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                parent = process.read_bytes().rpartition(b")")[2].split()[1]
                if int(parent) == os.getpid():
                    found.append(int(process.parent.name))
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])
