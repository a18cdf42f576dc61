"""Adapters by name, `package.module:Adapter`, as they are given on the command line."""

import contextlib
import importlib
import sys
from collections.abc import Callable
from pathlib import Path

from ..problems.problem import Array, Problem
from . import Adapter, Description
from .answers import kind, line, raised


class AdapterError(Exception):
    """An adapter that cannot be asked anything: it cannot be imported or made, or does not say who it is."""


class Loaded:
    """An adapter in this process, with the description that it gave when it was loaded."""

    def __init__(self, adapter: Adapter, described: Description) -> None:
        self._adapter, self._described = adapter, described

    def describe(self) -> Description:
        """Its description."""
        return self._described

    def compute(self, problem: Problem, quantity: str) -> tuple[Array, ...]:
        """The adapter's answer, unchanged."""
        return self._adapter.compute(problem, quantity)


def load(name: str, dtype: str) -> Loaded:
    """The adapter of that name, for a dtype. `AdapterError`, with the reason, if there is none.

    Python looks for the module in the current folder first, as with `python -m`.
    """
    module, _, attribute = name.partition(":")
    if not (attribute.isidentifier() and all(part.isidentifier() for part in module.split("."))):
        raise AdapterError(f"expected an adapter as package.module:Adapter, got {line(repr(name))}")
    _find_in_the_current_folder()
    try:
        make: Callable[[str], Adapter] = getattr(importlib.import_module(module), attribute)
        adapter = make(dtype)
        described = adapter.describe()
        if isinstance(described, Description):
            described = described.plain()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # sys.exit too: a fault of the module is reported, and does not end the kit
        raise AdapterError(f"{name}: {raised(error)}") from error
    if not isinstance(described, Description):
        raise AdapterError(f"{name}: describe(): expected a Description, got {line(kind(described))}")
    if described.dtype != dtype:
        raise AdapterError(
            f"{name}: describe().dtype: expected the dtype it was made with, {dtype}, got {described.dtype}"
        )
    return Loaded(adapter, described)


def _find_in_the_current_folder() -> None:
    """Put the current folder first on the path of imports, where a console script has its own folder."""
    with contextlib.suppress(OSError):  # the folder has been removed
        here = str(Path.cwd())
        if here not in sys.path and "" not in sys.path:
            sys.path.insert(0, here)
