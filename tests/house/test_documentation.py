"""Every public name has a docstring that stands alone: its parameters, its results, and an example that runs."""

import dataclasses
import doctest
import importlib.util
import inspect
import re

import pytest

MODULES = ("kfgn", "kfgn.interop.torch", "kfgn.lab", "kfgn_conformance", "kfgn_conformance.functions")
LIBRARIES = {"kfgn_conformance.functions": ("torch", "jax")}
"""The libraries that the examples of a module import, where the module itself can be imported without them."""

HEADING = re.compile(r"^(\w[\w ]*)\n-{3,}\n", re.MULTILINE)


def public(module):
    """The functions and classes that a module exports, by their full names."""
    if not all(map(importlib.util.find_spec, LIBRARIES.get(module, ()))):
        return {}
    try:
        found = importlib.import_module(module)
    except ImportError:
        return {}
    names = {name: getattr(found, name) for name in found.__all__}
    return {f"{module}.{name}": value for name, value in names.items() if callable(value) and inspect.getdoc(value)}


def exported(module):
    """The names of functions and classes that a module exports, with or without a docstring."""
    found = importlib.import_module(module)
    return [name for name in found.__all__ if inspect.isroutine(v := getattr(found, name)) or inspect.isclass(v)]


PUBLIC = {name: value for module in MODULES for name, value in public(module).items()}
FUNCTIONS = [name for name, value in PUBLIC.items() if inspect.isfunction(value)]


def faults_of_examples(name, value):
    """The reports of examples that fail, in the docstring of the value and in those of its methods."""
    finder = doctest.DocTestFinder(exclude_empty=False)
    found = {test.name: test for test in finder.find(value, name, globs={})}
    said = [] if found[name].examples else [f"{name}: expected an example in its docstring"]
    for test in found.values():
        # no names but those that the example imports, as in a new session
        doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE).run(test, out=said.append)
    return said


def sections(text):
    """The sections of a docstring by their headings, as numpydoc writes them."""
    _, *parts = HEADING.split(text)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def documented(section):
    """The names of a section "Parameters" or "Attributes"."""
    lines = re.findall(r"^([*\w][\w, *]*?)(?: :.*)?$", section, re.MULTILINE)
    return [name.strip(" *") for line in lines for name in line.split(",")]


def fields(value):
    """The names of the fields of a dataclass or a named tuple."""
    if dataclasses.is_dataclass(value):
        return [field.name for field in dataclasses.fields(value)]
    return list(getattr(value, "_fields", ()))


@pytest.mark.parametrize("module", ["kfgn", "kfgn.lab", "kfgn_conformance"])
def test_every_public_name_has_a_docstring(module):
    assert set(exported(module)) <= {name.removeprefix(f"{module}.") for name in PUBLIC}


@pytest.mark.usefixtures("unrendered")
@pytest.mark.parametrize("name", PUBLIC)
def test_examples(name, tmp_path, monkeypatch):
    """The docstring has an example, which prints what it shows."""
    monkeypatch.chdir(tmp_path)
    said = faults_of_examples(name, PUBLIC[name])
    assert not said, "".join(said)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_sections_of_functions(name):
    """Parameters with all names of the signature in their order, and Returns."""
    found = sections(inspect.getdoc(PUBLIC[name]))
    parameters = list(inspect.signature(PUBLIC[name]).parameters)
    assert documented(found.get("Parameters", "")) == parameters
    assert "Returns" in found or inspect.signature(PUBLIC[name]).return_annotation is None


@pytest.mark.parametrize("name", [name for name, value in PUBLIC.items() if fields(value)])
def test_sections_of_records(name):
    """Parameters, or Attributes, with all fields in their order."""
    found = sections(inspect.getdoc(PUBLIC[name]))
    assert documented(found.get("Parameters") or found.get("Attributes", "")) == fields(PUBLIC[name])


def test_no_name_refers_to_another_for_its_arguments():
    """A reader learns the shape of every argument where the argument is."""
    chains = [name for name, value in PUBLIC.items() if re.search(r"[Aa]rguments .*as in `", inspect.getdoc(value))]
    assert chains == []


def half(X, *draws):
    """The half of a number.

    Parameters
    ----------
    X : float
        A number.
    *draws : float
        Numbers that do not count.

    Returns
    -------
    float
        X / 2.

    Examples
    --------
    >>> 3 / 2
    1.5
    """
    return X / 2 + 0 * len(draws)


def test_sections_are_found():
    assert list(sections(inspect.getdoc(half))) == ["Parameters", "Returns", "Examples"]
    assert documented(sections(inspect.getdoc(half))["Parameters"]) == ["X", "draws"]


def test_examples_that_fail_are_found():
    assert faults_of_examples("half", half) == []
    assert "expected an example" in "".join(faults_of_examples("fields", fields))
    half.__doc__ = half.__doc__.replace("1.5", "1.25")
    assert "Expected:\n    1.25" in "".join(faults_of_examples("half", half))
    half.__doc__ = half.__doc__.replace(">>> 3 / 2", ">>> inspect.signature(half)")
    assert "NameError" in "".join(faults_of_examples("half", half))
