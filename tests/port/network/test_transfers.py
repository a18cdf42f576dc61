"""The transfer functions on every library: their derivatives, their tails, their kinks and their largest arguments."""

import array_api_compat.numpy as xp
import numpy as np
import pytest

import kfgn
from kfgn._network.transfers import TRANSFERS, transfer_functions

NAMES = [*TRANSFERS, ("leaky_relu", 0.01), ("leaky_relu", -1.5), ("elu", 0.5)]


@pytest.mark.parametrize("name", NAMES, ids=str)
def test_derivatives(name):
    """Both derivatives equal central differences, away from the kink at 0."""
    f, step = transfer_functions(name), 1e-5
    h = np.linspace(-6, 6, 24)
    (up, up_first), (down, down_first) = (f.value_and_derivative(xp, h + s * step) for s in (1, -1))
    np.testing.assert_allclose(f.value_and_derivative(xp, h)[1], (up - down) / (2 * step), atol=1e-9)
    np.testing.assert_allclose(f.second_derivative(xp, h), (up_first - down_first) / (2 * step), atol=1e-9)


@pytest.mark.parametrize("name", NAMES, ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_libraries_agree(backend, name, dtype):
    """Also where a unit saturates, and for the largest numbers of the dtype, where no result may be NaN."""
    f, largest = transfer_functions(name), np.finfo(dtype).max / 4
    h = np.array([0.0, 0.3, -0.7, 3.5, -3.5, 11.0, -11.0, 800.0, -800.0, largest, -largest], dtype)

    def values(namespace, h):
        return (*f.value_and_derivative(namespace, h), f.second_derivative(namespace, h))

    with backend.scope(dtype):
        ours = [backend.to_numpy(v) for v in values(backend.xp, backend.asarray(h))]
    for came, right in zip(ours, values(xp, h.astype("float64")), strict=True):
        assert came.dtype == dtype
        assert np.all(np.isfinite(came))
        np.testing.assert_allclose(came, right, rtol=3e3 * np.finfo(dtype).eps, atol=np.finfo(dtype).tiny)


def test_the_left_tails_keep_their_digits():
    """The values are those of balls: h erfc(-h / sqrt 2) / 2, and h / (1 + e^-v)."""
    flint = pytest.importorskip("flint")
    h = np.linspace(-30, -5, 51)
    with flint.ctx.workprec(100):
        exact = [float(flint.arb(v) * (-flint.arb(v) / flint.arb(2).sqrt()).erfc() / 2) for v in h]
    np.testing.assert_allclose(TRANSFERS["gelu"].value_and_derivative(xp, h)[0], exact, rtol=1e-12)
    h = np.linspace(-9, -5, 51)
    with flint.ctx.workprec(100):
        v = [(8 / flint.arb.pi()).sqrt() * (flint.arb(x) + flint.arb(x) ** 3 * 8943 / 200000) for x in h]
        exact = [float(flint.arb(x) / (1 + (-y).exp())) for x, y in zip(h, v, strict=True)]
    np.testing.assert_allclose(TRANSFERS["gelu_tanh"].value_and_derivative(xp, h)[0], exact, rtol=1e-12)


def test_the_kink_of_elu(backend):
    """f'(0) and f''(0) are left derivatives."""
    f, at = transfer_functions(("elu", 0.5)), np.array([-1e-300, -0.0, 0.0, 1e-300])
    with backend.scope("float64"):
        _, first = f.value_and_derivative(backend.xp, backend.asarray(at))
        second = f.second_derivative(backend.xp, backend.asarray(at))
        assert backend.to_numpy(first).tolist() == [0.5, 0.5, 0.5, 1]
        assert backend.to_numpy(second).tolist() == [0.5, 0.5, 0.5, 0]


def test_elu_has_a_parameter():
    network = kfgn.Network.dense((2, 3, 1), (("elu", 1),), "squared_error")
    assert network.transfers == (("elu", 1.0),)
    h = np.linspace(-3, 3, 7)
    for one, other in zip(
        transfer_functions("elu").value_and_derivative(xp, h),
        transfer_functions(("elu", 1.0)).value_and_derivative(xp, h),
        strict=True,
    ):
        assert (one == other).all()


@pytest.mark.parametrize("name", NAMES, ids=str)
def test_nan_is_not_hidden(backend, name):
    """A pre-activation that is NaN, after an overflow in a layer below, gives a value that is NaN."""
    with backend.scope("float32"):
        h = backend.asarray(np.array([np.nan, 1.0], "float32"))
        value = backend.to_numpy(transfer_functions(name).value_and_derivative(backend.xp, h)[0])
    assert np.isnan(value).tolist() == [True, False]
