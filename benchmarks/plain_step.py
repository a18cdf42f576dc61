"""The first step of Algorithm 1 with KFRA as plain NumPy code, with the Cholesky factors of SciPy."""

import math
from typing import Any

import numpy as np
from scipy.linalg import cho_factor, cho_solve  # type: ignore[import-untyped]

from .plain import Arrays, forward, inner, kfra_at, plus, residuals, tangents


def kfra_step(W: Arrays, X: Any, Y: Any, tau: float, gamma: float) -> list[Any]:
    """The weights after the step, with the factored damping (36) in the trace norm and the step size (40).

    The network has the squared error, and the moving averages of the factors equal those of the batch.
    """
    inputs, h = forward(np, W, X)
    g, Q, G = kfra_at(np, W, inputs, residuals(np, h, Y))
    delta = [_damped_solve(Q_l, G_l, g_l, gamma) for Q_l, G_l, g_l in zip(Q, G, g, strict=True)]
    R = tangents(W, delta, inputs)
    curvature = np.sum(R * R) / R.shape[0] + tau * inner(np, delta, delta)
    return plus(W, delta, -inner(np, delta, g) / curvature)


def _damped_solve(Q: Any, G: Any, V: Any, damping: float) -> Any:
    """(36)-(38): the solution X of (G + sqrt(k)/omega I) X (Q + omega sqrt(k) I) = V."""
    root = math.sqrt(damping)
    omega = math.sqrt(np.trace(Q) * G.shape[0] / (np.trace(G) * Q.shape[0]))
    of_Q, of_G = cho_factor(_damped(Q, omega * root), lower=True), cho_factor(_damped(G, root / omega), lower=True)
    return cho_solve(of_Q, cho_solve(of_G, V).T).T


def _damped(A: Any, damping: float) -> Any:
    return A + np.asarray(damping, A.dtype) * np.eye(A.shape[0], dtype=A.dtype)
