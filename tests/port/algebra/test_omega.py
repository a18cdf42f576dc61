"""omega (36) compared with norms by NumPy's linear algebra, and as the minimum of the bound (37)."""

import numpy as np
import pytest

import kfgn

from .blocks import NORMS, D, P, expected_omega, factors, without_jax


@pytest.mark.parametrize("case", ["full rank", "rank one", "dead units", "no inputs", "tiny", "huge"])
@pytest.mark.parametrize("norm", NORMS)
def test_omega(block, norm, case):
    Q, G = factors(case)
    w = kfgn.omega(*block(Q, G), norm)
    assert tuple(w.shape) == ()
    np.testing.assert_allclose(float(w), expected_omega(Q, G, norm), rtol=1e-12)


@pytest.mark.parametrize("norm", NORMS)
def test_omega_minimises_the_bound(block, norm):
    # (37): omega^-1 |Q kron I| + omega |I kron G|
    Q, G = factors()
    size = {
        "trace": np.trace,
        "frobenius": np.linalg.norm,
        "spectral": lambda A: np.linalg.norm(A, 2),
    }[norm]

    def bound(w):
        return size(np.kron(Q, np.eye(D))) / w + w * size(np.kron(np.eye(P), G))

    w = float(kfgn.omega(*block(Q, G), norm))
    assert bound(w) < min(bound(1.001 * w), bound(0.999 * w))


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("scale", [1e-20, 1e-12, 1.0])
@without_jax
def test_omega_of_small_factors_in_float32(backend, norm, scale):
    Q, G = factors()
    q, g = (backend.asarray(A.astype("float32")) for A in (Q, G * scale))
    np.testing.assert_allclose(float(kfgn.omega(q, g, norm)), expected_omega(Q, G * scale, norm), rtol=1e-5)
