"""Values that are not finite or out of range: refused under `check=True`, and not read under `check=False`."""

import numpy as np
import pytest

from kfgn.backends import BACKENDS

from ...pairs import few_on_jax

NOT_FINITE = {"NaN": np.nan, "infinity": np.inf, "minus infinity": -np.inf}

# objective, argument, value of one element, fragments of the message
OUT_OF_RANGE = {
    "class -1": ("categorical", "Y", -1, ["class indices from 0 to 2", "-1"]),
    "class D_L": ("categorical", "Y", 3, ["class indices from 0 to 2", "3"]),
    "class 2^40": ("categorical", "Y", 2**40, ["class indices from 0 to 2", "1099511627776"]),
    "sampled class -1": ("categorical", "labels", -1, ["class indices from 0 to 2", "-1"]),
    "sampled class D_L": ("categorical", "labels", 3, ["class indices from 0 to 2", "3"]),
    "target 1.5": ("bernoulli", "Y", 1.5, ["bernoulli targets from 0 to 1", "1.5"]),
    "target -0.25": ("bernoulli", "Y", -0.25, ["bernoulli targets from 0 to 1", "-0.25"]),
    "sampled target 2": ("bernoulli", "labels", 2.0, ["bernoulli targets from 0 to 1", "2"]),
    "sampled target -1": ("bernoulli", "labels", -1.0, ["bernoulli targets from 0 to 1", "-1"]),
    "uniform 1.5": ("bernoulli", "draws", 1.5, ["uniforms in [0, 1)", "1.5"]),
    "uniform -0.5": ("bernoulli", "draws", -0.5, ["uniforms in [0, 1)", "-0.5"]),
    "uniform 2": ("categorical", "draws", 2.0, ["uniforms in [0, 1)", "2"]),
    "uniform -1": ("categorical", "draws", -1.0, ["uniforms in [0, 1)", "-1"]),
    "uniform 1, mixture": ("mixture", "draws", 1.0, ["uniforms in [0, 1)", "1"]),
    "class 2 of two": ("mixture", "Y", 2, ["class indices from 0 to 1", "2"]),
    "class -1 of two": ("mixture", "Y", -1, ["class indices from 0 to 1", "-1"]),
    "sampled class 2 of two": ("mixture", "labels", 2, ["class indices from 0 to 1", "2"]),
}


def with_value(backend, problem, name, value):
    """The problem with the value as the last element of one argument, which a check of the first element would miss."""
    array = np.array(backend.to_numpy(problem.argument(name)))
    array[(-1,) * array.ndim] = value
    return problem.having(name, backend.asarray(array))


@pytest.mark.parametrize("value", NOT_FINITE)
@pytest.mark.parametrize(
    ("objective", "name"),
    [
        ("squared_error", "X"),
        ("categorical", "X"),
        ("bernoulli", "W_1"),
        ("categorical", "W_2"),
        ("squared_error", "Y"),
        ("bernoulli", "Y"),
        ("squared_error", "labels"),
        ("bernoulli", "labels"),
        ("squared_error", "draws"),
        ("bernoulli", "draws"),
        ("categorical", "draws"),
        ("mixture", "X"),
        ("mixture", "W_1"),
        ("bernoulli", "projections"),
        ("mixture", "projections"),
        ("squared_error", "U"),
        ("categorical", "V_1"),
        ("bernoulli", "V_2"),
        ("mixture", "delta_1"),
        ("categorical", "b_2"),
    ],
)
def test_not_finite(backend, problem, functions, refuses, objective, name, value):
    bad = with_value(backend, problem(backend, objective), name, NOT_FINITE[value])
    for function in functions(name):
        refuses(backend, function, bad, ValueError, name, "finite", "NaN or infinity")


@pytest.mark.parametrize("case", OUT_OF_RANGE)
def test_out_of_range(backend, problem, functions, refuses, case):
    objective, name, value, fragments = OUT_OF_RANGE[case]
    bad = with_value(backend, problem(backend, objective), name, value)
    for function in functions(name):
        refuses(backend, function, bad, ValueError, name, *fragments)


UNCHECKED = {
    "NaN": ("squared_error", "X", np.nan, None),
    "NaN, mixture": ("mixture", "X", np.nan, None),  # nor an error in a library's eigenvalues
    "NaN in b": ("categorical", "b_1", np.nan, None),
}


ON_JAX = ["NaN, mixture", "class 2^40", "sampled target 2", "uniform 2"]
"""A case of each kind, for a library that compiles every operation for every shape."""


@few_on_jax(BACKENDS, ON_JAX, case=[*UNCHECKED, *OUT_OF_RANGE])
def test_values_unchecked(backend, shallow, functions, case):
    objective, name, value, _ = (UNCHECKED | OUT_OF_RANGE)[case]
    good = shallow(backend, objective)
    bad = with_value(backend, good, name, value)
    for function in functions(name):
        expected, came = (function(p, check=False) for p in (good, bad))
        assert type(came) is type(expected)


def test_values_in_range(backend, shallow, functions):
    # the ends of a range are allowed, and normals have no range
    for objective, name, value in [
        ("categorical", "Y", 0),
        ("categorical", "Y", 2),
        ("bernoulli", "Y", 0.0),
        ("bernoulli", "Y", 0.5),
        ("bernoulli", "labels", 1.0),
        ("bernoulli", "draws", 0.0),
        ("categorical", "draws", 0.0),
        ("squared_error", "draws", -40.0),
        ("squared_error", "Y", 1e30),
        ("mixture", "Y", 0),
        ("mixture", "Y", 1),
    ]:
        good = with_value(backend, shallow(backend, objective), name, value)
        for function in functions(name):
            function(good)


def test_messages_show_plain_shapes_and_numbers(backend, problem, functions, refuses):
    # no torch.Size([1, 3]), no Array(-1, dtype=array_api_strict.int64)
    good = problem(backend, "categorical")
    for name, value, shown in [
        ("X", good.X[:, :1], "got (7, 1)"),
        ("X", good.X[:0, :], "got shape (0, 2)"),
        ("W_1", good.weights[0][:, :-1], "got (4, 2)"),
        ("labels", good.labels[:, 0], "got (7,)"),
        ("Y", good.Y - 5, "got values from -5 to -3"),
    ]:
        for function in functions(name):
            refuses(backend, function, good.having(name, value), ValueError, name, shown)
