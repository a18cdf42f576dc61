"""The opening of array libraries on a device, conversion from and to NumPy, and settings that change results.

A library that can be imported may still be unusable: CuPy, for example, can be imported without a driver.
`open_backend` therefore computes a matrix product as a test.
"""

import contextlib
import ctypes
import importlib
import importlib.metadata
import os
from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .._documentation import Documented
from .._types import Array, Namespace
from .._words import shown


class BackendUnavailableError(RuntimeError):
    """Raised if a library is not installed, or if its device is not usable on this machine.

    Examples
    --------
    >>> from kfgn.backends import BackendUnavailableError, open_backend
    >>> try:
    ...     backend = open_backend("cupy")
    ... except BackendUnavailableError:
    ...     backend = open_backend("numpy")
    >>> backend.name in ("cupy", "numpy")
    True
    """


class Backend(metaclass=Documented):
    """An array library on one device, for programs that start from NumPy arrays, such as trainers and tests.

    `open_backend` returns a `Backend`. The functions of kfgn need no backend, since they use the library of their
    arguments.

    Attributes
    ----------
    name : str
        The name of the backend as `open_backend` expects it, such as "torch-cuda".
    library : str
        The name of the library alone, such as "torch".
    device : str
        The kind of device, "cpu" or "cuda".
    xp : module
        The functions of the array API standard in this library.

    Examples
    --------
    >>> import numpy as np
    >>> from kfgn.backends import open_backend
    >>> backend = open_backend("numpy")
    >>> with backend.scope("float64"):
    ...     x = backend.asarray(np.arange(3.0))
    ...     y = backend.to_numpy(backend.xp.sum(x))
    >>> float(y)
    3.0
    """

    name: ClassVar[str]
    library: ClassVar[str]
    device: ClassVar[str] = "cpu"
    requirement: ClassVar[str]
    """The argument of `pip install`, quoted for the shell: kfgn, with the extra for the library if one is needed."""
    distributions: ClassVar[tuple[str, ...]]
    """The distributions that provide the library. The first installed distribution gives the version."""

    def __init__(self) -> None:
        self.xp: Namespace = self._namespace()

    @property
    def version(self) -> str:
        """The version of the library, or "unknown" if none of the `distributions` is installed."""
        for distribution in self.distributions:
            with contextlib.suppress(importlib.metadata.PackageNotFoundError):
                return importlib.metadata.version(distribution)
        return "unknown"

    def flags(self) -> dict[str, str]:
        """Return the settings of the library that change the digits of a result."""
        return {}

    def scope(self, dtype: str) -> contextlib.AbstractContextManager[Any]:
        """Return a context manager within which arrays of this dtype, "float32" or "float64", are made and used."""
        return contextlib.nullcontext()

    def forget(self) -> None:
        """Free the programs that the library has compiled. A freed program is compiled again at its next use."""

    @abstractmethod
    def _namespace(self) -> Namespace:
        """Import the library and return its functions of the array API standard."""

    @abstractmethod
    def asarray(self, x: NDArray[Any]) -> Array:
        """Return a copy of a NumPy array on this device, of the same shape and dtype."""

    def to_numpy(self, x: Array) -> NDArray[Any]:
        """Return an array of this library as a NumPy array, in host memory."""
        return np.asarray(x)


class NumPy(Backend):
    """NumPy."""

    name = library = "numpy"
    requirement = "kfgn"
    distributions = ("numpy",)

    def _namespace(self) -> Namespace:
        return importlib.import_module("array_api_compat.numpy")

    def asarray(self, x: NDArray[Any]) -> Array:
        return np.array(x)


class Strict(Backend):
    """array-api-strict, for tests: the array API standard and no other functions, computed by NumPy."""

    name = library = "strict"
    requirement = "'kfgn[conformance]'"
    distributions = ("array-api-strict",)

    def _namespace(self) -> Namespace:
        return importlib.import_module("array_api_strict")

    def asarray(self, x: NDArray[Any]) -> Array:
        return self.xp.asarray(np.array(x))


