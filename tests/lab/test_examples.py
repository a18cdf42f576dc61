"""The examples in the docstrings of `kfgn.lab` give the output that they show."""

import pytest

import kfgn.lab
import kfgn.lab.data

CONSTANTS = {"METHODS", "TASKS"}


@pytest.mark.parametrize("name", sorted(set(kfgn.lab.__all__) - CONSTANTS))
def test_example(name, run_examples):
    run_examples(name, getattr(kfgn.lab, name))


def test_example_of_load(run_examples):
    run_examples("load", kfgn.lab.data.load)
