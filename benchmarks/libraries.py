"""The array libraries that share a device: how each waits for its results and compiles functions."""

import contextlib
from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from kfgn.backends import Backend, BackendUnavailableError, open_backend

HOST = ("numpy", "torch", "jax")
GPU = ("torch-cuda", "cupy")


class Library:
    """A backend of kfgn in one dtype, whose calls return when their results exist."""

    def __init__(self, backend: Backend, dtype: str) -> None:
        self.backend, self.dtype = backend, dtype

    @property
    def name(self) -> str:
        """The name of the backend, such as "torch-cuda"."""
        return self.backend.name

    @property
    def jits(self) -> bool:
        """True if functions are compiled by `jax.jit`."""
        return self.backend.library == "jax"

    def scope(self) -> contextlib.AbstractContextManager[Any]:
        """The settings of the library for this dtype."""
        return self.backend.scope(self.dtype)

    def asarray(self, x: NDArray[Any]) -> Any:
        """A NumPy array on this device. Real numbers are converted to the dtype."""
        with self.scope():
            return self.backend.asarray(x.astype(self.dtype) if x.dtype.kind == "f" else x)

    def compiled(self, f: Callable[..., Any]) -> Callable[..., Any]:
        """The function, compiled if the library is JAX."""
        if not self.jits:
            return f
        import jax

        return jax.jit(f)  # type: ignore[no-any-return]

    def waiting(self, f: Callable[[], Any]) -> Callable[[], Any]:
        """The function within the settings of the library, which returns when its results exist on the device."""

        def call() -> Any:
            with self.scope():
                result = f()
                self.wait(result)
                return result

        return call

    def wait(self, result: Any) -> None:
        """Wait until the device has computed a result."""
        if self.jits:
            import jax

            jax.block_until_ready(result)
        elif self.name == "torch-cuda":
            import torch

            torch.cuda.synchronize()
        elif self.name == "cupy":
            import cupy

            cupy.cuda.Device().synchronize()


def usable(names: tuple[str, ...], dtype: str) -> list[Library]:
    """The libraries among these names that work on this machine."""
    found = []
    for name in names:
        with contextlib.suppress(BackendUnavailableError):
            found.append(Library(open_backend(name), dtype))
    return found
