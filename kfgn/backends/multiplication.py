"""The product of two matrices, by the faster of two routines if the library is PyTorch."""

import math
import os
import platform
import re
from functools import lru_cache
from pathlib import Path

from array_api_compat import is_torch_array

from .._types import Array
from .placement import in_host_memory

LARGE = 2**23
"""The number of multiplications above which oneDNN is faster than MKL, in spite of the conversion of both matrices."""

MANY = 2**23
"""The number of elements above which the matrices and their converted copies no longer fit into the caches.

The elements of both matrices and of their product are counted.
"""

FIRST_FAMILY = 26
"""The first family of AMD processors that computes 512 bits at once. Family 25 computes them in two halves."""

REUSE = 256
"""The number of multiplications per element above which oneDNN is faster even with more than `MANY` elements."""


def matmul(A: Array, B: Array) -> Array:
    """Return the product of two matrices, or of stacks of matrices.

    Parameters
    ----------
    A : array (..., N, K), float32 or float64
    B : array (..., K, M) of the dtype of A

    Returns
    -------
    array (..., N, M)
        A B.

    Notes
    -----
    On an AMD processor of family 26 or later, large float32 matrices of PyTorch are multiplied by oneDNN, which is a
    part of PyTorch. The operator `@` calls MKL, which uses vectors of half the length of AVX-512 on AMD processors, but
    copies neither the factors nor the product. Matrices with many elements, and few multiplications per element, are
    therefore multiplied by MKL. On an AMD processor of family 25, which computes AVX-512 in two halves, and on an Intel
    processor, oneDNN was not faster than MKL. The choice between the two does not depend on the values of the elements
    or on measured times, so a repeated computation has the same digits.

    Examples
    --------
    >>> import numpy as np
    >>> from kfgn.backends import matmul
    >>> matmul(np.ones((2, 3)), np.ones((3, 1))).tolist()
    [[3.0], [3.0]]
    """
    if is_torch_array(A) and B.ndim == 2 and suits_onednn(A) and suits_onednn(B) and _is_worth_a_conversion(A, B):
        import torch

        return torch.nn.functional.linear(A.to_mkldnn(), B.T.contiguous()).to_dense()
    return A @ B


def _is_worth_a_conversion(A: Array, B: Array) -> bool:
    K, M = B.shape
    N = math.prod(A.shape[:-1])
    multiplications: int = N * K * M
    if multiplications <= LARGE:
        return False
    elements: int = N * K + K * M + N * M
    return elements <= MANY or multiplications > REUSE * elements


def suits_onednn(A: Array) -> bool:
    """True if oneDNN multiplies large matrices of the dtype and device of this tensor faster than MKL.

    False for a tensor that requires a gradient, since oneDNN has derivatives of the first order alone, and for a tensor
    with a tangent or inside a transform, since oneDNN has none there.
    """
    import torch

    return A.dtype == torch.float32 and in_host_memory(A) and not A.requires_grad and onednn_is_faster()


@lru_cache(maxsize=1)
def onednn_is_faster() -> bool:
    """True if oneDNN multiplies large float32 matrices faster than MKL: on an AMD processor with vectors of 512 bits.

    False if oneDNN does not exist in this PyTorch, or may round the factors.
    """
    import torch

    wide = torch.backends.cpu.get_cpu_capability().startswith("AVX512")
    return onednn_is_exact() and wide and is_recent_amd() and torch.backends.mkldnn.is_available()


def onednn_is_exact() -> bool:
    """True unless an environment variable allows oneDNN to round the factors of float32 products."""
    return os.environ.get("ONEDNN_DEFAULT_FPMATH_MODE", "STRICT").upper() == "STRICT"


@lru_cache(maxsize=1)
def is_recent_amd() -> bool:
    """True if the processor is one of AMD, of family `FIRST_FAMILY` or later."""
    try:
        processor = Path("/proc/cpuinfo").read_text("ascii", errors="replace")  # only Linux has this file
    except OSError:
        processor = platform.processor()  # such as "AMD64 Family 26 Model 68 Stepping 0, AuthenticAMD"
    family = re.search(r"family\s*:?\s*(\d+)", processor, re.IGNORECASE)
    return "AuthenticAMD" in processor and family is not None and int(family[1]) >= FIRST_FAMILY
