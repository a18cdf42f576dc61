"""The examples in the docstrings of the modules of the oracle for any function."""

import doctest
import importlib
from pathlib import Path

import kfgn_conformance.functions as functions
import pytest

MODULES = [path.stem for path in sorted(Path(functions.__file__).parent.glob("*.py")) if ">>>" in path.read_text()]


def test_modules_have_examples():
    assert {"uses", "parameters", "outputs", "matches"} <= set(MODULES)


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    module = importlib.import_module(f"{functions.__name__}.{name}")
    failed, tried = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert tried > 0
    assert failed == 0
