"""The examples in the docstrings of `kfgn.backends` give the output that they show."""

import pytest

import kfgn.backends

CONSTANTS = {"BACKENDS"}


@pytest.mark.parametrize("name", sorted(set(kfgn.backends.__all__) - CONSTANTS))
def test_example(name, run_examples):
    run_examples(name, getattr(kfgn.backends, name))
