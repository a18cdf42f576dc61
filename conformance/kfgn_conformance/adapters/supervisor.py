"""Supervisor of a child process: a parent that kills the child and its descendants when the kit ends.

    python -I -S supervisor.py FD COMMAND...

FD is the file descriptor of a socket whose other end is open only in the kit. The kit closes its end, or the system
closes it when the kit ends, even by SIGKILL. When the kit's end is closed, the supervisor kills the child's process
group. When the child has ended for any reason, the supervisor kills the rest of the child's process group. On Linux,
the supervisor also kills every other descendant of the child, even a descendant in a separate session. The supervisor
writes a line with the process id of the child to the socket, and finally a line with the exit status of the child. If
the child cannot be started, the supervisor writes one line with the reason.

This file imports only the standard library, so that the supervisor starts in a few milliseconds.
"""

import contextlib
import os
import signal
import socket
import sys
import threading
from pathlib import Path

IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
"""The signals that the supervisor ignores, so that the supervisor runs until the child has ended."""


def main(number: str, *command: str) -> None:
    """Start the child, wait until it ends, and kill its process group, and on Linux all its descendants."""
    lifeline = socket.socket(fileno=int(number))
    lifeline.set_inheritable(False)
    _adopt_orphans()
    for each in IGNORED:
        signal.signal(each, signal.SIG_IGN)
    default = (*IGNORED, signal.SIGPIPE)  # Python itself ignores SIGPIPE
    try:
        child = os.posix_spawnp(command[0], command, os.environ, setpgroup=0, setsigdef=default)
    except (OSError, ValueError) as error:
        _report(lifeline, f"the command cannot be started: {error}")
        return
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):  # only the child and its descendants may keep the pipes to the kit open
        os.dup2(nothing, stream)
    _report(lifeline, f"{child}")
    threading.Thread(target=_end_with_the_kit, args=(lifeline, child), daemon=True).start()
    while True:
        ended, status = os.wait()
        if ended == child:
            break
    _kill_group(child)
    _kill_descendants()
    _report(lifeline, f"{os.waitstatus_to_exitcode(status)}")


def _report(lifeline: socket.socket, message: str) -> None:
    """Send a line to the kit, if the kit has not ended."""
    with contextlib.suppress(OSError):
        lifeline.sendall(message.replace("\n", " ").encode(errors="replace") + b"\n")


def _end_with_the_kit(lifeline: socket.socket, child: int) -> None:
    """Wait in a thread until the kit closes its end of the socket, then kill the process group of the child."""
    with contextlib.suppress(OSError):
        lifeline.recv(1)
    _kill_group(child)


def _kill_group(leader: int) -> None:
    """Kill a process group, if the group still exists."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def _adopt_orphans() -> None:
    """On Linux, make this process the parent of every descendant whose own parent ends."""
    with contextlib.suppress(ImportError, OSError, AttributeError):
        import ctypes

        set_child_subreaper = 36
        ctypes.CDLL(None).prctl(set_child_subreaper, 1, 0, 0, 0)


def _kill_descendants() -> None:
    """Kill the remaining child processes, and then their orphaned children, until no child process is left."""
    with contextlib.suppress(ChildProcessError):
        while True:
            for child in _children():
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(child, signal.SIGKILL)
            os.wait()


def _children() -> list[int]:
    """The process ids of the children of this process, from /proc."""
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
