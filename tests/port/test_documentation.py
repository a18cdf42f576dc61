"""`kfgn._documentation`: `help` of a dataclass shows its fields and methods, and no generated special method."""

import copy
import dataclasses
import pickle
import pydoc

import pytest

from kfgn import _documentation
from kfgn.lab import Options, Run
from kfgn.lab.tasks import Task


@pytest.mark.parametrize("kind", [Options, Run, Task])
def test_help_has_no_special_methods(kind):
    text = pydoc.render_doc(kind, renderer=pydoc.plaintext)
    assert "__" not in text
    for field in dataclasses.fields(kind):
        assert field.name in text
    for name, value in vars(kind).items():
        if callable(value) and not name.startswith("_"):
            assert f"{name}(self" in text


def test_the_class_is_an_ordinary_dataclass():
    options = Options("digits", updates=1)
    for same in (copy.deepcopy(options), pickle.loads(pickle.dumps(options)), dataclasses.replace(options)):
        assert same == options
        assert hash(same) == hash(options)
    assert "__eq__" in dir(options)


def test_example(run_examples):
    run_examples("Documented", _documentation.Documented)
