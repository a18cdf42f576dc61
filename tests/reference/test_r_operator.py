"""Products by the R-operator compared with the matrices of other modules and with differences."""

import kfgn_reference as ref
import numpy as np
import pytest

OBJECTIVES = ["squared_error", "bernoulli", "categorical", "mixture"]


@pytest.fixture(params=[*((E, "project") for E in OBJECTIVES), ("mixture", "scalar")], ids="-".join)
def case(request, make_problem):
    """A problem with different labels, on which the H_L of the mixture depends, and a direction."""
    objective, psd = request.param
    net, X, Y = make_problem(objective, ("tanh", "softplus"))
    net = net._replace(psd=psd)
    rng = np.random.default_rng(8)
    return net, X, Y, {l: rng.normal(size=W.shape) for l, W in enumerate(net.weights, start=1)}


def test_gauss_newton_product(case, relative_error):
    net, X, Y, V = case
    ours = ref.theta(ref.gauss_newton_product(net, X, Y, V))
    assert relative_error(ours, ref.gauss_newton(net, X, Y) @ ref.theta(V)) < 1e-12


def test_hessian_product(case, relative_error):
    """The product is the derivative of the gradient along V, by central differences of fourth order."""
    net, X, Y, V = case

    def at(r):
        return ref.theta(ref.gradient(ref.moved(net, {l: r * V[l] for l in V}), X, Y))

    r = 1e-3
    truth = (8 * (at(r) - at(-r)) - (at(2 * r) - at(-2 * r))) / (12 * r)
    assert relative_error(ref.theta(ref.hessian_product(net, X, Y, V)), truth) < 1e-8


def test_jacobian_products_are_transposes(case):
    """u^T (J V) = (J^T u)^T V, and J V is the derivative of the outputs."""
    net, X, _, V = case
    u = np.arange(1.0, len(net.weights[-1]) + 1)
    for x in X:
        JV = ref.jacobian_product(net, x, V)
        assert u @ JV == pytest.approx(ref.dot(ref.transposed_jacobian_product(net, x, u), V), rel=1e-12)
        r = 1e-5
        ahead, back = (ref.forward(ref.moved(net, {l: s * r * V[l] for l in V}), x)[1][net.L] for s in (1, -1))
        assert np.max(np.abs((ahead - back) / (2 * r) - JV)) < 1e-7 * np.max(np.abs(JV))
