"""The exact Gauss-Newton matrix, (12)-(16) and (22): by hand, positive semidefinite, and compared with the reference.

Also: the tests of these equations in tests/reference/equations/ for the reference, the rows
`preactivation_gauss_newton` and `gauss_newton_blocks` of the conformance kit, and tests/port/products/ for products
with the full matrix.
"""

import kfgn_reference as ref
import numpy as np
import pytest

import kfgn

from .by_hand import DEEP, OBJECTIVES, assert_layers, batch, in_order, per_datapoint, reference, without_jax


@without_jax
def test_by_hand(backend):
    expected = [[[0]], [[4]]], [[[4, 6], [6, 9]], [[4, 0], [0, 0]]], [[[1]], [[1]]]
    assert_layers(backend, kfgn.preactivation_gauss_newton(*batch(backend)), expected)
    # the second datapoint alone has a matrix in the first layer, where its input and the unit are (2, 1)
    assert_layers(backend, kfgn.gauss_newton_blocks(*batch(backend))[:1], [[[8, 4], [4, 2]]])


@pytest.mark.parametrize("objective", OBJECTIVES)
@without_jax
def test_reference(backend, problem, objective):
    p = problem(backend, objective, widths=DEEP)
    network, X, Y = reference(backend, p)
    expected = per_datapoint(ref.sample_preactivation_gauss_newton, network, X, Y)
    assert_layers(backend, kfgn.preactivation_gauss_newton(*p[:4]), expected, 1e-13)
    assert_layers(backend, kfgn.gauss_newton_blocks(*p[:4]), in_order(ref.gauss_newton_blocks(network, X, Y)), 1e-13)


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("backend", ["numpy"], indirect=True)
def test_positive_semidefinite(backend, problem, objective):
    p = problem(backend, objective, widths=DEEP)
    for block in kfgn.gauss_newton_blocks(*p[:4]):
        eigenvalues = np.linalg.eigvalsh(block)
        assert eigenvalues[0] > -1e-14 * eigenvalues[-1]


@pytest.mark.parametrize("objective", OBJECTIVES[:3])
@pytest.mark.parametrize("backend", ["numpy"], indirect=True)
def test_of_piecewise_linear_networks_it_is_the_hessian(backend, problem, objective):
    p = problem(backend, objective, widths=DEEP)
    network = kfgn.Network.dense(DEEP, ("relu", "leaky_relu"), objective)
    expected = kfgn.hessian_blocks(network, *p[1:4])
    assert_layers(backend, kfgn.gauss_newton_blocks(network, *p[1:4]), expected, 1e-13)
