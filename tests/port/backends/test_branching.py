"""The choice between two computations."""

import numpy as np
import pytest

from kfgn.backends import branch, can_branch_on


def fails():
    raise AssertionError("called")


@pytest.mark.parametrize("condition", [True, False])
def test_a_bool_calls_one_function(condition):
    yes, no = (lambda: "yes", fails) if condition else (fails, lambda: "no")
    assert branch(condition, yes, no) == ("yes" if condition else "no")


def test_an_array_of_jax_chooses_in_one_program():
    jax = pytest.importorskip("jax")
    f = jax.jit(lambda t, x: branch(t % 2 == 0, lambda: (x, 2 * x), lambda: (-x, x)))
    x = jax.numpy.asarray(3.0)
    assert [tuple(map(float, f(t, x))) for t in range(3)] == [(3, 6), (-3, 3), (3, 6)]
    assert f._cache_size() == 1
    assert can_branch_on(x)
    assert not can_branch_on(np.ones(()))
