"""The one room where array libraries differ: what the standard leaves out, and how each library is opened."""

from .arrays import copied, detached, device, has_values, is_plain
from .compiling import compiled
from .libraries import BACKENDS, Backend, BackendUnavailableError, open_backend
from .linalg import cholesky, cholesky_solve, eigh
from .loops import repeat

__all__ = [
    "BACKENDS",
    "Backend",
    "BackendUnavailableError",
    "cholesky",
    "cholesky_solve",
    "compiled",
    "copied",
    "detached",
    "device",
    "eigh",
    "has_values",
    "is_plain",
    "open_backend",
    "repeat",
]
