"""Every structured form of H_L compared with its own dense matrix, and its digits where the softmax saturates."""

import numpy as np
import pytest

from kfgn._network.objectives import OBJECTIVES, PSD
from kfgn._network.output_hessian import Multinomial

FORMS = [(name, psd) for name, objective in OBJECTIVES.items() for psd in PSD if psd in objective.gauss_newton]


@pytest.mark.parametrize(("name", "psd"), FORMS)
def test_every_form(backend, name, psd):
    objective = OBJECTIVES[name]
    split = objective.gauss_newton[psd]
    rng = np.random.default_rng(0)
    K = split.root_size(3)
    with backend.scope("float64"):
        h, v, A = (backend.asarray(rng.standard_normal(shape)) for shape in ((7, 3), (2, 7, 3), (3, 5)))
        z = backend.asarray(rng.standard_normal((2, 7, K)))
        y = rng.random((7, 3)) if objective.classes is None else rng.integers(0, 2, 7)
        form = split.output_curvature(backend.xp, h, backend.asarray(y))
        parts = (
            form.matrix(),
            form.mean(),
            form.congruence(form.mean(), A),
            form.product(v),
            form.quadratic(v),
            form.transposed_root_product(A),
            form.root_product(z),
        )
        M, mean, AMA, Mv, vMv, rows, Cz = map(backend.to_numpy, parts)
        C = np.stack([backend.to_numpy(form.root_product(backend.asarray(np.tile(e, (7, 1))))) for e in np.eye(K)], -1)
    v, A, z = map(backend.to_numpy, (v, A, z))
    for came, expected in [
        (M, C @ C.swapaxes(1, 2)),
        (mean, M.mean(0)),
        (AMA, A.T @ M.mean(0) @ A),
        (Mv, np.einsum("nij,snj->sni", M, v)),
        (vMv, np.einsum("sni,nij,snj->sn", v, M, v)),
        (rows, C.swapaxes(1, 2) @ A),
        (Cz, np.einsum("nik,snk->sni", C, z)),
    ]:
        np.testing.assert_allclose(came, expected, rtol=0, atol=1e-14)
    assert np.linalg.eigvalsh(M).min() > -1e-15


@pytest.mark.parametrize("name", OBJECTIVES)
def test_hessian_is_its_own_product(backend, name):
    objective = OBJECTIVES[name]
    rng = np.random.default_rng(0)
    with backend.scope("float64"):
        h, v = (backend.asarray(rng.standard_normal(shape)) for shape in ((7, 3), (2, 7, 3)))
        y = rng.random((7, 3)) if objective.classes is None else rng.integers(0, 2, 7)
        H = objective.hessian(backend.xp, h, backend.asarray(y))
        M, Mv = map(backend.to_numpy, (H.matrix(), H.product(v)))
    np.testing.assert_allclose(Mv, np.einsum("nij,snj->sni", M, backend.to_numpy(v)), rtol=0, atol=1e-14)


def test_a_confident_softmax_keeps_its_digits():
    # p (1 - p) = 1e-9 would be lost in p - p^2; the result in float64 is the expected one
    h = np.array([[20.0, 0.0, 1.0, -2.0]])
    p = np.exp(h) / np.exp(h).sum()
    v = np.array([[1.0, -0.5, 0.25, 2.0]])
    single, double = (Multinomial(p.astype(t)) for t in ("float32", "float64"))
    for shift in (0.0, 3.0):
        moved = v + shift
        expected = double.product(v)
        np.testing.assert_allclose(single.product(moved.astype("float32")), expected, rtol=1e-5)
        np.testing.assert_allclose(single.quadratic(moved.astype("float32")), double.quadratic(v), rtol=1e-5)
        np.testing.assert_allclose((double.matrix() @ v[..., None])[..., 0], expected, rtol=1e-12)


@pytest.mark.parametrize("gap", [0.0, 16.0, 30.0, 90.0, 700.0])
def test_a_sure_softmax_keeps_the_digits_of_every_entry(gap):
    # p rounds to 1, and the entries keep their digits: H_L has the size e^-gap, and the root e^(-gap/2)
    small = np.exp(-gap) * np.array([1.0, 0.5, 0.25])
    p = np.array([[1.0, *small]]) / (1 + small.sum())
    v, rest = np.array([[3.0, 1.0, -2.0, 0.5]]), small / (1 + small.sum())
    mean = (rest * (v[0, 1:] - v[0, 0])).sum()  # p^T v - v_1
    variance = (rest * (v[0, 1:] - v[0, 0] - mean) ** 2).sum() + p[0, 0] * mean**2
    terms = (np.sqrt(rest) * v[0, 1:]).sum()
    first = np.sqrt(p[0, 0]) * (rest.sum() * v[0, 0] - np.sqrt(p[0, 0]) * terms)
    M = Multinomial(p)
    np.testing.assert_allclose(M.product(v)[0], p[0] * np.array([-mean, *(v[0, 1:] - v[0, 0] - mean)]), rtol=1e-13)
    np.testing.assert_allclose(M.quadratic(v)[0], variance, rtol=1e-13)
    np.testing.assert_allclose(M.root_product(v)[0, 0], first, rtol=1e-13)
    np.testing.assert_allclose((M.matrix() @ v[0])[0], M.product(v)[0], rtol=1e-12)
