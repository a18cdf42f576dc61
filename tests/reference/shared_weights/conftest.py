"""Fixtures: the problems of float64, and the maps between layers and one vector of all weights."""

import numpy as np
import pytest

from .problems import NETWORKS


@pytest.fixture(scope="session", params=NETWORKS)
def problem(request):
    """Every network of float64."""
    return NETWORKS[request.param]()


@pytest.fixture(scope="session")
def vector():
    """All weights of a network as one vector, columns stacked."""
    return lambda net: np.concatenate([layer.weight.ravel(order="F") for layer in net.weighted.values()])


@pytest.fixture(scope="session")
def blocks():
    """The diagonal blocks of a matrix over all weights, keyed by layer."""

    def cut(net, matrix):
        found, start = {}, 0
        for l, layer in net.weighted.items():
            end = start + layer.weight.size
            found[l] = matrix[start:end, start:end]
            start = end
        return found

    return cut
