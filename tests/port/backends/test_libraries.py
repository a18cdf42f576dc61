"""`kfgn.backends.libraries`: opening a library on a device, and the conversion of arrays from and to NumPy."""

import re
import sys

import numpy as np
import pytest

from kfgn.backends import BACKENDS, Backend, BackendUnavailableError, open_backend

DTYPES = ["bool", "int8", "uint8", "int32", "int64", "float32", "float64"]


@pytest.mark.parametrize(
    "name", ["", "nump", "NumPy", "tensorflow", None, "numpy-cuda", "torch-cuda:0", "cuda", "jax-tpu"]
)
def test_unknown_name(name):
    with pytest.raises(ValueError, match=r"^backend: expected one of") as caught:
        open_backend(name)
    assert repr(name) in str(caught.value)
    assert ", ".join(BACKENDS) in str(caught.value)


@pytest.mark.parametrize(
    ("name", "requirement", "module", "loaded"),
    [
        ("numpy", "kfgn", "array_api_compat", "array_api_compat.numpy"),
        ("torch", "'kfgn[torch]'", "torch", "array_api_compat.torch"),
        ("jax", "'kfgn[jax]'", "jax", "jax.numpy"),
        ("cupy", "'kfgn[cupy]'", "cupy", "array_api_compat.cupy"),
        ("strict", "'kfgn[conformance]'", "array_api_strict", "array_api_strict"),
    ],
)
def test_library_not_installed(monkeypatch, name, requirement, module, loaded):
    monkeypatch.delitem(sys.modules, loaded, raising=False)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(BackendUnavailableError) as caught:
        open_backend(name)
    # for JAX the missing module is jax.numpy
    assert re.fullmatch(
        rf"{module}(\.numpy)? is not installed: pip install {re.escape(requirement)}", str(caught.value)
    )
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)


def test_library_with_a_missing_dependency(monkeypatch):
    # JAX without jaxlib raises an error without the name of a module
    def absent(_):
        raise ModuleNotFoundError("jax requires jaxlib to be installed")

    monkeypatch.setattr(BACKENDS["jax"], "_namespace", absent)
    with pytest.raises(BackendUnavailableError, match="jaxlib") as caught:
        open_backend("jax")
    assert "pip install 'kfgn[jax]'" in str(caught.value)


@pytest.mark.parametrize(
    "error", [OSError("libcudart.so.13: cannot open"), RuntimeError("no\n  device"), ImportError()]
)
def test_library_that_does_not_work(monkeypatch, error):
    pytest.importorskip("torch")

    def broken(*_):
        raise error

    monkeypatch.setattr(BACKENDS["torch"], "asarray", broken)
    with pytest.raises(BackendUnavailableError, match=r"^no usable cpu: ") as caught:
        open_backend("torch")
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is error


def test_every_backend_is_complete(backend):
    assert isinstance(backend, Backend)
    assert BACKENDS[backend.name] is type(backend)
    assert backend.version[0].isdigit()
    assert all(isinstance(text, str) for item in backend.flags().items() for text in item)
    assert hasattr(backend.xp, "matmul")


@pytest.mark.parametrize(
    ("name", "library", "device"),
    [
        ("numpy", "numpy", "cpu"),
        ("strict", "strict", "cpu"),
        ("torch", "torch", "cpu"),
        ("torch-cuda", "torch", "cuda"),
        ("jax", "jax", "cpu"),
        ("jax-cuda", "jax", "cuda"),
        ("cupy", "cupy", "cuda"),
    ],
)
def test_names(name, library, device):
    kind = BACKENDS[name]
    assert (kind.name, kind.library, kind.device) == (name, library, device)


@pytest.mark.parametrize("dtype", DTYPES)
def test_round_trip(backend, dtype):
    values = [0, 1, 5, 100] if dtype != "bool" else [0, 1, 1, 0]
    for x in (np.array(values, dtype), np.array(values[1], dtype), np.zeros((0, 3), dtype), np.ones((2, 1, 3), dtype)):
        with backend.scope("float64"):
            y = backend.to_numpy(backend.asarray(x))
        assert type(y) is np.ndarray
        assert (y.dtype, y.shape, y.tobytes()) == (x.dtype, x.shape, x.tobytes())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_round_trip_keeps_every_bit(backend, dtype):
    # signed zero, subnormals, infinities, and a NaN with a payload
    info = np.finfo(dtype)
    x = np.array([-0.0, info.smallest_subnormal, -info.tiny, info.max, np.inf, -np.inf, np.nan, 1 / 3], dtype)
    x.view("int32" if dtype == "float32" else "int64")[6] += 0x123
    with backend.scope(dtype):
        y = backend.to_numpy(backend.asarray(x))
    assert y.dtype == dtype
    assert y.tobytes() == x.tobytes()


def test_asarray_copies(backend):
    x = np.arange(6.0, dtype="float32").reshape(2, 3)
    y = backend.asarray(x)
    x[...] = -1
    assert backend.to_numpy(y).tolist() == [[0, 1, 2], [3, 4, 5]]


def test_asarray_of_views(backend):
    base = np.arange(12.0, dtype="float32").reshape(3, 4)
    base.flags.writeable = False
    for view in (base, base.T, base[::-1, ::2], np.broadcast_to(base[0], (5, 4)), base[:, :0]):
        y = backend.to_numpy(backend.asarray(view))
        assert np.array_equal(y, view)


def test_to_numpy_of_a_tensor_that_requires_grad():
    torch = pytest.importorskip("torch")
    assert open_backend("torch").to_numpy(torch.ones(2, requires_grad=True)).tolist() == [1, 1]


def test_compiled_programs_can_be_forgotten(backend):
    x = backend.asarray(np.ones(3, dtype=np.float32))
    before = backend.to_numpy(backend.xp.exp(x))
    backend.forget()
    assert np.array_equal(backend.to_numpy(backend.xp.exp(x)), before)
