"""Each module has one executed example, and the docstring of the package names each module."""

import importlib
import pkgutil

import kfgn_reference.shared_weights as shared
import pytest

from ..test_examples import examples, run

MODULES = [f"{shared.__name__}.{module.name}" for module in pkgutil.iter_modules(shared.__path__)]


@pytest.mark.parametrize("name", [shared.__name__, *MODULES])
def test_example(name):
    test = examples(name, importlib.import_module(name).__doc__)
    assert 1 <= len(test.examples) <= 8
    assert not run(test)


def test_every_module_is_in_the_docstring():
    for name in MODULES:
        assert name.rpartition(".")[2] in shared.__doc__
