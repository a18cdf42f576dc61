"""Printing to streams that may be full, closed, absent, or limited to ASCII."""

import argparse
import contextlib
import errno
import io
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, NoReturn

from rich.console import Console
from rich.text import Text

from .plain import plain
from .suggestions import suggestion

WIDE = 10_000
"""The width of a console for a pipe or a file. With this width, no line is wrapped, and no table is cut."""


class UnwrittenError(OSError):
    """Raised if standard output cannot be written."""


class Output(Console):
    """A console for standard output or standard error. Strings are printed as plain text, not as markup.

    Raises `UnwrittenError` if standard output cannot be written. A failure to write to standard error is ignored. If
    standard output is a pipe whose reader has ended, the command continues, and its exit status is the same as with a
    reader. Lines are wrapped on a terminal, or if the option `width` or the environment variable COLUMNS is given.
    """

    def __init__(self, *, stderr: bool = False, **options: Any) -> None:
        super().__init__(stderr=stderr, markup=False, emoji=False, highlight=False, **options)
        if not (self.is_terminal or "width" in options or "COLUMNS" in os.environ):
            self.width = WIDE

    def print(self, *objects: Any, **options: Any) -> None:
        """Print objects as rich does, and strings as plain text."""
        try:
            super().print(*(Text(plain(x)) if isinstance(x, str) else x for x in objects), **options)
        except OSError as error:
            if not (self.stderr or is_reader_gone(error)):
                raise UnwrittenError(error.errno, error.strerror) from error

    def print_to_pipe(self, line: str) -> None:
        """Print a line at once, unless the stream is a terminal, which shows the line of progress instead."""
        if not self.is_terminal:
            self.print(line, soft_wrap=True)
            _write_out(self.file)

    @contextlib.contextmanager
    def progress(self) -> Iterator[Callable[[str], None]]:
        """Show a line of progress on a terminal, and yield a function that sets the text of the line."""
        with self.status("") as status:
            yield lambda text: status.update(Text(plain(text)))

    @contextlib.contextmanager
    def announcements(self) -> Iterator[Callable[[str], None]]:
        """Yield a function that shows a text in the line of progress of a terminal, or prints the text to a pipe."""
        with self.progress() as show:

            def announce(text: str) -> None:
                show(text)
                self.print_to_pipe(f"kfgn-check: {text}")

            yield announce

    def on_broken_pipe(self) -> None:
        """Raise `BrokenPipeError`. By default, rich would end the process."""
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


class Formatter(argparse.HelpFormatter):
    """A formatter of help texts that wraps paragraphs, and leaves paragraphs with indented lines as they are."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        paragraphs = text.rstrip("\n").split("\n\n")
        return "\n\n".join(
            p if "\n  " in p else super(Formatter, self)._fill_text(p, width, indent) for p in paragraphs
        )


class Parser(argparse.ArgumentParser):
    """A parser of command lines whose error messages escape unprintable characters."""

    def __init__(self, **options: Any) -> None:
        super().__init__(formatter_class=Formatter, add_help=False, allow_abbrev=False, **options)
        self.add_argument("-h", "--help", action="help", help="Print this help and exit.")

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Read a command line. End the program for an unknown argument."""
        found, unknown = self.parse_known_args(args, namespace)
        if unknown:
            used = self._command(found)
            near = suggestion(unknown[:1], used._option_string_actions)
            used.error(f"arguments: expected options of {used.prog}, got {' '.join(unknown)}{near}")
        return found

    def _command(self, found: argparse.Namespace) -> argparse.ArgumentParser:
        """The parser of the command that a command line names."""
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction):
                parser: argparse.ArgumentParser = action.choices[getattr(found, action.dest)]
                return parser
        return self

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Refuse a value that is none of the choices of an option."""
        if action.choices is not None and value not in action.choices:
            names = [str(choice) for choice in action.choices]
            near = suggestion([str(value)], names)
            raise argparse.ArgumentError(action, f"expected one of {', '.join(names)}, got {value}{near}")

    def error(self, message: str) -> NoReturn:
        """Print the message without the word "argument" in front, and end the program with status 2."""
        super().error(plain(message.removeprefix("argument ")))

    def print_help(self, file: Any = None) -> None:
        """Print the help. Raises `UnwrittenError` for a failure to write, except if the reader of a pipe has ended."""
        _print(self.format_help(), file)


class PrintVersion(argparse.Action):
    """An option that prints the version and ends the program."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        """Print the version. Raises `UnwrittenError` for a failure to write, unless the reader of a pipe has ended."""
        _print(f"{self.const}\n")
        parser.exit()


def _print(text: str, file: Any = None) -> None:
    try:
        (file or sys.stdout).write(text)
    except OSError as error:
        if not is_reader_gone(error):
            raise UnwrittenError(error.errno, error.strerror) from error
    except AttributeError:  # no standard output exists
        pass


def is_reader_gone(error: OSError) -> bool:
    """True if the program that reads standard output, such as `head`, has ended. Callers then drop further output."""
    return error.errno == errno.EPIPE


@contextlib.contextmanager
def standard_output() -> Iterator[None]:
    """Escape characters outside the encoding of standard output and standard error, and flush both at the end.

    Raises `UnwrittenError` if standard output cannot be flushed, except if it is a pipe whose reader has ended.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        yield
    finally:
        _write_out(sys.stderr)
        if (error := _write_out(sys.stdout)) and not is_reader_gone(error):
            raise UnwrittenError(error.errno, error.strerror)


def print_error(line: str) -> None:
    """Print a line of plain text to standard error, and ignore a failure to write."""
    with contextlib.suppress(OSError, ValueError, AttributeError):  # the stream may be full, closed or absent
        sys.stderr.write(f"{plain(line)}\n")
    _write_out(sys.stderr)


def _write_out(stream: IO[str] | None) -> OSError | None:
    """Flush a stream, and return the error if the flush fails.

    After a failure the stream is redirected to the null device, because Python flushes the stream again at exit.
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
