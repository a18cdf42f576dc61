"""The R-operator: products with the Jacobian by hand, and as limits of differences.

Also: tests/port/products/ for the products that are built on it, tests/reference/test_r_operator.py for the reference,
and the rows `jacobian_product` and `transposed_jacobian_product` of the conformance kit.
"""

import numpy as np
import pytest

import kfgn

numpy_alone = pytest.mark.parametrize("backend", ["numpy"], indirect=True)
without_jax = pytest.mark.parametrize("backend", ["numpy", "strict", "torch", "torch-cuda", "cupy"], indirect=True)


@without_jax
def test_by_hand(backend):
    # rectified linear units: h_1 is -1 and 2, h_2 is (1, 1) and (3, -1), h_3 is 4 and 5
    network = kfgn.Network.dense((1, 1, 2, 1), ("relu", "relu"), "squared_error")

    def arrays(*lists):
        return tuple(backend.asarray(np.array(x, dtype="float64")) for x in lists)

    weights, (X, Y) = arrays([[1, 0]], [[1, 1], [-1, 1]], [[2, 3, -1]]), arrays([[-1], [2]], [[3], [3]])
    V = arrays([[1, 0]], [[0, 0], [0, 0]], [[0, 0, 0]])
    # R{h_1} is -1 and 2, R{a_1} is 0 and 2, R{h_2} is (0, 0) and (2, -2), R{a_2} is (0, 0) and (2, 0)
    product = kfgn.jacobian_product(network, weights, X, V)
    np.testing.assert_array_equal(backend.to_numpy(product), [[0], [4]])
    (U,) = arrays([[1], [2]])  # h_3 - y, with which the transposed product is the gradient
    transposed = kfgn.transposed_jacobian_product(network, weights, X, U)
    for a, b in zip(transposed, kfgn.gradient(network, weights, X, Y), strict=True):
        np.testing.assert_array_equal(backend.to_numpy(a), backend.to_numpy(b))


@pytest.mark.parametrize("objective", ["squared_error", "bernoulli", "categorical", "mixture"])
@numpy_alone
def test_products_are_limits_of_differences(backend, problem, objective):
    p, step = problem(backend, objective, widths=(2, 5, 4, 3)), 1e-5
    up, down = (tuple(W + sign * step * V for W, V in zip(p.weights, p.V, strict=True)) for sign in (1, -1))
    pairs = zip(*(kfgn.gradient(p.network, weights, p.X, p.Y) for weights in (up, down)), strict=True)
    for came, (a, b) in zip(kfgn.hessian_product(*p[:4], p.V), pairs, strict=True):
        np.testing.assert_allclose(came, (a - b) / (2 * step), rtol=0, atol=1e-7 * np.abs(came).max())


@without_jax
def test_the_transposed_product_is_the_transpose(backend, problem):
    # sum_n u_n^T J_n V = N <mean of J_n^T u_n, V>
    p = problem(backend, "categorical", widths=(2, 5, 4, 3))
    JV, U = (backend.to_numpy(a) for a in (kfgn.jacobian_product(*p[:3], p.V), p.U))
    pairs = zip(kfgn.transposed_jacobian_product(*p[:3], p.U), p.V, strict=True)
    inner = sum(np.sum(backend.to_numpy(a) * backend.to_numpy(b)) for a, b in pairs)
    np.testing.assert_allclose(np.sum(U * JV), 7 * inner, rtol=1e-12)
