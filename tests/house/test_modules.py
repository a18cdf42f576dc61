"""Names of modules and functions are different, import lines have no order, and files are short."""

import ast
import importlib
import os
import random
import shutil
import subprocess
import sys
import types

import pytest

from .packages import PACKAGES, folder, inner_packages, modules
from .prose import ROOT

INNER = [name for package in PACKAGES for name in inner_packages(package)]


def shadowed(package):
    """The names of modules of a package that belong to another object of the package."""
    names = vars(importlib.import_module(package))
    return [name for name in modules(package) if not isinstance(names.get(name, sys), types.ModuleType)]


@pytest.mark.parametrize("package", INNER)
def test_no_function_has_the_name_of_a_module(package):
    """`package.name` is the module, also after `from package import name`."""
    assert shadowed(package) == []


def test_packages_and_modules_are_found():
    assert {"kfgn", "kfgn.backends", "kfgn_reference", "kfgn_conformance.quantities", "kfgn_pytest"} <= set(INNER)
    assert {"backends", "_curvature", "_types"} <= set(modules("kfgn"))


def test_a_function_with_the_name_of_its_module_is_found(tmp_path, monkeypatch):
    package = tmp_path / "a_package"
    package.mkdir()
    (package / "__init__.py").write_text("from .f import f\n")
    (package / "f.py").write_text("def f(): pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert shadowed("a_package") == ["f"]


def shuffled(source, seed):
    """The source with its first block of relative imports in another order."""
    lines = source.splitlines()
    nodes = [node for node in ast.parse(source).body if isinstance(node, ast.ImportFrom) and node.level > 0]
    statements = ["\n".join(lines[node.lineno - 1 : node.end_lineno]) for node in nodes]
    if len(set(statements)) < 2:
        return source
    another = random.Random(seed)
    order = list(statements)
    while order == statements:
        another.shuffle(order)
    start, end = nodes[0].lineno - 1, nodes[-1].end_lineno
    return "\n".join([*lines[:start], *order, *lines[end:], ""])


def test_imports_are_shuffled():
    source = "from .a import b\nfrom .c import (\n    d,\n    e,\n)\n\n__all__ = []\n"
    assert shuffled(source, 0) == "from .c import (\n    d,\n    e,\n)\nfrom .a import b\n\n__all__ = []\n"


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.thorough) for seed in (2, 3, 4))])
@pytest.mark.parametrize("package", ["kfgn", "kfgn_conformance"])
def test_the_import_lines_have_no_order(package, seed, tmp_path):
    """A copy of the package imports with the lines of every `__init__.py` in another order."""
    copy = tmp_path / package
    shutil.copytree(folder(package), copy, ignore=shutil.ignore_patterns("__pycache__", "vectors"))
    for init in copy.rglob("__init__.py"):
        init.write_text(shuffled(init.read_text(encoding="utf-8"), seed), encoding="utf-8")
    code = f"import {package} as p; print(p.__file__, *(name for name in p.__all__ if not hasattr(p, name)))"
    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.split() == [str(copy / "__init__.py")], done.stderr


LONG = {"noxfile.py", "reference/kfgn_reference/__init__.py", "reference/kfgn_reference/_statements.py"}
"""The file of all sessions, an index and a table."""


def test_a_file_has_at_most_300_lines():
    """Every Python file of the project except those in `LONG`, which are longer."""
    rooms = ("kfgn", "reference", "conformance", "tests", "benchmarks", "docs", ".")
    files = {path for room in rooms for path in (ROOT / room).glob("*.py" if room == "." else "**/*.py")}
    lengths = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8").count("\n") for path in files}
    assert len(lengths) > 900
    assert {name for name, lines in lengths.items() if lines > 300} == LONG
