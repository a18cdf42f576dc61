"""Import of adapters by names of the form `package.module:Adapter`."""

import contextlib
import importlib
import sys
from collections.abc import Callable
from pathlib import Path

from ..problems.problem import Array, Problem
from . import Adapter, Description
from .answers import error_line, one_line, type_name
from .naming import is_class


class AdapterError(Exception):
    """Failure to import, create or start an adapter, or to read its description."""


class Loaded:
    """An adapter in this process, with the description that the adapter gave when it was loaded."""

    def __init__(self, adapter: Adapter, description: Description) -> None:
        self._adapter, self._description = adapter, description

    def describe(self) -> Description:
        """The description that the adapter gave when it was loaded."""
        return self._description

    def compute(self, problem: Problem, quantity: str) -> tuple[Array, ...]:
        """The answer of the adapter, unchanged."""
        return self._adapter.compute(problem, quantity)


def load(name: str, dtype: str) -> Loaded:
    """Import an adapter by its name, and create it for a dtype. Raises `AdapterError` with the reason of a failure.

    The import path also contains the current folder, as with `python -m`. A `KeyboardInterrupt` of the adapter is not
    replaced by an `AdapterError`.
    """
    module, _, attribute = name.partition(":")
    if not is_class(name):
        raise AdapterError(f"expected an adapter as package.module:Adapter, got {one_line(repr(name))}")
    _search_the_current_folder()
    try:
        make: Callable[[str], Adapter] = getattr(importlib.import_module(module), attribute)
        adapter = make(dtype)
        description = adapter.describe()
        if isinstance(description, Description):
            description = description.plain()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # also SystemExit, because a fault of the module must not end the kit
        raise AdapterError(f"{name}: {error_line(error)}") from error
    if not isinstance(description, Description):
        raise AdapterError(f"{name}: describe(): expected a Description, got {one_line(type_name(description))}")
    if description.dtype != dtype:
        raise AdapterError(
            f"{name}: describe().dtype: expected {dtype}, with which the adapter was created, got {description.dtype}"
        )
    return Loaded(adapter, description)


def _search_the_current_folder() -> None:
    """Put the current folder first on the import path, unless the path already contains this folder.

    The import path of a console script begins with the folder of the script, and not with the current folder.
    """
    with contextlib.suppress(OSError):  # the current folder may have been removed
        here = str(Path.cwd())
        if here not in sys.path and "" not in sys.path:
            sys.path.insert(0, here)
