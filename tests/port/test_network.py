"""A network is a value, and refuses to be made of anything that describes none."""

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
    ("widths", (2, 0, 3), ["positive integers", "(2, 0, 3)"]),
    ("widths", (2, -5, 3), ["positive integers", "(2, -5, 3)"]),
    ("widths", (2, True, 3), ["positive integers", "(2, True, 3)"]),
    ("transfers", (), ["expected 1", "got 0"]),
    ("transfers", ("tanh", "tanh"), ["expected 1", "got 2", "('tanh', 'tanh')"]),
    ("transfers", "tanh", ["sequence", "('tanh',)"]),
    ("transfers", "", ["sequence"]),
    ("transfers", ("Tanh",), ["'Tanh'", "tanh", "softplus"]),
    ("transfers", (None,), ["None", "tanh"]),
    ("transfers", (np.tanh,), ["ufunc", "tanh"]),
    ("objective", "mse", ["'mse'", "squared_error, bernoulli, categorical"]),
    ("objective", "", ["''", "squared_error"]),
    ("objective", None, ["None", "squared_error"]),
]


@pytest.mark.parametrize(("name", "value", "fragments"), BAD_VALUES)
def test_wrong_value(name, value, fragments):
    with pytest.raises(ValueError, match=rf"^{name}: ") as caught:
        kfgn.Network(**GOOD | {name: value})
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
        ("transfers", None),
        ("transfers", (["tanh"],)),
        ("objective", ["categorical"]),
    ],
)
def test_wrong_type(name, value):
    # whichever of the two errors it is, it must say which argument is meant
    with pytest.raises((TypeError, ValueError), match=rf"^{name}: "):
        kfgn.Network(**GOOD | {name: value})


def test_widths_from_an_array():
    # widths computed with NumPy are integers too; the network keeps Python's, which hash and print alike
    network = kfgn.Network(**GOOD | {"widths": np.array([2, 5, 3])})
    assert network == kfgn.Network(**GOOD)
    assert {type(D) for D in network.widths} == {int}


def test_equal_by_value():
    network = kfgn.Network(**GOOD)
    same = kfgn.Network([2, 5, 3], ["tanh"], "categorical")
    assert network == same
    assert hash(network) == hash(same)
    assert len({network, same}) == 1
    assert network == pickle.loads(pickle.dumps(network)) == copy.deepcopy(network) == dataclasses.replace(network)
    for name, value in [("widths", (2, 4, 3)), ("transfers", ("relu",)), ("objective", "bernoulli")]:
        assert network != dataclasses.replace(network, **{name: value})


def test_iterators_are_kept():
    network = kfgn.Network(iter((2, 5, 3)), iter(["tanh"]), "categorical")
    assert network == kfgn.Network(**GOOD)


def test_frozen():
    network = kfgn.Network(**GOOD)
    for name in GOOD:
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(network, name, getattr(network, name))


def test_replaced_wrongly():
    with pytest.raises(ValueError, match=r"^transfers: expected 2"):
        dataclasses.replace(kfgn.Network(**GOOD), widths=(2, 5, 5, 3))


def test_shapes():
    network = kfgn.Network((2, 5, 3), ("tanh",), "categorical")
    assert network.depth == 2
    assert network.weight_shapes == ((5, 3), (3, 6))
    assert kfgn.draw_shape(network, 7, 4) == (7, 4)
    assert kfgn.draw_shape(dataclasses.replace(network, objective="bernoulli"), 7, 4) == (7, 4, 3)
