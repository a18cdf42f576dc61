"""Standard output and standard error as they may be: full, closed, absent, or of an encoding without our letters."""

import argparse
import contextlib
import errno
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn, TextIO

from rich.console import Console
from rich.text import Text

from .plain import plain


class UnwrittenError(OSError):
    """Standard output did not take what was printed."""


class Output(Console):
    """Standard output; or standard error, of which what cannot be written is let go. Strings are plain, not markup.

    Raises `UnwrittenError` where standard output is closed or full.
    """

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, markup=False, emoji=False, highlight=False)

    def print(self, *objects: Any, **options: Any) -> None:
        """Print as rich does, but for strings, which are plain."""
        try:
            super().print(*(Text(plain(x)) if isinstance(x, str) else x for x in objects), **options)
        except OSError as error:
            if not self.stderr:
                raise UnwrittenError(error.errno, error.strerror) from error

    def on_broken_pipe(self) -> None:
        """Leave it to `print`, where rich would end the process."""
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


class Parser(argparse.ArgumentParser):
    """A parser of a command line whose messages quote plainly what was given."""

    def error(self, message: str) -> NoReturn:
        """End the program, with status 2."""
        super().error(plain(message))

    def print_help(self, file: Any = None) -> None:
        """Print the help. `UnwrittenError` where argparse would not notice that it cannot."""
        try:
            (file or sys.stdout).write(self.format_help())
        except OSError as error:
            raise UnwrittenError(error.errno, error.strerror) from error
        except AttributeError:  # there is no standard output
            pass


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
        with contextlib.suppress(OSError), Path(os.devnull).open("wb") as nowhere:  # it may have no descriptor
            os.dup2(nowhere.fileno(), stream.fileno())
        return error
    return None
