"""Functions of eigenvalues in floating point, such as the projection, the spectral norm and the exact damped inverse.

Only this module calls `np.linalg`, in `eigh` and `eigvalsh`. The eigenvalues of a rational matrix need not be
rational. The tests certify the functions of this module with ball arithmetic.

>>> import numpy as np
>>> from kfgn_reference import projection, spectral_norm
>>> A = np.diag([4.0, -1.0])
>>> float(spectral_norm(A @ A)), projection(A).tolist()
(16.0, [[4.0, 0.0], [0.0, 0.0]])
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from ._arithmetic import zero
from ._linear_algebra import NotPositiveDefiniteError
from ._types import Array


def eigh(A: Array) -> tuple[Array, Array]:
    """The ascending eigenvalues (D,) of a symmetric matrix, and its orthonormal eigenvectors as columns of (D, D).

    Raises `TypeError` for an array that is neither float64 nor float32.
    """
    values, vectors = np.linalg.eigh(symmetric(A))
    return values, vectors


def eigvalsh(A: Array) -> Array:
    """The eigenvalues (D,), ascending. Raises `TypeError` for an array that is neither float64 nor float32."""
    return np.linalg.eigvalsh(symmetric(A))


def symmetric(A: Array) -> Array:
    """(A + A^T) / 2. Raises `TypeError` unless A is float64 or float32."""
    if A.dtype not in (np.float64, np.float32):
        raise TypeError(f"A: expected float64 or float32 for eigenvalues, got {A.dtype}")
    return (A + A.T) / 2


def of_eigenvalues(f: Callable[[Array], Array], A: Array) -> Array:
    """U diag(f(v)) U^T for the eigenvalues v and the eigenvectors U of A."""
    values, vectors = eigh(A)
    return (vectors * f(values)) @ vectors.T


def positive_part(v: Array) -> Array:
    """max(v, 0) elementwise."""
    return np.where(v > 0, v, zero(v))


def projection(A: Array) -> Array:
    """A (D, D) with its negative eigenvalues set to zero.

    The result is the positive semi-definite matrix that is nearest to a symmetric A in the Frobenius norm.
    """
    return of_eigenvalues(positive_part, A)


def projection_root(A: Array) -> Array:
    """The positive semi-definite root of `projection(A)`, which is unique although the eigenvectors are not."""
    return of_eigenvalues(lambda values: np.sqrt(positive_part(values)), A)


def spectral_norm(A: Array) -> Any:
    """|A|_2 of a positive semi-definite matrix: its largest eigenvalue."""
    return eigvalsh(A)[-1]


def exact_direction(Q: Array, G: Array, k: Any, V: Array) -> Array:
    """(Q kron G + k I)^-1 vec(V) as a matrix: in the eigenbases, element (a, b) of V is divided by q_b g_a + k.

    q_b and g_a are the eigenvalues of Q and G. Appendix C.1 names this exact inverse as the alternative to the factored
    damping (36). V is (D_l, D_{l-1} + 1). Raises `NotPositiveDefiniteError` if a sum q_b g_a + k is not positive.
    """
    q, U = eigh(Q)
    g, S = eigh(G)
    spectrum = np.outer(g, q) + k
    if not np.all(spectrum > 0):
        raise NotPositiveDefiniteError(
            f"Q kron G + k I: expected a positive definite matrix, got the eigenvalue {np.min(spectrum)}"
        )
    return S @ ((S.T @ V @ U) / spectrum) @ U.T


def exact_log_determinant(Q: Array, G: Array, k: Any) -> Any:
    """log det(Q kron G + k I), a scalar: the sum of log(q_b g_a + k) over all pairs of eigenvalues."""
    return np.sum(np.log(np.outer(eigvalsh(G), eigvalsh(Q)) + k))
