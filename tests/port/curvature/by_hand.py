"""A network of four units whose curvature is computed by hand, and the comparison of the port with the reference.

W_1 = (1 | 0), W_2 = ((1 | 1), (-1 | 1)), W_3 = (2, 3 | -1), biases last; rectified linear units; two datapoints:

    x     h_1   f'   h_2        f'       h_3   y    h_3 - y
    -1    -1    0    (1,  1)    (1, 1)   4     3    1
     2     2    1    (3, -1)    (1, 0)   5     3    2
"""

import kfgn_reference as ref
import numpy as np
import pytest

import kfgn

OBJECTIVES = ["squared_error", "bernoulli", "categorical", "mixture", "mixture scalar"]
DEEP = (2, 5, 4, 3)
"""The widths of the networks that are compared with the reference."""

# JAX compiles every operation for every shape; the conformance kit compares the port on JAX with the reference.
without_jax = pytest.mark.parametrize("backend", ["numpy", "strict", "torch", "torch-cuda", "cupy"], indirect=True)

NETWORK = kfgn.Network.dense((1, 1, 2, 1), ("relu", "relu"), "squared_error")
WEIGHTS = ([[1, 0]], [[1, 1], [-1, 1]], [[2, 3, -1]])
X, Y = [[-1], [2]], [[3], [3]]
OUTPUTS = [[4], [5]]


def arrays(backend, *lists):
    """The lists as arrays of float64."""
    return tuple(backend.asarray(np.array(x, dtype="float64")) for x in lists)


def batch(backend):
    """The arguments that most functions begin with."""
    return (NETWORK, arrays(backend, *WEIGHTS), *arrays(backend, X, Y))


def assert_layers(backend, came, expected, tolerance=1e-14):
    """Each array of a result equals the expected one, up to a part of the largest element."""
    for a, b in zip(came, expected, strict=True):
        b = np.asarray(b, dtype="float64")
        a = np.reshape(backend.to_numpy(a), b.shape) if b.ndim == 0 else backend.to_numpy(a)
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * np.abs(b).max())


def reference(backend, p):
    """The network of the reference, and the batch as NumPy arrays."""
    weights = tuple(backend.to_numpy(W) for W in p.weights)
    network = ref.Network(weights, p.network.transfers, p.network.objective, p.network.psd)
    return network, backend.to_numpy(p.X), backend.to_numpy(p.Y)


def per_datapoint(function, network, X, Y):
    """The values of a function of one datapoint of the reference, (N, ...) for each layer."""
    values = [function(network, x, y) for x, y in zip(X, Y, strict=True)]
    return [np.stack([value[l] for value in values]) for l in sorted(values[0])]


def in_order(per_layer):
    """The arrays of the layers 1, ..., L."""
    return [per_layer[l] for l in sorted(per_layer)]
