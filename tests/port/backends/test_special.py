"""The complementary error function of every library, compared with balls relative to its value, in both tails."""

import numpy as np
import pytest

from kfgn.backends import erfc
from kfgn.backends.special import _erfc

flint = pytest.importorskip("flint")

RANGES = {"float32": (-6, 9), "float64": (-6, 26)}
"""The arguments between which erfc is a normal number, and on the left as near to 2 as it can be."""


def errors(values, x):
    """The errors relative to the value, in units of the roundoff of the dtype."""
    with flint.ctx.workprec(100):
        pairs = zip(values.tolist(), x.tolist(), strict=True)
        relative = [float(abs(flint.arb(a) / flint.arb(b).erfc() - 1)) for a, b in pairs]
    return np.array(relative) / (np.finfo(values.dtype).eps / 2)


@pytest.mark.parametrize("dtype", RANGES)
def test_erfc(backend, dtype):
    """A library's own function may round x^2 before its exponential, which costs 2 x^2 roundings."""
    x = np.concatenate([np.linspace(*RANGES[dtype], 2001), [0.46875, 4, -0.46875, 0.0, 1e-30]]).astype(dtype)
    with backend.scope(dtype):
        values = backend.to_numpy(erfc(backend.asarray(x)))
        assert values.dtype == dtype
        own = np.asarray(_erfc(backend.xp, backend.asarray(x)))
    assert np.all(errors(values, x) <= 20 + (backend.library not in ("numpy", "strict")) * 4 * x.astype(float) ** 2)
    assert np.all(errors(own, x) <= 20)


def test_far_and_not_finite(backend):
    x = np.array([np.inf, 1e300, 40.0, -40.0, -1e300, -np.inf, np.nan])
    with backend.scope("float64"):
        for function in (erfc, lambda a: _erfc(backend.xp, a)):
            np.testing.assert_array_equal(backend.to_numpy(function(backend.asarray(x))), [0, 0, 0, 2, 2, 2, np.nan])
