"""What the reference is made of: NumPy, the standard library and itself; no float literal, one room for np.linalg."""

import ast
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

MODULES = sorted(Path(importlib.util.find_spec("kfgn_reference").origin).parent.rglob("*.py"))
ALLOWED = {"numpy", "kfgn_reference"} | sys.stdlib_module_names
BLOCKED = ("torch", "jax", "cupy", "scipy", "array_api_compat", "array_api_strict", "hypothesis", "pytest", "kfgn")


def offences(source):
    """What a module has that it may not have, by line."""
    found = []
    for node in ast.walk(ast.parse(source)):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module]
        found += [(node.lineno, name) for name in names if name.partition(".")[0] not in ALLOWED]
        aliases = [alias.name for alias in getattr(node, "names", []) if isinstance(alias, ast.alias)]
        if getattr(node, "attr", None) == "linalg" or any("linalg" in name for name in (*names, *aliases)):
            found.append((node.lineno, "linalg"))
        if isinstance(node, ast.Constant) and isinstance(node.value, float | complex):
            found.append((node.lineno, node.value))
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_module(path):
    """`spectral` is the one that may call np.linalg, twice."""
    found = [what for _, what in offences(path.read_text(encoding="utf-8"))]
    assert found == (["linalg"] * 2 if path.name == "_spectral.py" else [])


def test_modules_are_found():
    assert {"__init__.py", "_kfra.py", "_objectives.py"} <= {path.name for path in MODULES}


@pytest.mark.parametrize(
    ("source", "offence"),
    [
        ("import scipy.linalg", "scipy.linalg"),
        ("import os, torch as t", "torch"),
        ("def f():\n    from jax import numpy", "jax"),
        ("from numpy import linalg", "linalg"),
        ("from numpy.linalg import inv", "linalg"),
        ("import numpy as np\nnp.linalg.inv(A)", "linalg"),
        ("h / 10 if h < 0 else -0.5", 0.5),
        ("x = 1e3", 1000.0),
    ],
)
def test_offences_are_seen(source, offence):
    assert offence in [what for _, what in offences(source)]


def test_import_without_other_libraries():
    """Importing it needs nothing else, be it installed or not."""
    code = f"""
import importlib.abc, sys

class Blocked(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {BLOCKED!r}:
            raise ImportError(name + " is blocked")

sys.meta_path.insert(0, Blocked())
try:
    import scipy
except ImportError:
    print("blocked")
import kfgn_reference
missing = [name for name in kfgn_reference.__all__ if not hasattr(kfgn_reference, name)]
print(missing, sorted(set({BLOCKED!r}) & set(sys.modules)))
"""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.splitlines() == ["blocked", "[] []"], done.stderr
