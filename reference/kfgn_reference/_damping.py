"""Appendix C.1: the damped Kronecker block and its factored inverse, equations (35)-(38).

In this module k is the sum gamma + eta, and root_k is the square root of k. Algorithm 1 uses the letter k for the
square root. Functions that need the root take root_k, since the root of a rational need not be rational. Only
`factored_direction` computes root_k from k.

>>> import numpy as np
>>> from kfgn_reference import damped_block, factored_damped_block, omega
>>> Q, G = np.diag([9.0, 7.0]), np.diag([2.0])
>>> float(omega(Q, G)), damped_block(Q, G, 1.0).diagonal().tolist()
(2.0, [19.0, 15.0])
>>> factored_damped_block(Q, G, 2.0, 1.0).diagonal().tolist()
[27.5, 22.5]
"""

from typing import Any

import numpy as np

from ._arithmetic import diagonal, one
from ._linear_algebra import NotPositiveDefiniteError, ldl, solve, trace
from ._spectral import spectral_norm
from ._types import Array, PerLayer


def identity(A: Array) -> Array:
    """The identity matrix (D, D) in the arithmetic of A (D, D)."""
    return diagonal(one(A[0]))


def damped_block(Q: Array, G: Array, k: Any) -> Array:
    """Equation (35): Q kron G + k I kron I with k = gamma + eta."""
    return np.kron(Q, G) + k * np.kron(identity(Q), identity(G))


def damped_factors(Q: Array, G: Array, omega: Any, root_k: Any) -> tuple[Array, Array]:
    """The factors of (36): Q + omega sqrt(k) I and G + omega^-1 sqrt(k) I."""
    return Q + omega * root_k * identity(Q), G + root_k / omega * identity(G)


def factored_damped_block(Q: Array, G: Array, omega: Any, root_k: Any) -> Array:
    """Equation (36): (Q + omega sqrt(k) I) kron (G + omega^-1 sqrt(k) I), which approximates (35)."""
    return np.kron(*damped_factors(Q, G, omega, root_k))


def residual(Q: Array, G: Array, omega: Any, root_k: Any) -> Array:
    """Equation (37), first line: R(omega) = (35) - (36).

    Misprint: the second and the third line of (37) have G kron I instead of I kron G, and the third line has R(pi)
    instead of R(omega).
    """
    return damped_block(Q, G, root_k**2) - factored_damped_block(Q, G, omega, root_k)


def residual_terms(Q: Array, G: Array, omega: Any, root_k: Any) -> tuple[Array, Array]:
    """Equation (37), second line: the two terms of R = -omega^-1 sqrt(k) Q kron I - omega sqrt(k) I kron G."""
    return -root_k / omega * np.kron(Q, identity(G)), -omega * root_k * np.kron(identity(Q), G)


def trace_norm(A: Array) -> Any:
    """tr(A), the trace norm of a positive semi-definite matrix."""
    return trace(A)


def frobenius_norm(A: Array) -> Any:
    """sqrt(sum A_ij^2)."""
    return np.sqrt(np.sum(A * A))


NORMS = {"trace": trace_norm, "frobenius": frobenius_norm, "spectral": spectral_norm}


def with_identity(A: Array, D: int, norm: str) -> Any:
    """|A kron I| = |I kron A| = |A| |I| for I (D, D).

    |I| is D in the trace norm, sqrt(D) in the Frobenius norm and 1 in the spectral norm.
    """
    size = one(A[0, 0]) * D
    if norm == "spectral":
        return NORMS[norm](A)
    return NORMS[norm](A) * (size if norm == "trace" else np.sqrt(size))


def residual_bound(Q: Array, G: Array, omega: Any, root_k: Any, norm: str = "trace") -> Any:
    """Equation (37), third line: |R(omega)| <= omega^-1 sqrt(k) |Q kron I| + omega sqrt(k) |I kron G|."""
    return root_k / omega * with_identity(Q, len(G), norm) + omega * root_k * with_identity(G, len(Q), norm)


def omega_squared(Q: Array, G: Array, norm: str = "trace") -> Any:
    """omega^2 of (38): |Q kron I| / |I kron G|, or 1 if one of the two values is 0 or negative.

    For example, the norm of G is 0 if every unit of the layer is a dead ReLU. The trace of an indefinite matrix can be
    negative. In the trace norm, omega^2 of rational factors is rational.

    If neither value is known to be 0 or negative, a NaN raises `NotPositiveDefiniteError`, and a value whose sign is
    not known raises `ValueError`.
    """
    q, g = with_identity(Q, len(G), norm), with_identity(G, len(Q), norm)
    if q > 0 and g > 0:
        return q / g
    if q <= 0 or g <= 0:
        return one(q)
    if q != q or g != g:
        raise NotPositiveDefiniteError(f"Q, G: expected factors without NaN, got norms {q} and {g}")
    # a ball, which is a number with an error bound, has no known sign if it contains 0
    raise ValueError(f"Q, G: expected factors whose norms have a known sign, got norms {q} and {g}")


def omega(Q: Array, G: Array, norm: str = "trace") -> Any:
    """Equation (38): omega = sqrt(|Q kron I| / |I kron G|), the minimiser of the bound (37), in a norm of `NORMS`."""
    return np.sqrt(omega_squared(Q, G, norm))


def factored_layer_direction(Q: Array, G: Array, g: Array, omega: Any, root_k: Any) -> Array:
    """(36)^-1 vec(g) as a matrix: (G + omega^-1 sqrt(k) I)^-1 g (Q + omega sqrt(k) I)^-1, (D_l, D_{l-1} + 1).

    Misprint: Appendix C.1 and Algorithm 1 multiply by the inverses from the opposite sides.
    """
    Q, G = damped_factors(Q, G, omega, root_k)
    return solve(Q, solve(G, g).T).T


def factored_direction(Q: PerLayer, G: PerLayer, g: PerLayer, k: Any, norm: str = "trace") -> PerLayer:
    """Equation (34) with (36) instead of C_l, and with omega from (38): the direction of Algorithm 1.

    k = gamma + eta must be positive if a factor is singular. Raises `NotPositiveDefiniteError` if k is too small.
    """
    return {l: factored_layer_direction(Q[l], G[l], g[l], omega(Q[l], G[l], norm), np.sqrt(k)) for l in g}


def factored_log_determinant(Q: Array, G: Array, omega: Any, root_k: Any) -> Any:
    """log det of (36): dim(G) log det(Q + omega sqrt(k) I) + dim(Q) log det(G + omega^-1 sqrt(k) I)."""
    of_Q, of_G = (np.sum(np.log(ldl(A)[1])) for A in damped_factors(Q, G, omega, root_k))
    return len(G) * of_Q + len(Q) * of_G
