"""Numbers and counts of any type become Python's own, and other values are refused by name."""

import dataclasses
import decimal
import re
from fractions import Fraction

import numpy as np
import pytest

import kfgn

NETWORK = kfgn.Network.dense((3, 5, 2), ("tanh",), "bernoulli")

TYPES = [np.float64, np.float32, np.longdouble, Fraction]

# a function that makes a record from one of its numbers, and a valid number
NUMBERS = {
    "eta": (lambda x: kfgn.GaussNewton(NETWORK, eta=x), 0.5),
    "thresholds": (lambda x: kfgn.GaussNewton(NETWORK, thresholds=(x, x)), 0.5),
    "max_step_size": (lambda x: kfgn.GaussNewton(NETWORK, max_step_size=x), 0.5),
    "momentum": (lambda x: kfgn.GaussNewton(NETWORK, momentum=x), 0.5),
    "parameter_average": (lambda x: kfgn.GaussNewton(NETWORK, parameter_average=x), 0.5),
    "initial": (lambda x: kfgn.Damping(x, 5), 0.5),
    "decay": (lambda x: kfgn.Damping(1.0, 5, decay=x), 0.5),
    "lower": (lambda x: kfgn.Damping(1.0, 5, lower=x), 0.5),
    "upper": (lambda x: kfgn.Damping(1.0, 5, upper=x), 2.5),
    "average": (lambda x: kfgn.KroneckerFactored(average=x), 0.5),
    "tolerance": (lambda x: kfgn.HessianFree(tolerance=x), 0.5),
    "learning_rate": (lambda x: kfgn.SGD(NETWORK, x), 0.5),
    "sgd eta": (lambda x: kfgn.SGD(NETWORK, 0.1, eta=x), 0.5),
    "sgd momentum": (lambda x: kfgn.SGD(NETWORK, 0.1, momentum=x), 0.5),
    "beta_1": (lambda x: kfgn.Adam(NETWORK, beta_1=x), 0.5),
    "beta_2": (lambda x: kfgn.Adam(NETWORK, beta_2=x), 0.5),
    "epsilon": (lambda x: kfgn.Adam(NETWORK, epsilon=x), 0.5),
}

COUNTS = {
    "samples": lambda n: kfgn.KroneckerFactored(samples=n),
    "refresh": lambda n: kfgn.KroneckerFactored(refresh=n),
    "period": lambda n: kfgn.Damping(1.0, n),
    "iterations": lambda n: kfgn.HessianFree(iterations=n),
    "halving": lambda n: kfgn.Adam(NETWORK, halving=n),
    "widths": lambda n: kfgn.Network.dense((n, 2), (), "bernoulli"),
    "N": lambda n: kfgn.label_draws_shape(NETWORK, n, 1),
    "S": lambda n: kfgn.projection_shape(NETWORK, 1, n),
    "seed": lambda n: kfgn.GaussNewton(NETWORK).draw(n, 1, 1),
    "t": lambda n: kfgn.Adam(NETWORK).draw(0, n, 1),
}


def fields(record):
    values = [getattr(record, field.name) for field in dataclasses.fields(record)]
    return [part for value in values for part in (value if isinstance(value, tuple) else (value,))]


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_become_pythons(name):
    make, value = NUMBERS[name]
    expected = make(value)
    for number in TYPES:
        record = make(number(value))
        assert record == expected
        assert hash(record) == hash(expected)
        assert [type(part) for part in fields(record)] == [type(part) for part in fields(expected)]
        assert not any(isinstance(part, np.generic | Fraction) for part in fields(record))


@pytest.mark.parametrize("name", COUNTS)
def test_integers_become_pythons(name):
    one = COUNTS[name](1)
    other = COUNTS[name](np.int16(1))
    assert np.array_equal(one, other) if isinstance(one, np.ndarray) else one == other
    if dataclasses.is_dataclass(one):
        assert [type(part) for part in fields(other)] == [type(part) for part in fields(one)]


WRONG = {
    "10**400": (10**400, ValueError),
    "10**5000": (10**5000, ValueError),  # Python refuses to print it
    "Fraction": (Fraction(10**400), ValueError),
    "NaN": (float("nan"), ValueError),
    "infinity": (np.float32(np.inf), ValueError),
    "longdouble": (np.longdouble("1e400"), ValueError),
    "True": (True, TypeError),
    "NumPy's True": (np.True_, TypeError),
    "Decimal": (decimal.Decimal("0.5"), TypeError),
    "complex": (0.5 + 0j, TypeError),
    "duration": (np.timedelta64(1, "s"), TypeError),
    "str": ("0.5", TypeError),
    "array": (np.asarray(0.5), TypeError),
    "list": ([0.5], TypeError),
}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_that_are_refused(name, wrong):
    value, error = WRONG[wrong]
    with pytest.raises((TypeError, ValueError), match=rf"^{name.split()[-1]}: expected ") as caught:
        NUMBERS[name][0](value)
    assert caught.type is error
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize("wrong", [*WRONG, "half"])
@pytest.mark.parametrize("name", COUNTS)
def test_counts_that_are_refused(name, wrong):
    value, error = {**WRONG, "half": (1.5, TypeError), "NaN": (float("nan"), TypeError)}.get(wrong)
    whole = wrong in ("10**400", "10**5000")
    with pytest.raises((TypeError, ValueError), match=rf"^{name}: expected ") as caught:
        COUNTS[name](value)
    assert caught.type is (error if whole else TypeError)


