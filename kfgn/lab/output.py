"""Standard output and standard error as they may be: full, closed, absent, or of an encoding without our letters."""

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from typing import TextIO

from .plain import plain


class UnwrittenError(OSError):
    """Standard output did not take what was printed."""


@contextlib.contextmanager
def standard_output() -> Iterator[None]:
    """Print in here: a letter that the encoding lacks becomes its escape, and all of it is written at the end.

    Raises `UnwrittenError`.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        yield
    finally:
        _write_out(sys.stderr)
        if error := _write_out(sys.stdout):
            raise UnwrittenError(error.errno, error.strerror)


def tell(line: str) -> None:
    """Write a line of text, made plain, to standard error if that is possible."""
    with contextlib.suppress(OSError, ValueError, AttributeError):  # full, closed, absent
        sys.stderr.write(f"{plain(line)}\n")
    _write_out(sys.stderr)


def _write_out(stream: TextIO | None) -> OSError | None:
    """Flush a stream. One that fails is turned to nowhere, as Python would flush it again at its end and fail too."""
    if stream is None or stream.closed:
        return None
    try:
        stream.flush()
    except OSError as error:
        with contextlib.suppress(OSError):  # without a descriptor
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return error
    return None
