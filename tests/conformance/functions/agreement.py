"""The comparison of two arrays, and the matrices of an oracle that have pairs."""

import kfgn_reference.shared_weights as shared
import numpy as np


def close(found, expected, tolerance=1e-12):
    """Assert that two arrays differ by at most the tolerance times the largest element."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= tolerance * np.abs(expected).max()


def parts(oracle, most=5):
    """The name and the number of the part of every matrix that has pairs."""
    for name in oracle.names:
        for part in range(1, most + 1):
            try:
                oracle.pairs(name, part)
            except ValueError:
                break
            yield name, part


def gap(method, batch):
    """The distance between eigenvalues, or singular values, by which a method determines its block, or 1.

    It is relative to the largest one. The block of EKFAC needs simple eigenvalues of both factors, and that of KFOC a
    largest singular value that is simple.
    """
    if method == "ekfac":
        spectra = [np.linalg.eigvalsh(factor) for factor in shared.expand(batch)]
        return min((np.diff(values) / values[-1]).min(initial=1) for values in spectra)
    if method == "kfoc":
        first, *others = np.linalg.svd(
            shared.rearranged(shared.exact_block(batch), batch[0].a.shape[1]), compute_uv=False
        )
        return 1 - max(others, default=0) / first
    return 1


def same_approximations(found, expected, batch):
    """Assert that the blocks of all methods agree where the pairs determine them, and return the methods compared."""
    assert found.keys() == expected.keys()
    determined = [method for method in found if gap(method, batch) > 1e-4]
    for method in determined:
        close(found[method], expected[method], 1e-12 / gap(method, batch))
    return determined
