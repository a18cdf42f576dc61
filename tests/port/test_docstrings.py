"""Docstrings of the port: shared text, examples, the page of the package, and the `help` of records."""

import dataclasses
import doctest
import inspect
import pickle
import pydoc
import re
import subprocess
import sys

import numpy as np
import pytest

import kfgn
from kfgn._documentation import Documented, with_shared_text

FUNCTIONS = [name for name in kfgn.__all__ if inspect.isfunction(getattr(kfgn, name))]


def test_the_page_of_the_package_lists_every_name():
    contents = kfgn.__doc__.split("Contents\n--------\n")[1].split("\n\n")[0]
    named = re.findall(r"`(\w+)`", contents)
    assert sorted(named) == sorted(set(kfgn.__all__) - {"NotPositiveDefiniteError"})
    assert "`NotPositiveDefiniteError`" in kfgn.__doc__


@pytest.mark.parametrize("documented", [kfgn, Documented])
def test_examples(documented):
    test = doctest.DocTestParser().get_doctest(inspect.getdoc(documented), {}, documented.__name__, None, 0)
    assert test.examples
    assert doctest.DocTestRunner().run(test).failed == 0


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_parameter_is_described(name):
    function = getattr(kfgn, name)
    text = inspect.getdoc(function)
    assert not re.search(r"^ *\{\w+\}$", text, re.MULTILINE)
    parameters, rest = text.split("\nParameters\n----------\n")[1].split("\n\nReturns\n-------\n")
    described = [line.partition(" : ")[0] for line in parameters.splitlines() if not line.startswith(" ")]
    assert described == list(inspect.signature(function).parameters)
    assert "\n\nRaises\n------\n" in rest
    assert "\n\nExamples\n--------\n>>> " in rest
    assert max(map(len, text.splitlines())) <= 116  # the indent of a function is 4


LAYERS = [kfgn.Dense, kfgn.Convolution, kfgn.Pooling, kfgn.Flatten, kfgn.Normalisation, kfgn.ScaleShift, kfgn.Embedding]


@pytest.mark.parametrize("record", [kfgn.Network, *LAYERS, kfgn.LossAndFactors, kfgn.Solution, kfgn.KroneckerBlock])
def test_help_of_a_record_has_no_special_methods(record):
    text = pydoc.plain(pydoc.render_doc(record))
    assert "__" not in text
    fields = getattr(record, "_fields", None) or [field.name for field in dataclasses.fields(record)]
    assert all(f"{name} : " in text for name in fields)  # the docstring describes them
    methods = [name for name, value in vars(record).items() if inspect.isfunction(value) and name[0] != "_"]
    assert all(f"{name}(" in text for name in methods)


def test_text_has_the_indent_of_its_line():
    def f():
        """Summary.

        {check}
            {check}
        W_{l} stays
        """

    lines = inspect.getdoc(with_shared_text(f)).splitlines()
    assert [line.partition("c")[0] for line in lines if "check : bool" in line] == ["", "    "]
    assert "W_{l} stays" in lines


def test_an_unknown_name_is_an_error():
    def f():
        """Summary.

        {chekc}
        """

    with pytest.raises(KeyError, match="chekc"):
        with_shared_text(f)


def test_python_without_docstrings():
    program = "import kfgn; print(kfgn.kfra.__doc__, kfgn.LossAndFactors(1, 2, 3, 4)._asdict())"
    run = subprocess.run([sys.executable, "-OO", "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.startswith("None {'loss': 1, ")


def test_tuples_keep_their_class():
    block = kfgn.KroneckerBlock(np.eye(2), np.eye(3))
    copied = pickle.loads(pickle.dumps(block))
    assert type(copied) is kfgn.KroneckerBlock
    assert kfgn.KroneckerBlock.__bases__ == (tuple,)  # as PyTorch expects of a pytree
    assert block._replace(Q=1.0)._asdict()["Q"] == 1.0
