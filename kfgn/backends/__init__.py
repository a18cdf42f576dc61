"""The differences between array libraries: opening a library, and functions that the array API standard lacks.

* libraries: opening a library on a device by a name such as "torch-cuda"
* arrays: properties of an array (device, values, derivatives), detached arrays and copies
* multiplication: the product of two matrices
* triangular: equations with a triangular matrix, solved by splitting the matrix into halves
* linalg: Cholesky factors, solutions with them, and eigendecompositions, which report failure without an exception
* numpy_equations: Cholesky factors and their equations by NumPy alone
* symmetric_products: products A^T A, and products A^T B that are symmetric
* convolutions: the convolution of PyTorch
* compiling: compilation of functions of arrays
* branching: a choice between two computations
* loops: loops that JAX records once while it traces
* random: random numbers from keys of JAX, and the conversion of random numbers of NumPy to other libraries
* special: the complementary error function
* derivatives: differentiation rules for JAX
* settings: isolation from the user's settings
* placement: the device of a new array, and arrays that the host can read
* fused: elementwise computations that PyTorch does in fewer passes over the elements
* memory: the free memory of a device
"""

from .arrays import (
    carries_derivatives,
    copied,
    detached,
    device,
    has_values,
    index_dtype,
    is_plain,
    unit_roundoff,
)
from .branching import branch, can_branch_on
from .compiling import compiled
from .convolutions import LibraryConvolution, has_convolution
from .derivatives import with_derivative
from .fused import damped, plus_multiple, tanh_derivative, weighted_mean
from .libraries import BACKENDS, Backend, BackendUnavailableError, open_backend
from .linalg import cholesky, cholesky_solve, eigh
from .loops import repeat
from .memory import available_memory
from .multiplication import matmul
from .placement import creation_device, in_host_memory
from .random import drawn_from_key, in_library_of, is_random_key
from .settings import with_own_settings
from .special import erfc
from .symmetric_products import gram, symmetric_product

__all__ = [
    "BACKENDS",
    "Backend",
    "BackendUnavailableError",
    "LibraryConvolution",
    "available_memory",
    "branch",
    "can_branch_on",
    "carries_derivatives",
    "cholesky",
    "cholesky_solve",
    "compiled",
    "copied",
    "creation_device",
    "damped",
    "detached",
    "device",
    "drawn_from_key",
    "eigh",
    "erfc",
    "gram",
    "has_convolution",
    "has_values",
    "in_host_memory",
    "in_library_of",
    "index_dtype",
    "is_plain",
    "is_random_key",
    "matmul",
    "open_backend",
    "plus_multiple",
    "repeat",
    "symmetric_product",
    "tanh_derivative",
    "unit_roundoff",
    "weighted_mean",
    "with_derivative",
    "with_own_settings",
]
