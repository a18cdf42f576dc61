"""Printing to standard output and standard error, which may be full, closed, absent or limited to ASCII."""

import argparse
import contextlib
import errno
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn, TextIO

from .command_errors import command_parser, suggested_flag
from .plain_text import escaped


class UnwrittenError(OSError):
    """Raised if text cannot be written to standard output."""

    @property
    def reader_left(self) -> bool:
        """True if the program that reads the pipe has ended, as `head` does after its last line.

        The command then ends without an error.
        """
        return self.errno == errno.EPIPE


class Parser(argparse.ArgumentParser):
    """A command-line parser whose error messages escape the control characters of the user's text."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, add_help=False, allow_abbrev=False)
        self.add_argument("-h", "--help", action="help", default=argparse.SUPPRESS, help="Print this help and exit.")

    def error(self, message: str) -> NoReturn:
        """Print the message, with a suggestion if there is one, and end the program with status 2."""
        super().error(escaped(message + suggested_flag(message, self._option_string_actions)))

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse the arguments. For an unknown argument, print the usage of the given command and end the program."""
        found, unknown = self.parse_known_args(args, namespace)
        if unknown:
            parser = command_parser(self, found.command) if found.command else self
            parser.error(f"unrecognized arguments: {' '.join(unknown)}")
        return found

    def print_help(self, file: Any = None) -> None:
        """Print the help. Raises `UnwrittenError` for a failed write, which argparse would ignore."""
        _print(self.format_help(), file)


class PrintVersion(argparse.Action):
    """A command-line option that prints the version and ends the program."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        """Print the version. Raises `UnwrittenError` for a failed write, which argparse would ignore."""
        _print(f"{self.const}\n")
        parser.exit()


@contextlib.contextmanager
def standard_output() -> Iterator[None]:
    """Prepare standard output and standard error for printing, and flush both streams at the end.

    Characters that the encoding of a stream lacks are escaped. Raises `UnwrittenError` if text cannot be written to
    standard output.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        yield
    finally:
        _flush(sys.stderr)
        if error := _flush(sys.stdout):
            raise UnwrittenError(error.errno, error.strerror)


def print_error(line: str) -> None:
    """Print a line to standard error, with its control characters escaped. A failed write is ignored."""
    with contextlib.suppress(OSError, ValueError, AttributeError):  # standard error is full, closed or absent
        sys.stderr.write(f"{escaped(line)}\n")
    _flush(sys.stderr)


def _print(text: str, file: Any = None) -> None:
    try:
        (file or sys.stdout).write(text)
    except OSError as error:
        raise UnwrittenError(error.errno, error.strerror) from error
    except AttributeError:  # standard output is absent
        pass


def _flush(stream: TextIO | None) -> OSError | None:
    """Flush a stream, and return the error of a failed flush.

    A failed stream is connected to the null device, since Python flushes the stream again at exit.
    """
    if stream is None or stream.closed:
        return None
    try:
        stream.flush()
    except OSError as error:
        with contextlib.suppress(OSError), Path(os.devnull).open("wb") as nowhere:  # the stream may have no descriptor
            os.dup2(nowhere.fileno(), stream.fileno())
        return error
    return None
