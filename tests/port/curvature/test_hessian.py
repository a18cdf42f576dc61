"""The block-diagonal Hessian (4)-(10): by hand, its term in f'' alone, and compared with the reference.

Also: the tests of these equations in tests/reference/equations/ for the reference, the rows
`preactivation_hessians` and `hessian_blocks` of the conformance kit, and tests/port/products/ for products with the
full Hessian.
"""

import kfgn_reference as ref
import numpy as np
import pytest

import kfgn

from .by_hand import DEEP, OBJECTIVES, assert_layers, batch, in_order, per_datapoint, reference, without_jax


@without_jax
def test_by_hand(backend):
    # rectified linear units have f'' = 0, so that the Hessian is the Gauss-Newton matrix
    expected = [[[0]], [[4]]], [[[4, 6], [6, 9]], [[4, 0], [0, 0]]], [[[1]], [[1]]]
    assert_layers(backend, kfgn.preactivation_hessians(*batch(backend)), expected)
    assert_layers(backend, kfgn.hessian_blocks(*batch(backend))[:1], [[[8, 4], [4, 2]]])


@pytest.mark.parametrize("objective", OBJECTIVES)
@without_jax
def test_reference(backend, problem, objective):
    p = problem(backend, objective, widths=DEEP)
    network, X, Y = reference(backend, p)
    expected = per_datapoint(ref.sample_preactivation_hessians, network, X, Y)
    assert_layers(backend, kfgn.preactivation_hessians(*p[:4]), expected, 1e-13)
    assert_layers(backend, kfgn.hessian_blocks(*p[:4]), in_order(ref.hessian_blocks(network, X, Y)), 1e-13)


@pytest.mark.parametrize("objective", OBJECTIVES[:3])
@pytest.mark.parametrize("backend", ["numpy"], indirect=True)
def test_the_term_in_second_derivatives(backend, problem, objective):
    # (10): in the layer below the outputs, H - G is the diagonal matrix of f''(h) dE/da
    p = problem(backend, objective, widths=(2, 4, 3))
    network = kfgn.Network.dense((2, 4, 3), ("softplus",), objective)
    W_1, W_2 = p.weights
    h = p.X @ W_1[:, :-1].T + W_1[:, -1]
    sigma = 1 / (1 + np.exp(-h))
    outputs = np.log1p(np.exp(h)) @ W_2[:, :-1].T + W_2[:, -1]
    if objective == "squared_error":
        dE_dh = outputs - p.Y
    elif objective == "bernoulli":
        dE_dh = 1 / (1 + np.exp(-outputs)) - p.Y
    else:
        dE_dh = np.exp(outputs) / np.exp(outputs).sum(-1, keepdims=True) - np.eye(3)[p.Y]
    diagonal = sigma * (1 - sigma) * (dE_dh @ W_2[:, :-1])
    H, G = (f(network, *p[1:4])[0] for f in (kfgn.preactivation_hessians, kfgn.preactivation_gauss_newton))
    np.testing.assert_allclose(H - G, diagonal[:, :, None] * np.eye(4), rtol=0, atol=1e-13)
