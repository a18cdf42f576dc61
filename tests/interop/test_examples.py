"""The examples in the docstrings of `kfgn.interop.torch` give the output that they show."""

import pytest

from kfgn.interop import torch as interop


@pytest.mark.parametrize("name", interop.__all__)
def test_example(name, run_examples):
    run_examples(name, getattr(interop, name))
