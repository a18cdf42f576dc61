"""The modules of docs/extensions that do not need Sphinx."""

import importlib.util
from pathlib import Path
from types import ModuleType

EXTENSIONS = Path(__file__).parents[2] / "docs" / "extensions"


def extension(name: str) -> ModuleType:
    """Import a module of docs/extensions, which is no package."""
    spec = importlib.util.spec_from_file_location(name, EXTENSIONS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
