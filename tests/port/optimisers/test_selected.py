"""The choice between two states by a 0-d condition."""

import numpy as np
import pytest

from kfgn._optimisers.arrays import selected


@pytest.mark.parametrize("condition", [True, False])
def test_the_choice(backend, condition):
    called = []

    def states(name, value):
        def f():
            called.append(name)
            return (backend.asarray(np.full(3, value)), None, (backend.asarray(np.asarray(value)),))

        return f

    flag = backend.asarray(np.asarray(condition))
    array, nothing, (scalar,) = selected(backend.xp, flag, states("yes", 1.0), states("no", 2.0))
    expected = 1.0 if condition else 2.0
    np.testing.assert_array_equal(backend.to_numpy(array), np.full(3, expected))
    assert nothing is None
    assert float(scalar) == expected
    on_host = backend.name in ("numpy", "torch")
    assert called == ([("yes" if condition else "no")] if on_host else ["yes", "no"])
