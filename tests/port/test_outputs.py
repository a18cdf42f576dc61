"""Every form of the curvature of the outputs agrees with its own dense matrix."""

import numpy as np
import pytest

from kfgn._network.objectives import OBJECTIVES, PSD

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
            form.product(v),
            form.quadratic(v),
            form.transposed_root_product(A),
            form.root_product(z),
        )
        M, mean, Mv, vMv, rows, Cz = map(backend.to_numpy, parts)
        C = np.stack([backend.to_numpy(form.root_product(backend.asarray(np.tile(e, (7, 1))))) for e in np.eye(K)], -1)
    v, A, z = map(backend.to_numpy, (v, A, z))
    for came, expected in [
        (M, C @ C.swapaxes(1, 2)),
        (mean, M.mean(0)),
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
