"""The change of the blocks of EKFAC and KFOC if eigenvectors or singular vectors change by rounding.

Two right answers may differ if the eigenvectors or the singular vectors are not unique. The size of a block in the
tolerance rule therefore grows with the inverse of each gap between eigenvalues or singular values. EKFAC or KFOC is
compared on a problem only if the size of every block is moderate.
"""

import kfgn_reference.shared_weights as shared
import numpy as np

from ...per_problem import once_per_problem
from ...problems.problem import Array, Problem
from ..sizes import largest
from .pairs import Batch, batches

MODERATE = 2.0**5
"""A block is compared only if its size is at most this number times the largest element of the block."""


ROUNDING = 2.0**-40
"""A change of a block is a rounding error if it is below this fraction of the largest element of the block.

A gap between eigenvalues is a rounding error if it is below this fraction of the largest eigenvalue. The eigenvalues of
a factor may be repeated if a rotation of the eigenvectors does not change the block, as in the last layer with the
squared error. The block is then unique.
"""


def gaps(values: Array, carried: Array, scale: float) -> float:
    """The maximum over i, j of max |v| / |v_i - v_j| times the change of a block by a rotation of eigenvectors i and j.

    values:  the eigenvalues v
    carried: for each pair i, j, the change of the block by a rotation of the eigenvectors i and j, divided by the angle
    scale:   the largest element of the block
    """
    distances = np.maximum(np.abs(values[:, None] - values[None, :]), ROUNDING * largest(values))
    pairs = ~np.eye(len(values), dtype=bool) & (carried > ROUNDING * scale)
    return float(np.max(largest(values) * carried[pairs] / distances[pairs], initial=0.0))


def size_of_ekfac(batch: Batch) -> float:
    """max |block|, plus 1/u times the effect of rounding errors of both factors on the block; u is the unit roundoff.

    A rotation of two eigenvectors by an angle changes the block by the angle times the difference of their two diagonal
    elements. The rotation also changes the diagonal, by twice the angle times the off-diagonal element of the pair in
    the exact block.
    """
    factors = shared.expand(batch)
    (q, U_Q), (g, U_G) = np.linalg.eigh(factors.Q), np.linalg.eigh(factors.G)
    U = np.kron(U_Q, U_G)
    F = (U.T @ shared.exact_block(batch) @ U).reshape(len(q), len(g), len(q), len(g))
    S = np.einsum("iaia->ia", F)
    of_inputs = np.max(np.abs(S[:, None] - S[None]), axis=2) + 2 * np.max(np.abs(np.einsum("iaja->ija", F)), axis=2)
    by_output = np.abs(S.T[:, None] - S.T[None])
    of_outputs = np.max(by_output, axis=2) + 2 * np.max(np.abs(np.einsum("iaib->abi", F)), axis=2)
    scale = largest(shared.ekfac(batch))
    return scale + gaps(q, of_inputs, scale) + gaps(g, of_outputs, scale)


def size_of_kfoc(batch: Batch) -> float:
    """2 max |block| s_1^2 / (s_1^2 - s_2^2), where s_1 and s_2 are the two largest singular values.

    The singular values are those of the rearranged exact block.
    """
    I = batch[0].a.shape[1]
    first, second = (*np.linalg.svd(shared.rearranged(shared.exact_block(batch), I), compute_uv=False), 0.0)[:2]
    with np.errstate(divide="ignore", invalid="ignore"):  # NaN for a block that is 0
        return float(2 * largest(shared.kfoc(batch).block) * np.divide(first**2, first**2 - second**2))


@once_per_problem
def sizes_of_ekfac(p: Problem) -> tuple[float, ...]:
    """`size_of_ekfac` of every group of every layer."""
    return tuple(map(size_of_ekfac, batches(p)))


@once_per_problem
def sizes_of_kfoc(p: Problem) -> tuple[float, ...]:
    """`size_of_kfoc` of every group of every layer."""
    return tuple(map(size_of_kfoc, batches(p)))


def has_no_zero_block(p: Problem) -> bool:
    """True if no exact block is 0. For a group whose exact block is 0, TKFAC and TNT would divide by a trace of 0."""
    return all(any(np.any(shared.weight_roots(pairs)) for pairs in batch) for batch in batches(p))


def has_simple_spectra(p: Problem) -> bool:
    """True if no eigenvalue of a factor of expand is repeated, so that ball arithmetic can certify the eigenvectors."""
    factors = (A for batch in batches(p) for A in shared.expand(batch))
    spectra = map(np.linalg.eigvalsh, factors)
    return all(np.all(np.diff(values) > ROUNDING * largest(values)) for values in spectra)


def has_one_ekfac(p: Problem) -> bool:
    """True if EKFAC is unique up to rounding: no rotation of eigenvectors with close eigenvalues changes a block."""
    blocks = (shared.ekfac(batch) for batch in batches(p))
    return all(size <= MODERATE * largest(block) for size, block in zip(sizes_of_ekfac(p), blocks, strict=True))


def has_a_nearest_product(p: Problem) -> bool:
    """True if the two largest singular values of every group are so far apart that KFOC is unique up to rounding."""
    blocks = (shared.kfoc(batch).block for batch in batches(p))
    return all(size <= MODERATE * largest(block) for size, block in zip(sizes_of_kfoc(p), blocks, strict=True))
