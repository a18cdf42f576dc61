"""A console of rich that prints the text of users literally, never as markup."""

import errno
import os
from typing import Any

from rich.console import Console
from rich.text import Text

from .output import UnwrittenError
from .plain_text import escaped


class Terminal(Console):
    """A console for standard output or standard error.

    Raises `UnwrittenError` if standard output is closed or full. Text for standard error may be lost without an error.
    """

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, markup=False, emoji=False, highlight=False)

    def print(self, *objects: Any, **options: Any) -> None:
        """Print as rich does, with the control characters of every string escaped."""
        try:
            super().print(*(Text(escaped(x)) if isinstance(x, str) else x for x in objects), **options)
        except OSError as error:
            if not self.stderr:
                raise UnwrittenError(error.errno, error.strerror) from error

    def on_broken_pipe(self) -> None:
        """Raise `BrokenPipeError`. The method of rich, which this method overrides, ends the process."""
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
