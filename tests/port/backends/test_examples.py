"""The examples in the docstrings of `kfgn.backends` give the output that they show."""

import pytest

import kfgn.backends

CONSTANTS = {"BACKENDS"}
OF_LIBRARY = {"drawn_from_key": "jax", "LibraryConvolution": "torch"}
"""The names whose examples import a library, and the library."""


@pytest.mark.parametrize("name", sorted(set(kfgn.backends.__all__) - CONSTANTS))
def test_example(name, run_examples):
    if name in OF_LIBRARY:
        pytest.importorskip(OF_LIBRARY[name])
    run_examples(name, getattr(kfgn.backends, name))
