"""The imports of the reference: only NumPy, the standard library and itself. It has no float literal."""

import ast
import importlib.util
import inspect
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import kfgn_reference
import pytest

MODULES = sorted(Path(importlib.util.find_spec("kfgn_reference").origin).parent.rglob("*.py"))
ALLOWED = {"numpy", "kfgn_reference"} | sys.stdlib_module_names
BLOCKED = ("torch", "jax", "cupy", "scipy", "array_api_compat", "array_api_strict", "hypothesis", "pytest", "kfgn")


def offences(source):
    """The forbidden imports, float literals and uses of np.linalg in a module, with their lines."""
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
    """No module has an offence, except `_spectral`, which calls np.linalg twice."""
    found = [offence for _, offence in offences(path.read_text(encoding="utf-8"))]
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
    assert offence in [name for _, name in offences(source)]


def test_import_without_other_libraries():
    """The reference imports if every other library is blocked, and imports none of them."""
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
from kfgn_reference import shared_weights
missing = [name for part in (kfgn_reference, shared_weights) for name in part.__all__ if not hasattr(part, name)]
print(missing, sorted(set({BLOCKED!r}) & set(sys.modules)))
"""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.splitlines() == ["blocked", "[] []"], done.stderr


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.thorough) for seed in (2, 3, 4))])
def test_the_import_lines_have_no_order(seed, tmp_path):
    """A copy of the package imports with the import statements of its `__init__.py` in any order."""
    package = tmp_path / "kfgn_reference"
    shutil.copytree(MODULES[0].parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    source = (package / "__init__.py").read_text(encoding="utf-8")
    lines = source.splitlines()
    imports = [node for node in ast.parse(source).body if isinstance(node, ast.ImportFrom)]
    statements = ["\n".join(lines[node.lineno - 1 : node.end_lineno]) for node in imports]
    shuffled = random.Random(seed).sample(statements, k=len(statements))
    assert shuffled != statements
    start, end = imports[0].lineno - 1, imports[-1].end_lineno
    (package / "__init__.py").write_text("\n".join([*lines[:start], *shuffled, *lines[end:], ""]), encoding="utf-8")
    code = "import kfgn_reference as ref; print(ref.__file__, *(n for n in ref.__all__ if not hasattr(ref, n)))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), *filter(None, sys.path)])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.split() == [str(package / "__init__.py")], done.stderr


def test_no_function_has_the_name_of_a_module():
    """`kfgn_reference.name` is a module or a public name, and never both."""
    modules = {path.stem for path in MODULES} - {"__init__"}
    assert all(name.startswith("_") for name in modules)
    assert not modules & set(kfgn_reference.__all__)
    assert not any(inspect.ismodule(getattr(kfgn_reference, name)) for name in kfgn_reference.__all__)
