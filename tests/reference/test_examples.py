"""Each module of the reference has an example in its docstring, which is executed."""

import doctest
import importlib
import pkgutil

import kfgn_reference
import pytest

MODULES = ["kfgn_reference", *(f"kfgn_reference.{m.name}" for m in pkgutil.iter_modules(kfgn_reference.__path__))]
WITHOUT = {"kfgn_reference._types": "it has only type aliases"}


def examples(name, docstring):
    """The doctest of a docstring, with no names but those that it imports."""
    return doctest.DocTestParser().get_doctest(docstring, {"__name__": name}, name, None, 0)


def run(test):
    """The report of the examples that fail, empty if there is none."""
    report = []
    doctest.DocTestRunner(verbose=False).run(test, out=report.append)
    return "".join(report)


@pytest.mark.parametrize("name", MODULES)
def test_example(name):
    test = examples(name, importlib.import_module(name).__doc__)
    assert bool(test.examples) == (name not in WITHOUT)
    assert len(test.examples) <= 8
    assert not run(test)


def test_a_wrong_example_fails():
    assert "Expected:\n    3\nGot:\n    2" in run(examples("wrong", ">>> 1 + 1\n3\n"))


def test_every_module_is_in_the_reading_order():
    """The docstring of the package names each module."""
    for name in MODULES[1:]:
        assert name.rpartition(".")[2] in kfgn_reference.__doc__
