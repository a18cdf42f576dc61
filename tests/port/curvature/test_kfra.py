"""KFRA (26): by hand, where it equals KFLR, where it does not, and compared with the reference.

Also: `test_equation_26` in tests/reference/equations/ and tests/reference/test_factors.py for the reference, and the
rows `kfra` and `kfra_blocks` of the conformance kit for every library.
"""

import kfgn_reference as ref
import numpy as np
import pytest

import kfgn

from .by_hand import DEEP, OBJECTIVES, assert_layers, batch, in_order, reference, without_jax


@without_jax
def test_by_hand(backend):
    # E[f' f'^T] is ((1, 1/2), (1/2, 1/2)) in the second layer and 1/2 in the first
    kfra = kfgn.kfra(*batch(backend))
    assert_layers(backend, kfra.G, ([[(4 - 2 * 3 + 4.5) / 2]], [[4, 3], [3, 4.5]], [[1]]))
    assert_layers(backend, kfra.Q[:1], [[[2.5, 0.5], [0.5, 1]]])


@pytest.mark.parametrize("objective", OBJECTIVES)
@without_jax
def test_reference(backend, problem, objective):
    p = problem(backend, objective, widths=DEEP)
    assert_layers(backend, kfgn.kfra(*p[:4]).G, in_order(ref.kfra(*reference(backend, p))), 1e-13)


@pytest.mark.parametrize("objective", OBJECTIVES)
@without_jax
def test_of_one_datapoint_it_is_kflr(backend, problem, objective):
    p = problem(backend, objective, widths=DEEP, N=1)
    assert_layers(backend, kfgn.kfra(*p[:4]).G, map(backend.to_numpy, kfgn.kflr(*p[:4]).G), 1e-13)


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("backend", ["numpy"], indirect=True)
def test_of_the_last_layer_it_is_kflr(backend, problem, objective):
    p = problem(backend, objective, widths=DEEP)
    assert_layers(backend, kfgn.kfra(*p[:4]).G[-1:], kfgn.kflr(*p[:4]).G[-1:], 1e-13)


@pytest.mark.parametrize("backend", ["numpy"], indirect=True)
def test_of_two_layers_with_a_constant_output_hessian_it_is_kflr(backend, problem):
    p = problem(backend, "squared_error", widths=(2, 5, 3))
    assert_layers(backend, kfgn.kfra(*p[:4]).G, kfgn.kflr(*p[:4]).G, 1e-13)


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("backend", ["numpy"], indirect=True)
def test_elsewhere_it_is_not_kflr(backend, problem, objective):
    p = problem(backend, objective, widths=DEEP)
    for a, b in zip(kfgn.kfra(*p[:4]).G[:1], kfgn.kflr(*p[:4]).G[:1], strict=True):
        assert np.abs(a - b).max() > 1e-3 * np.abs(b).max()
