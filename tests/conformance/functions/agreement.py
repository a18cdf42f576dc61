"""The comparison of two arrays, and the matrices of an oracle that have pairs."""

import numpy as np


def close(found, expected, tolerance=1e-12):
    """Assert that two arrays differ by at most the tolerance times the largest element."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= tolerance * np.abs(expected).max()


def parts(oracle):
    """The name and the number of the part of every matrix that has pairs."""
    for name in oracle.names:
        for part in range(1, 5):
            try:
                oracle.pairs(name, part)
            except ValueError:
                break
            yield name, part
