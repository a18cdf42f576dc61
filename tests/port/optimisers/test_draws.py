"""Random numbers of a step: reproducible from seed and step, and of the stated distribution."""

import numpy as np

import kfgn

from .runs import NETWORK


def test_draws_are_those_of_seed_and_step():
    kfac, rp = (kfgn.GaussNewton(NETWORK, kfgn.KroneckerFactored(method, samples=2)) for method in ("kfac", "rp"))
    uniforms, normals = kfac.draw(3, 5, 1000), rp.draw(3, 5, 1000)
    assert uniforms.shape == normals.shape == (1000, 2, 2)
    assert uniforms.dtype == normals.dtype == np.float32
    np.testing.assert_array_equal(uniforms, kfac.draw(3, 5, 1000))
    assert np.mean(uniforms == kfac.draw(3, 6, 1000)) < 0.01
    assert np.mean(uniforms == kfac.draw(4, 5, 1000)) < 0.01
    assert np.min(uniforms) >= 0
    assert np.max(uniforms) < 1
    assert abs(np.mean(uniforms) - 0.5) < 5 * np.sqrt(1 / 12 / uniforms.size)
    assert abs(np.mean(normals)) < 5 / np.sqrt(normals.size)
    assert abs(np.mean(normals**2) - 1) < 5 * np.sqrt(2 / normals.size)
    assert kfgn.GaussNewton(NETWORK).draw(3, 5, 10) is None
    assert kfgn.Adam(NETWORK).draw(3, 5, 10) is None
