"""Values that are not an array, not a sequence of arrays or not a network: refused by name."""

import numpy as np
import pytest

import kfgn

OBJECTS = {"list": [[1.0]], "float": 1.0, "str": "X", "NoneType": None, "object": object()}


@pytest.mark.parametrize("kind", OBJECTS)
@pytest.mark.parametrize(
    "name", ["X", "W_1", "W_2", "Y", "labels", "draws", "projections", "U", "V_2", "delta_1", "b_1", "U_Q_1", "U_G_2"]
)
def test_not_an_array(backend, problem, functions, refuses, name, kind):
    bad = problem(backend, "categorical").having(name, OBJECTS[kind])
    for function in functions(name):
        if OBJECTS[kind] is not None or not function.may_leave_out(name):
            refuses(backend, function, bad, TypeError, name, "expected an array", kind)


@pytest.mark.parametrize("name", ["X", "W_2", "Y", "labels", "draws", "projections", "U", "V_1"])
def test_nested_list(backend, problem, functions, refuses, name):
    good = problem(backend, "squared_error")
    bad = good.having(name, backend.to_numpy(good.argument(name)).tolist())
    for function in functions(name):
        refuses(backend, function, bad, TypeError, name, "expected an array", "list")


WEIGHTS = {
    "one array": (lambda W: W[0], None),
    "dict": (lambda W: dict(enumerate(W)), "dict"),
    "generator": (lambda W: (w for w in W), "generator"),
    "None": (lambda W: None, "NoneType"),
    "str": (lambda W: "WWW", "str"),
    "object array": (lambda W: np.array([None] * 3, dtype=object), "ndarray"),
}


@pytest.mark.parametrize("name", ["weights", "V", "delta", "b"])
@pytest.mark.parametrize("case", WEIGHTS)
def test_weights_that_are_no_sequence(backend, problem, functions, refuses, name, case):
    change, kind = WEIGHTS[case]
    good = problem(backend, "bernoulli")
    bad = good.having(name, change(good.argument(name)))
    for function in functions(name):
        refuses(backend, function, bad, TypeError, name, "tuple or list", kind or type(good.weights[0]).__qualname__)


def test_weights_stacked(backend, problem, functions, refuses):
    # equal shapes, so that the layers can be stacked
    good = problem(backend, "squared_error", widths=(3, 3, 3))
    bad = good.having("weights", backend.xp.stack(good.weights))
    for function in functions():
        refuses(backend, function, bad, TypeError, "weights", "tuple or list", type(bad.weights).__qualname__)


@pytest.mark.parametrize("network", [None, "categorical", ((2, 4, 3), ("tanh",), "categorical"), {}, kfgn.Network])
def test_network_of_the_wrong_type(backend, problem, functions, refuses, network):
    bad = problem(backend, "categorical").having("network", network)
    for function in functions():
        refuses(backend, function, bad, TypeError, "network", "kfgn.Network", type(network).__qualname__)


@pytest.mark.parametrize("network", [None, "categorical", {}])
def test_network_of_the_wrong_type_for_draw_shape(network):
    for shape in (kfgn.label_draws_shape, kfgn.projection_shape):
        with pytest.raises(TypeError, match=r"^network: expected a kfgn.Network"):
            shape(network, 2, 3)
