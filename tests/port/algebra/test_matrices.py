"""1 - p as the sum of the other probabilities, which keeps its digits where p rounds to 1."""

import numpy as np
import pytest

from kfgn._algebra.matrices import one_minus


@pytest.mark.parametrize("shift", [0.0, 12.0, 40.0])
def test_one_minus_p(backend, shift):
    rng = np.random.default_rng(0)
    h = rng.standard_normal((5, 7))
    h[:, 2] += shift
    e = np.exp(h - h.max(-1, keepdims=True))
    p = e / e.sum(-1, keepdims=True)
    expected = np.stack([np.delete(p, i, -1).sum(-1) for i in range(7)], -1)
    with backend.scope("float64"):
        np.testing.assert_allclose(backend.to_numpy(one_minus(backend.xp, backend.asarray(p))), expected, rtol=1e-14)
