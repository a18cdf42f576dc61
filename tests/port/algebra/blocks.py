"""Kronecker-factored blocks and their dense matrices, which the tests of this folder share."""

import numpy as np
import pytest

P, D = 5, 3
K = 0.04
INVERSIONS = ["trace", "frobenius", "spectral", "exact"]
NORMS = INVERSIONS[:3]
without_jax = pytest.mark.parametrize("backend", ["numpy", "strict", "torch", "torch-cuda", "cupy"], indirect=True)

INDEFINITE = {
    "Q indefinite": (np.diag([1.0, 1.0, 1.0, 1.0, -3.0]), np.eye(D)),
    "G negative": (np.eye(P), -np.eye(D)),
    "NaN in G": (np.eye(P), np.full((D, D), np.nan)),
}


def psd(n, rank, rng):
    B = rng.standard_normal((n, rank))
    return B @ B.T / rank


def factors(case="full rank"):
    rng = np.random.default_rng(0)
    Q, G = psd(P, 8, rng), 0.1 * psd(D, 6, rng)
    return {
        "full rank": (Q, G),
        "rank one": (psd(P, 1, rng), psd(D, 1, rng)),
        "dead units": (Q, np.zeros((D, D))),
        "no inputs": (np.zeros((P, P)), G),
        "tiny": (1e-20 * Q, 1e-25 * G),
        "huge": (1e12 * Q, 1e-12 * G),
    }[case]


V = np.random.default_rng(1).standard_normal((D, P))


def vec(M):
    return np.asarray(M).T.ravel()


def expected_omega(Q, G, norm):
    size = {
        "trace": lambda A: np.trace(A) / len(A),
        "frobenius": lambda A: np.linalg.norm(A) / len(A) ** 0.5,
        "spectral": lambda A: np.linalg.norm(A, 2),
    }[norm]
    return (size(Q) / size(G)) ** 0.5 if size(Q) > 0 and size(G) > 0 else 1.0


def damped(Q, G, inversion):
    if inversion == "exact":
        return np.kron(Q, G) + K * np.eye(P * D)
    w = expected_omega(Q, G, inversion)
    return np.kron(Q + w * K**0.5 * np.eye(P), G + K**0.5 / w * np.eye(D))
