"""Networks are values: equality, hashes and copies, and arguments that are refused."""

import copy
import dataclasses
import pickle

import numpy as np
import pytest

import kfgn

GOOD = {"widths": (2, 5, 3), "transfers": ("tanh",), "objective": "categorical"}

BAD_VALUES = [
    ("widths", (2,), ["at least two", "(2,)"]),
    ("widths", (), ["at least two", "()"]),
    ("widths", (2, 0, 3), ["positive integer", "got 0"]),
    ("widths", (2, -5, 3), ["positive integer", "got -5"]),
    ("transfers", (), ["expected 1", "got 0"]),
    ("transfers", ("tanh", "tanh"), ["expected 1", "got 2", "('tanh', 'tanh')"]),
    ("transfers", "tanh", ["sequence", "('tanh',)"]),
    ("transfers", "", ["sequence"]),
    ("transfers", ("Tanh",), ["'Tanh'", "tanh", "softplus"]),
    ("transfers", (None,), ["None", "tanh"]),
    ("transfers", (np.tanh,), ["ufunc", "tanh"]),
    ("objective", "mse", ["'mse'", "squared_error, bernoulli, categorical, mixture"]),
    ("objective", "", ["''", "squared_error"]),
    ("objective", None, ["None", "squared_error"]),
    ("psd", "clip", ["'clip'", "project, scalar, raise"]),
    ("psd", None, ["None", "project"]),
    ("psd", ["project"], ["project, scalar, raise"]),
]


@pytest.mark.parametrize(("name", "value", "fragments"), BAD_VALUES)
def test_wrong_value(name, value, fragments):
    with pytest.raises(ValueError, match=rf"^{name}: ") as caught:
        kfgn.Network.dense(**GOOD | {name: value})
    for fragment in fragments:
        assert fragment in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("widths", 3),
        ("widths", None),
        ("widths", (2, 5.0, 3)),
        ("widths", (2, "5", 3)),
        ("widths", "253"),
        ("widths", (2, True, 3)),
        ("transfers", None),
        ("transfers", (["tanh"],)),
        ("objective", ["categorical"]),
    ],
)
def test_wrong_type(name, value):
    # either error is right, and it must name the argument
    with pytest.raises((TypeError, ValueError), match=rf"^{name}: "):
        kfgn.Network.dense(**GOOD | {name: value})


def test_widths_from_an_array():
    # integers of NumPy become Python's, which have the same hash and are printed alike
    network = kfgn.Network.dense(**GOOD | {"widths": np.array([2, 5, 3])})
    assert network == kfgn.Network.dense(**GOOD)
    assert {type(D) for D in network.widths} == {int}


def test_equal_by_value():
    network = kfgn.Network.dense(**GOOD)
    same = kfgn.Network.dense([2, 5, 3], ["tanh"], "categorical")
    assert network == same
    assert hash(network) == hash(same)
    assert len({network, same}) == 1
    assert network == pickle.loads(pickle.dumps(network)) == copy.deepcopy(network) == dataclasses.replace(network)
    for name, value in [
        ("inputs", 3),
        ("layers", (kfgn.Dense(5, "relu"), kfgn.Dense(3))),
        ("objective", "bernoulli"),
        ("psd", "scalar"),
    ]:
        assert network != dataclasses.replace(network, **{name: value})


def test_iterators_are_kept():
    network = kfgn.Network.dense(iter((2, 5, 3)), iter(["tanh"]), "categorical")
    assert network == kfgn.Network.dense(**GOOD)


@pytest.mark.parametrize("D", [1, 2, 4])
def test_outputs_of_the_mixture(D):
    with pytest.raises(ValueError, match=rf"^widths: expected 3 outputs .*mixture, got widths \(2, 5, {D}\)"):
        kfgn.Network.dense((2, 5, D), ("tanh",), "mixture")


@pytest.mark.parametrize(
    ("objective", "classes"), [("squared_error", None), ("bernoulli", None), ("categorical", 3), ("mixture", 2)]
)
def test_classes(objective, classes):
    assert kfgn.Network.dense(**GOOD | {"objective": objective}).classes == classes


def test_frozen():
    network = kfgn.Network.dense(**GOOD)
    for name in GOOD:
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(network, name, getattr(network, name))


def test_replaced_wrongly():
    with pytest.raises(ValueError, match=r"^layers: expected the transfer function identity in the last layer"):
        dataclasses.replace(kfgn.Network.dense(**GOOD), layers=[kfgn.Dense(3, "tanh")])


def test_shapes():
    network = kfgn.Network.dense((2, 5, 3), ("tanh",), "categorical")
    assert network.depth == 2
    assert network.weight_shapes == ((5, 3), (3, 6))
    assert kfgn.label_draws_shape(network, 7, 4) == (7, 4)
    assert kfgn.label_draws_shape(network, 7) == (7, 1)
    assert kfgn.projection_shape(network, 7) == (7, 1, 3)
    assert kfgn.label_draws_shape(dataclasses.replace(network, objective="bernoulli"), 7, 4) == (7, 4, 3)
    assert kfgn.projection_shape(network, 7, 4) == (7, 4, 3)
    mixture = dataclasses.replace(network, objective="mixture")
    assert kfgn.label_draws_shape(mixture, 7, 4) == (7, 4)
    assert kfgn.projection_shape(mixture, 7, 4) == (7, 4, 3)
    assert kfgn.projection_shape(dataclasses.replace(mixture, psd="scalar"), 7, 4) == (7, 4, 1)
    with pytest.raises(ValueError, match=r"^psd: expected 'project' or 'scalar'"):
        kfgn.projection_shape(dataclasses.replace(mixture, psd="raise"), 7, 4)
