"""The one room where array libraries differ: what the standard leaves out, and how each library is opened."""

from .arrays import detached, device, has_values, is_plain
from .libraries import BACKENDS, Backend, BackendUnavailableError, open_backend

__all__ = [
    "BACKENDS",
    "Backend",
    "BackendUnavailableError",
    "detached",
    "device",
    "has_values",
    "is_plain",
    "open_backend",
]