class Torch(Backend):
    """PyTorch on the host."""

    name = library = "torch"
    requirement = "'kfgn[torch]'"
    distributions = ("torch",)

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


class TorchCUDA(Torch):
    """PyTorch on an NVIDIA GPU."""

    name = "torch-cuda"
    device = "cuda"


class Jax(Backend):
    """JAX on the host. `scope` changes two settings of JAX, and `flags` returns the changed settings."""

    name = library = "jax"
    requirement = "'kfgn[jax]'"
    distributions = ("jax",)

    def _namespace(self) -> Namespace:
        return importlib.import_module("jax.numpy")

    def asarray(self, x: NDArray[Any]) -> Array:
        import jax

        return jax.device_put(np.array(x), jax.devices(self.device)[0])

    def scope(self, dtype: str) -> contextlib.AbstractContextManager[Any]:
        """Return a context manager with 64-bit arrays for "float64", and with float32 products in full precision."""
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
        # the C library of Linux may keep freed memory until the program asks it to return this memory to the system
        with contextlib.suppress(AttributeError, OSError):
            ctypes.CDLL(None).malloc_trim(0)


class JaxCUDA(Jax):
    """JAX on an NVIDIA GPU."""

    name = "jax-cuda"
    device = "cuda"


class CuPy(Backend):
    """CuPy on an NVIDIA GPU."""

    name = library = "cupy"
    requirement = "'kfgn[cupy]'"
    device = "cuda"
    distributions = ("cupy-cuda13x", "cupy-cuda12x", "cupy")

    def _namespace(self) -> Namespace:
        return importlib.import_module("array_api_compat.cupy")

    def asarray(self, x: NDArray[Any]) -> Array:
        return self.xp.asarray(np.array(x))

    def to_numpy(self, x: Array) -> NDArray[Any]:
        return np.asarray(x.get())

    def flags(self) -> dict[str, str]:
        return {"CUPY_TF32": os.environ.get("CUPY_TF32", "0")}


BACKENDS: dict[str, type[Backend]] = {
    backend.name: backend for backend in (NumPy, Strict, Torch, TorchCUDA, Jax, JaxCUDA, CuPy)
}
"""A dictionary from the name of each backend to its class. The commands `kfgn` and `kfgn-check` use these names."""


def _is_known(name: object) -> bool:
    """Return True for the name of a backend. The type is tested first, since `in` fails for an unhashable value."""
    return isinstance(name, str) and name in BACKENDS


def open_backend(name: str) -> Backend:
    """Open an array library on a device, and compute a matrix product there as a test.

    Parameters
    ----------
    name : str
        One of `BACKENDS`: "numpy", "strict" (array-api-strict), "torch", "torch-cuda", "jax", "jax-cuda" or "cupy". A
        backend without the suffix "-cuda" computes on the host, except "cupy".

    Returns
    -------
    Backend

    Raises
    ------
    ValueError
        The name is not in `BACKENDS`.
    BackendUnavailableError
        The library is not installed, or the device does not work on this machine.

    Examples
    --------
    >>> from kfgn.backends import open_backend
    >>> backend = open_backend("numpy")
    >>> backend.name, backend.library, backend.device
    ('numpy', 'numpy', 'cpu')
    """
    if not _is_known(name):
        raise ValueError(f"backend: expected one of {', '.join(BACKENDS)}, got {shown(name)}")
    kind = BACKENDS[name]
    try:
        backend = kind()
        identity = backend.asarray(np.eye(2, dtype=np.float32))
        backend.to_numpy(identity @ identity)
    except ModuleNotFoundError as error:
        missing = f"{error.name} is not installed" if error.name else str(error)
        raise BackendUnavailableError(f"{missing}: pip install {kind.requirement}") from error
    except Exception as error:  # each library raises its own errors for a missing driver or device
        raise BackendUnavailableError(f"no usable {kind.device}: {' '.join(str(error).split())}") from error
    return backend