@pytest.mark.parametrize("name", ["damping", "tolerance", "tau", "eta"])
def test_numbers_of_functions(backend, problem, functions, name):
    p = problem(backend, "categorical", dtype="float32")
    for function in functions():
        if name not in function.options and not (name == "tolerance" and "damping" in function.options):
            continue
        expected = function(p, **{name: 0.5})
        for number in TYPES:
            assert str(function(p, **{name: number(0.5)})) == str(expected)
        for value, error in WRONG.values():
            if not (isinstance(value, np.ndarray) and backend.name == "numpy"):
                with pytest.raises(error, match=rf"^{name}: expected "):
                    function(p, **{name: value})


@pytest.mark.parametrize("number", TYPES)
@pytest.mark.parametrize("backend", ["numpy", "torch"], indirect=True)
def test_steps_stay_in_float32(backend, number):
    x = number(0.5)
    damping = kfgn.Damping(x, 1, decay=x, lower=number(0), upper=x)
    rng = np.random.default_rng(0)
    X, Y = (backend.asarray(rng.random((7, D)).astype("float32")) for D in (3, 2))
    for optimiser in (
        kfgn.GaussNewton(NETWORK, kfgn.KroneckerFactored(average=x), x, damping, damping, (x, x), x, x, x),
        kfgn.GaussNewton(NETWORK, kfgn.HessianFree(tolerance=x), x, damping, damping, (x, x), x, x, x),
        kfgn.SGD(NETWORK, x, 1, x, x, x),
        kfgn.Adam(NETWORK, x, 1, x, x, x, x, x),
    ):
        state = optimiser.init(tuple(backend.asarray(np.ones(s, "float32")) for s in NETWORK.weight_shapes))
        for _ in range(3):
            state, _ = optimiser.step(state, X, Y)
        assert {str(W.dtype).split(".")[-1] for W in (*state.weights, *state.average)} == {"float32"}


@pytest.mark.parametrize("seed", [1.5, "3", -1, True, 2**63, 2**64, None, np.asarray(3)])
@pytest.mark.parametrize(
    "optimiser",
    [kfgn.GaussNewton(NETWORK, kfgn.KroneckerFactored("kfac")), kfgn.GaussNewton(NETWORK), kfgn.Adam(NETWORK)],
    ids=["kfac", "kfra", "adam"],
)
def test_seeds(optimiser, seed):
    with pytest.raises((TypeError, ValueError), match=r"^seed: expected an integer of at least 0"):
        optimiser.draw(seed, 1, 5)


@pytest.mark.parametrize("widths", [b"\x03\x02", bytearray(b"\x03\x02"), {3, 2}, frozenset({3, 2}), {3: 0, 2: 0}])
def test_widths_without_an_order(widths):
    with pytest.raises(TypeError, match=r"^widths: expected a sequence of positive integers, got "):
        kfgn.Network.dense(widths, (), "bernoulli")
    with pytest.raises(TypeError, match=r"^transfers: expected a sequence of names, got "):
        kfgn.Network.dense((3, 2), widths, "bernoulli")


@pytest.mark.parametrize("name", [np.array("trace"), np.array(["trace"]), ["trace"], None])
def test_arrays_are_no_names(name):
    with pytest.raises(ValueError, match=r"^inversion: expected one of trace, "):
        kfgn.KroneckerFactored(inversion=name)
    with pytest.raises(ValueError, match=r"^norm: expected one of trace, "):
        kfgn.omega(np.eye(2), np.eye(2), name)


def test_names_of_a_subclass_become_pythons():
    network = kfgn.Network.dense((3, 2), (), np.str_("bernoulli"))
    assert type(network.objective) is str
    assert type(kfgn.KroneckerFactored(np.str_("kfra")).method) is str


@pytest.mark.parametrize("name", ["beta_1", "beta_2"])
def test_averages_of_adam_that_would_never_begin(name):
    with pytest.raises(ValueError, match=rf"^{name}: expected a number of at least 0 and below 1, got 1.0"):
        kfgn.Adam(NETWORK, **{name: 1.0})
    adam = kfgn.Adam(NETWORK, **{name: 1 - 1e-9})  # float32 rounds it to 1
    for dtype, fine in (("float64", True), ("float32", False)):
        weights = tuple(np.ones(s, dtype) for s in NETWORK.weight_shapes)
        if fine:
            rng = np.random.default_rng(0)
            _, info = adam.step(adam.init(weights), rng.random((7, 3)), rng.random((7, 2)))
            assert info.ok
        else:
            with pytest.raises(ValueError, match=rf"^{name}: expected a number that does not round to 1 in float32"):
                adam.init(weights)


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("eta", lambda: kfgn.GaussNewton(NETWORK, eta=1e39)),
        ("gamma.initial", lambda: kfgn.GaussNewton(NETWORK, gamma=kfgn.Damping(1e39, 5, upper=1e300))),
        ("learning_rate", lambda: kfgn.SGD(NETWORK, 1e39)),
        ("epsilon", lambda: kfgn.Adam(NETWORK, epsilon=1e-50)),
    ],
)
def test_numbers_that_the_dtype_of_the_weights_does_not_hold(name, make):
    optimiser = make()
    optimiser.init(tuple(np.ones(s, "float64") for s in NETWORK.weight_shapes))
    with pytest.raises(ValueError, match=rf"^{name}: expected .* float32"):
        optimiser.init(tuple(np.ones(s, "float32") for s in NETWORK.weight_shapes))


@pytest.mark.parametrize("check", [None, 0, 1, "no", [], np.ones(2), 0.0])
def test_check_is_true_or_false(check):
    p = (NETWORK, tuple(np.ones(s) for s in NETWORK.weight_shapes), np.ones((7, 3)), np.ones((7, 2)))
    for call in (lambda: kfgn.loss(*p, check=check), lambda: kfgn.omega(np.eye(2), np.eye(2), check=check)):
        with pytest.raises(TypeError, match=re.escape("check: expected True or False, got ")):
            call()
