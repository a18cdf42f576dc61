"""The loss and its gradient (3): by hand, and compared with the reference.

Also: `test_equation_3` in tests/reference/equations/ for the reference, and the rows `loss` and `gradient` of the
conformance kit for every library.
"""

import kfgn_reference as ref
import pytest

import kfgn

from .by_hand import DEEP, OBJECTIVES, assert_layers, batch, in_order, reference, without_jax


@without_jax
def test_by_hand(backend):
    assert_layers(backend, [kfgn.loss(*batch(backend))], [(0.5 + 2) / 2])
    # dE/dh is 1 and 2 at the outputs, (2, 3) and (4, 0) below them, and 0 and 4 at the first layer
    expected = [[4, 2]], [[4, 3], [0, 1.5]], [[3.5, 0.5, 1.5]]
    assert_layers(backend, kfgn.gradient(*batch(backend)), expected)


@pytest.mark.parametrize("objective", OBJECTIVES)
@without_jax
def test_reference(backend, problem, objective):
    p = problem(backend, objective, widths=DEEP)
    assert_layers(backend, [kfgn.loss(*p[:4])], [ref.loss(*reference(backend, p))], 1e-13)
    assert_layers(backend, kfgn.gradient(*p[:4]), in_order(ref.gradient(*reference(backend, p))), 1e-13)


@pytest.mark.parametrize("method", ["kfra", "kflr", "kfac", "rp"])
@without_jax
def test_every_method_returns_the_same_loss_gradient_and_q(backend, problem, method):
    p = problem(backend, "bernoulli", widths=DEEP)
    further = {"kfac": (p.labels,), "rp": (p.projections,)}.get(method, ())
    loss, gradient, Q, _ = getattr(kfgn, method)(*p[:4], *further)
    network, X, Y = reference(backend, p)
    assert_layers(backend, [loss], [ref.loss(network, X, Y)], 1e-13)
    assert_layers(backend, gradient, in_order(ref.gradient(network, X, Y)), 1e-13)
    assert_layers(backend, Q, in_order(ref.expected_q(network, X)), 1e-13)
