"""Printing to standard output and standard error that may be full, closed, absent, or limited to ASCII."""

import argparse
import contextlib
import errno
import io
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn, TextIO

from rich.console import Console
from rich.text import Text

from .plain import plain


class UnwrittenError(OSError):
    """A failure of standard output to take what was printed."""


class Output(Console):
    """A console for standard output or standard error. Strings are printed plainly, not as markup.

    Raises `UnwrittenError` if standard output is closed or full. Standard error may lose text without an error.
    """

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, markup=False, emoji=False, highlight=False)

    def print(self, *objects: Any, **options: Any) -> None:
        """Print as rich does, with every string made plain."""
        try:
            super().print(*(Text(plain(x)) if isinstance(x, str) else x for x in objects), **options)
        except OSError as error:
            if not self.stderr:
                raise UnwrittenError(error.errno, error.strerror) from error

    @contextlib.contextmanager
    def progress(self) -> Iterator[Callable[[str], None]]:
        """Show a line on a terminal while something is done: give the function that changes it, as plain text."""
        with self.status("") as status:
            yield lambda text: status.update(Text(plain(text)))

    def on_broken_pipe(self) -> None:
        """Raise the error, where rich would end the process."""
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


class Parser(argparse.ArgumentParser):
    """A parser of a command line whose messages quote the given text plainly."""

    def error(self, message: str) -> NoReturn:
        """End the program, with status 2."""
        super().error(plain(message))

    def print_help(self, file: Any = None) -> None:
        """Print the help. `UnwrittenError` if that fails, which argparse would ignore."""
        try:
            (file or sys.stdout).write(self.format_help())
        except OSError as error:
            raise UnwrittenError(error.errno, error.strerror) from error
        except AttributeError:  # there is no standard output
            pass


@contextlib.contextmanager
def standard_output() -> Iterator[None]:
    """Prepare both streams for printing, and flush them at the end. A character that the encoding lacks is escaped.

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
    """Flush a stream. A stream that fails is connected to the null device, since Python flushes it again at exit."""
    if stream is None or stream.closed:
        return None
    try:
        stream.flush()
    except OSError as error:
        with contextlib.suppress(OSError), Path(os.devnull).open("wb") as nowhere:  # the stream may have no descriptor
            os.dup2(nowhere.fileno(), stream.fileno())
        return error
    return None
