"""The examples in the docstrings of the public names of the kit."""

import doctest
import inspect

import kfgn_conformance
import pytest

NAMES = ["Status", "Verdict", "judge"]


@pytest.mark.parametrize("name", NAMES)
def test_the_docstring_has_examples_and_they_hold(name):
    """Each example runs with no names defined but those that it imports."""
    value = getattr(kfgn_conformance, name)
    docstring = inspect.getdoc(value)
    assert docstring is not None
    assert "Examples\n--------\n" in docstring
    test = doctest.DocTestParser().get_doctest(docstring, {}, name, None, 0)
    assert test.examples
    lines = []
    results = doctest.DocTestRunner(verbose=False).run(test, out=lines.append)
    assert results.failed == 0, "".join(lines)


def test_every_name_in_the_list_is_public():
    assert set(NAMES) <= set(kfgn_conformance.__all__)
