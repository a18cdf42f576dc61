"""The free memory of the device of an array, if it is known."""

import contextlib
import os
from pathlib import Path

from array_api_compat import is_cupy_array, is_jax_array, is_torch_array

from .._types import Array
from .arrays import device, has_values


def available_memory(like: Array) -> int | None:
    """Return the number of bytes that are free for new arrays on the device of an existing array.

    Parameters
    ----------
    like : array of any shape and dtype

    Returns
    -------
    int or None
        For the memory of a host with Linux, the bytes that the system can provide without swapping. For any other host,
        the bytes of the whole memory, which are an upper bound. For a GPU, the free bytes, including the caches of the
        library. None if the memory is not known, for example while a function is traced.

    Examples
    --------
    >>> import numpy as np
    >>> from kfgn.backends import available_memory
    >>> free = available_memory(np.ones(3))
    >>> free is None or free > 0
    True
    """
    if not has_values(like):
        return None
    if is_torch_array(like):
        return _of_torch(like)
    if is_cupy_array(like):
        return _of_cupy()
    return _of_jax(like) if is_jax_array(like) else _of_host()


def _of_torch(like: Array) -> int | None:
    import torch

    if like.device.type == "cuda":
        reserved, allocated = torch.cuda.memory_reserved(like.device), torch.cuda.memory_allocated(like.device)
        return int(torch.cuda.mem_get_info(like.device)[0] + reserved - allocated)
    return _of_host() if like.device.type == "cpu" else None


def _of_cupy() -> int:
    import cupy

    return int(cupy.cuda.Device().mem_info[0]) + int(cupy.get_default_memory_pool().free_bytes())


def _of_jax(like: Array) -> int | None:
    place = device(like)
    if getattr(place, "platform", None) == "cpu":
        return _of_host()
    statistics = getattr(place, "memory_stats", lambda: None)() or {}
    if "bytes_limit" not in statistics:
        return None
    return int(statistics["bytes_limit"]) - int(statistics.get("bytes_in_use", 0))


def _of_host() -> int | None:
    with contextlib.suppress(OSError, ValueError, IndexError):  # only Linux has this file
        for line in Path("/proc/meminfo").read_text("ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    with contextlib.suppress(AttributeError, OSError, ValueError):  # the total memory, as an upper bound
        return int(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return None
