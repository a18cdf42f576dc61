"""The examples in the docstrings of `kfgn.backends` give the output that they show."""

import pytest

import kfgn.backends

CONSTANTS = {"BACKENDS"}
OF_JAX = {"drawn_from_key"}
"""The functions whose examples import JAX."""


@pytest.mark.parametrize("name", sorted(set(kfgn.backends.__all__) - CONSTANTS))
def test_example(name, run_examples):
    if name in OF_JAX:
        pytest.importorskip("jax")
    run_examples(name, getattr(kfgn.backends, name))
