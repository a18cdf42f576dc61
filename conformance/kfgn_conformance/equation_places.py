"""The places of an equation's code and test, for an editor and for pytest.

>>> from kfgn_conformance.equation_places import place_of
>>> from kfgn_reference import kfra
>>> place_of(kfra).rpartition(":")[0].endswith("_kfra.py")
True
"""

import inspect
from pathlib import Path

import kfgn_reference

from .equation_functions import Function

ROOT = Path(kfgn_reference.__file__).resolve().parents[2]
"""The folder of a clone, which has the tests. In an installed package this folder has no tests."""


def place_of(f: Function) -> str:
    """Return the file and the first line of a function, as `FILE:LINE`."""
    return f"{_from_here(Path(inspect.getfile(f)).resolve())}:{inspect.getsourcelines(f)[1]}"


def line_of_test(test: str) -> str:
    """Return a line with the command that runs a test of the repository, or with the test alone outside of a clone."""
    file, colons, name = test.partition("::")
    path = ROOT / file
    return f"tested by: pytest {_from_here(path)}{colons}{name}" if path.exists() else f"tested by {test}"


def _from_here(path: Path) -> Path:
    """Return a path relative to the current folder, or the full path of a file that is not below this folder."""
    try:
        here = Path.cwd()
    except FileNotFoundError:  # the current folder was deleted
        return path
    return path.relative_to(here) if path.is_relative_to(here) else path
