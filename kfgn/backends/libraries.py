"""How each array library is opened: its namespace, a device, arrays in and out, and the flags that change its results.

A library that imports is not yet usable: CuPy imports without a driver. So opening one computes something.
"""

import contextlib
import ctypes
import importlib
import importlib.metadata
from abc import ABC, abstractmethod
from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._types import Array, Namespace
from .._words import shown


class BackendUnavailableError(RuntimeError):
    """The library is not installed, or has no such device; the message says which and what would help."""


class Backend(ABC):
    """An array library on one of its devices, for those who start from NumPy arrays: trainers, tests, commands."""

    name: str
    requires: tuple[str, ...]
    """Distributions, any of which provides the library; the first found gives the version."""
    devices: tuple[str, ...] = ("cpu",)

    def __init__(self, device: str) -> None:
        self.device = device
        self.xp: Namespace = self._namespace()

    @property
    def label(self) -> str:
        """`torch` for the library on its first device, `torch-cuda` on another."""
        return self.name if self.device == self.devices[0] else f"{self.name}-{self.device}"

    @property
    def version(self) -> str:
        """The version of the library."""
        for distribution in self.requires:
            with contextlib.suppress(importlib.metadata.PackageNotFoundError):
                return importlib.metadata.version(distribution)
        return "unknown"

    def flags(self) -> dict[str, str]:
        """Settings of the library that change the digits of a result."""
        return {}

    def scope(self, dtype: str) -> contextlib.AbstractContextManager[Any]:
        """What must hold while arrays of this dtype are made and used."""
        return contextlib.nullcontext()

    def forget(self) -> None:  # noqa: B027  (most libraries compile nothing)
        """Free the programs that the library has compiled. They are compiled again when they are needed."""

    @abstractmethod
    def _namespace(self) -> Namespace:
        """The standard's functions in this library."""

    @abstractmethod
    def asarray(self, x: NDArray[Any]) -> Array:
        """A copy of a NumPy array, in its dtype, on this device."""

    def to_numpy(self, x: Array) -> NDArray[Any]:
        """The array as a NumPy array in host memory."""
        return np.asarray(x)


class NumPy(Backend):
    """NumPy itself."""

    name = "numpy"
    requires = ("numpy",)

    def _namespace(self) -> Namespace:
        return importlib.import_module("array_api_compat.numpy")

    def asarray(self, x: NDArray[Any]) -> Array:
        return np.array(x)


class Strict(Backend):
    """array-api-strict: the standard and nothing besides, over NumPy. For tests."""

    name = "strict"
    requires = ("array-api-strict",)

    def _namespace(self) -> Namespace:
        return importlib.import_module("array_api_strict")

    def asarray(self, x: NDArray[Any]) -> Array:
        return self.xp.asarray(np.array(x))


class Torch(Backend):
    """PyTorch on the host or on an NVIDIA GPU."""

    name = "torch"
    requires = ("torch",)
    devices = ("cpu", "cuda")

    def _namespace(self) -> Namespace:
        return importlib.import_module("array_api_compat.torch")

    def asarray(self, x: NDArray[Any]) -> Array:
        return self.xp.asarray(np.array(x)).to(self.device)

    def to_numpy(self, x: Array) -> NDArray[Any]:
        return np.asarray(x.detach().cpu())

    def flags(self) -> dict[str, str]:
        import torch

        return {
            "float32 matmul precision": torch.get_float32_matmul_precision(),
            "TF32 in cuBLAS": str(torch.backends.cuda.matmul.allow_tf32),
        }


class Jax(Backend):
    """JAX, on the host or on an accelerator. Its defaults are set aside in `scope`: see `flags`."""

    name = "jax"
    requires = ("jax",)
    devices = ("cpu", "cuda")

    def _namespace(self) -> Namespace:
        return importlib.import_module("jax.numpy")

    def asarray(self, x: NDArray[Any]) -> Array:
        import jax

        return jax.device_put(np.array(x), jax.devices(self.device)[0])

    def scope(self, dtype: str) -> contextlib.AbstractContextManager[Any]:
        """64-bit arrays when they are asked for, and float32 products that are float32 on a GPU too."""
        import jax

        stack = contextlib.ExitStack()
        stack.enter_context(jax.enable_x64(dtype == "float64"))
        stack.enter_context(jax.default_matmul_precision("float32"))
        return stack

    def flags(self) -> dict[str, str]:
        return {"x64": "on for float64 only", "matmul precision": "float32"}

    def forget(self) -> None:
        import jax

        jax.clear_caches()
        with contextlib.suppress(AttributeError, OSError):  # the C library of Linux keeps what is freed, if not asked
            ctypes.CDLL(None).malloc_trim(0)


class CuPy(Backend):
    """CuPy on an NVIDIA GPU."""

    name = "cupy"
    requires = ("cupy-cuda13x", "cupy-cuda12x", "cupy")
    devices = ("cuda",)

    def _namespace(self) -> Namespace:
        return importlib.import_module("array_api_compat.cupy")

    def asarray(self, x: NDArray[Any]) -> Array:
        return self.xp.asarray(np.array(x))

    def to_numpy(self, x: Array) -> NDArray[Any]:
        return np.asarray(x.get())

    def flags(self) -> dict[str, str]:
        import os

        return {"CUPY_TF32": os.environ.get("CUPY_TF32", "0")}


BACKENDS: dict[str, type[Backend]] = {backend.name: backend for backend in (NumPy, Strict, Torch, Jax, CuPy)}


def _is_one_of(name: object, known: Collection[str]) -> bool:
    """True if the value is a known name. An array may equal a name without being one."""
    return isinstance(name, str) and name in known


def open_backend(name: str, device: str | None = None) -> Backend:
    """The library by name, on the device or on the first it knows, after it has computed a product there.

    Raises `ValueError` for a name or device that kfgn does not know, and `BackendUnavailableError` for one that this
    machine does not have.
    """
    if not _is_one_of(name, BACKENDS):
        raise ValueError(f"backend: expected one of {', '.join(BACKENDS)}, got {shown(name)}")
    kind = BACKENDS[name]
    device = kind.devices[0] if device is None else device
    if not _is_one_of(device, kind.devices):
        raise ValueError(f"device: expected {' or '.join(kind.devices)} for {name}, got {shown(device)}")
    try:
        backend = kind(device)
        probe = backend.asarray(np.eye(2, dtype=np.float32))
        backend.to_numpy(probe @ probe)
    except ModuleNotFoundError as error:
        extra = "conformance" if name == "strict" else name
        missing = f"{error.name} is not installed" if error.name else str(error)
        raise BackendUnavailableError(f"{missing}: pip install 'kfgn[{extra}]'") from error
    except Exception as error:  # each library has its own errors for a missing driver or device
        raise BackendUnavailableError(f"no usable {device}: {' '.join(str(error).split())}") from error
    return backend
