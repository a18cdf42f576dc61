"""Adapters by name, `package.module:Adapter`, as they are given on the command line."""

import importlib
from collections.abc import Callable

from . import Adapter, Description


class AdapterError(Exception):
    """An adapter that cannot be asked anything: it cannot be imported or made, or does not say who it is."""


def load(name: str, dtype: str) -> Adapter:
    """The adapter of that name, for a dtype. `AdapterError` says what is wrong with it."""
    module, colon, attribute = name.partition(":")
    if not (module and colon and attribute):
        raise AdapterError(f"expected an adapter as package.module:Adapter, got {name!r}")
    try:
        make: Callable[[str], Adapter] = getattr(importlib.import_module(module), attribute)
        adapter = make(dtype)
        described = adapter.describe()
    except Exception as error:  # whatever the module does wrong is told, not a traceback of the kit
        raise AdapterError(f"{name}: {type(error).__name__}: {error}") from error
    if not isinstance(described, Description):
        raise AdapterError(f"{name}: describe(): expected a Description, got {type(described).__qualname__}")
    if described.dtype != dtype:
        raise AdapterError(
            f"{name}: describe().dtype: expected the dtype it was made with, {dtype}, got {described.dtype}"
        )
    return adapter
