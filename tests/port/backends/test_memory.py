"""The memory that is available on a device, where the library or the system reports it."""

import sys
import types

import numpy as np
import pytest

from kfgn.backends import available_memory


def test_available_memory_of_the_host(backend):
    found = available_memory(backend.asarray(np.ones(2, "float32")))
    assert found is None or 2**20 < found < 2**50


def test_a_system_that_does_not_say(monkeypatch):
    monkeypatch.setattr("pathlib.Path.read_text", lambda *_: "no such line")
    total = available_memory(np.ones(2))
    assert total is None or total > 2**20
    monkeypatch.delattr("os.sysconf", raising=False)
    assert available_memory(np.ones(2)) is None


def test_arrays_without_memory():
    torch = pytest.importorskip("torch")
    assert available_memory(torch.ones(2, device="meta")) is None
    jax = pytest.importorskip("jax")
    found = []
    jax.jit(lambda x: found.append(available_memory(x)) or x)(jax.numpy.ones(2))
    assert found == [None]


def test_a_device_of_jax_that_says(monkeypatch):
    pytest.importorskip("jax")
    from kfgn.backends import memory

    gpu = types.SimpleNamespace(platform="gpu", memory_stats=lambda: {"bytes_limit": 100, "bytes_in_use": 30})
    monkeypatch.setattr(memory, "device", lambda _: gpu)
    assert memory._of_jax(None) == 70
    gpu.memory_stats = lambda: None
    assert memory._of_jax(None) is None


def test_cupy_is_asked_for_its_pool_too(monkeypatch):
    from kfgn.backends import memory

    device = types.SimpleNamespace(mem_info=(40, 100))
    pool = types.SimpleNamespace(free_bytes=lambda: 2)
    cupy = types.SimpleNamespace(
        cuda=types.SimpleNamespace(Device=lambda: device), get_default_memory_pool=lambda: pool
    )
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    assert memory._of_cupy() == 42
