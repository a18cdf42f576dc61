"""The leading eigenvectors of operators by the Lanczos iteration, compared with an eigendecomposition."""

import numpy as np
import pytest

from kfgn._algebra.leading_eigenvector import leading_eigenvectors

from .blocks import psd, without_jax


def run(backend, matrices, start, steps):
    """The result for operators on matrices (O, O), whose elements are multiplied by a matrix (O^2, O^2)."""
    A = [backend.asarray(M) for M in matrices]
    shapes = [v.shape for v in start]

    def apply(vectors):
        xp = backend.xp
        flat = [xp.reshape(v, (-1,)) for v in vectors]
        return tuple(xp.reshape(M @ v, s) for M, v, s in zip(A, flat, shapes, strict=True))

    return [backend.to_numpy(v) for v in leading_eigenvectors(apply, tuple(map(backend.asarray, start)), steps)]


def leading(M):
    return np.linalg.eigh(M)[1][:, -1]


@without_jax
def test_two_blocks(backend):
    rng = np.random.default_rng(0)
    matrices = psd(9, 12, rng), psd(4, 2, rng)
    start = rng.normal(size=(3, 3)), rng.normal(size=(2, 2))
    for steps in (9, 20):
        for v, M, like in zip(run(backend, matrices, start, steps), matrices, start, strict=True):
            assert v.shape == like.shape
            assert abs(leading(M) @ v.ravel()) == pytest.approx(1.0, rel=1e-14)
            assert np.linalg.norm(v) == pytest.approx(1.0, rel=1e-14)


def test_fewer_steps_than_a_power_iteration():
    from kfgn.backends import open_backend

    spectrum = np.linspace(0, 0.9, 100)
    spectrum[-1] = 1.0
    start = np.ones((10, 10))
    (v,) = run(open_backend("numpy"), [np.diag(spectrum)], [start], 20)
    power = spectrum**20 * start.ravel()
    assert 1 - abs(v.ravel()[-1]) < 1e-6 * (1 - power[-1] / np.linalg.norm(power))


@without_jax
def test_the_start_is_an_eigenvector_or_zero(backend):
    M = np.diag([1.0, 3.0, 2.0, 0.5])
    start = np.array([[0.0, 2.0], [0.0, 0.0]]), np.zeros((2, 2))
    first, second = run(backend, [M, M], start, 4)
    np.testing.assert_array_equal(first, [[0.0, 1.0], [0.0, 0.0]])
    np.testing.assert_array_equal(second, 0.0)
    (none,) = run(backend, [np.zeros((4, 4))], start[:1], 3)
    assert np.all(np.isfinite(none))


@without_jax
def test_float32(backend):
    rng = np.random.default_rng(1)
    M = psd(9, 12, rng).astype("float32")
    (v,) = run(backend, [M], [np.eye(3, dtype="float32")], 20)
    assert v.dtype == "float32"
    assert abs(leading(M.astype(float)) @ v.ravel()) == pytest.approx(1.0, rel=1e-6)
