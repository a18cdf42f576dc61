"""Arguments of Kronecker-factored blocks that are refused by name."""

import numpy as np
import pytest

import kfgn
from kfgn import KroneckerBlock

from .blocks import K, P, V, factors


@pytest.mark.parametrize("check", [True, False])
def test_bad_shapes(backend, block, check):
    Q, G = factors()
    for name, bad, said in [
        ("Q", block(Q[:, :4], G), r"square matrix with at least one row, got shape \(5, 4\)"),
        ("G", block(Q, G[0]), r"square matrix with at least one row, got shape \(3,\)"),
        ("G", block(Q, G[:0, :0]), r"square matrix with at least one row, got shape \(0, 0\)"),
    ]:
        for call in (
            *(bad.dense, bad.trace, lambda b=bad: b.solve(backend.asarray(V), damping=K, check=check)),
            *(lambda b=bad: b.matvec(backend.asarray(V)), lambda b=bad: kfgn.omega(*b, check=check)),
        ):
            with pytest.raises(ValueError, match=rf"^{name}: expected a {said}"):
                call()
    for v in (V.T, V[:, :4], V.ravel()):
        for call in (block(Q, G).matvec, lambda v: block(Q, G).solve(v, damping=K)):
            with pytest.raises(ValueError, match=r"^V: expected shape \(3, 5\), got"):
                call(backend.asarray(v))


def test_bad_arrays(backend, block):
    Q, G = factors()
    b, single = block(Q, G), backend.asarray(G.astype("float32"))
    with pytest.raises(TypeError, match=r"^G: expected the dtype of Q, "):
        KroneckerBlock(b.Q, single).trace()
    with pytest.raises(TypeError, match=r"^V: expected the dtype of Q, "):
        b.matvec(backend.asarray(V.astype("float32")))
    with pytest.raises(TypeError, match=r"^Q: expected dtype float32 or float64"):
        KroneckerBlock(backend.asarray(np.eye(P, dtype="int64")), b.G).dense()
    with pytest.raises(TypeError, match=r"^G: expected an array, got builtins.list"):
        KroneckerBlock(b.Q, G.tolist()).trace()
    other = np.asarray if backend.name != "numpy" else pytest.importorskip("array_api_strict").asarray
    with pytest.raises(TypeError, match=r"^V: expected an array of the library of Q"):
        b.solve(other(V), damping=K)
    with pytest.raises(ValueError, match=r"^V: expected finite values"):
        b.matvec(backend.asarray(np.where(V > 0, V, np.nan)))


@pytest.mark.parametrize("value", ["fro", "Trace", "", None, 2, ["trace"]])
def test_unknown_names(backend, block, value):
    b = block(*factors())
    for call in (
        lambda: b.solve(backend.asarray(V), damping=K, inversion=value),
        lambda: b.logdet(damping=K, inversion=value),
    ):
        with pytest.raises(ValueError, match=r"^inversion: expected one of trace, frobenius, spectral, exact, got "):
            call()
    with pytest.raises(ValueError, match=r"^norm: expected one of trace, frobenius, spectral, got "):
        kfgn.omega(*b, value)
    with pytest.raises(ValueError, match=r"^norm: expected one of trace, frobenius, spectral, got 'exact'$"):
        kfgn.omega(*b, "exact")


@pytest.mark.parametrize(
    ("damping", "error"), [(0.0, ValueError), (-1, ValueError), (np.nan, ValueError), ("1", TypeError)]
)
def test_bad_damping(backend, block, damping, error):
    b = block(*factors())
    for call in (lambda: b.solve(backend.asarray(V), damping=damping), lambda: b.logdet(damping=damping, check=False)):
        with pytest.raises(error, match=r"^damping: expected a finite number above 0, "):
            call()
    with pytest.raises(TypeError, match=r"^damping: expected the dtype of Q"):
        b.logdet(damping=backend.asarray(np.array(1.0, "float32")))


def test_bad_sequences(block):
    Q, G = block(*factors())
    for bad in (Q, None, {0: Q}):
        with pytest.raises(TypeError, match=r"^Q: expected a tuple or list of arrays Q_1, ..., Q_L"):
            kfgn.kronecker_blocks(bad, (G,))
        with pytest.raises(TypeError, match=r"^G: expected a tuple or list of arrays G_1, ..., G_L"):
            kfgn.kronecker_blocks((Q,), bad)
    with pytest.raises(ValueError, match=r"^G: expected 2 arrays, one for each array in Q, got 1"):
        kfgn.kronecker_blocks((Q, Q), (G,))
    with pytest.raises(ValueError, match=r"^G_2: expected a square matrix with at least one row, got shape \(3, 2\)"):
        kfgn.kronecker_blocks((Q, Q), (G, G[:, :2]))
    with pytest.raises(ValueError, match=r"^Q_1: expected finite values"):
        kfgn.kronecker_blocks((Q * np.nan, Q), (G, G))
