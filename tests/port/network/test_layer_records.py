"""The records of layers and of networks: their values and their errors."""

import copy
import dataclasses
import pickle

import numpy as np
import pytest

import kfgn

TRANSFERS = "identity, relu, leaky_relu, tanh, logistic, softplus, elu, silu, gelu, gelu_tanh"
PAIR = "a name or a pair of a name and a number"
RANGE = r"a number from -3\.40282e\+38 to 3\.40282e\+38"

BAD_LAYERS = [
    ({"units": 0}, ValueError, "units: expected a positive integer, got 0"),
    ({"units": -3}, ValueError, "units: expected a positive integer, got -3"),
    ({"units": 2.0}, TypeError, r"units: expected a positive integer, got 2\.0"),
    ({"units": True}, TypeError, "units: expected a positive integer, got True"),
    ({"units": "3"}, TypeError, "units: expected a positive integer, got '3'"),
    ({"transfer": "Tanh"}, ValueError, f"transfer: expected one of {TRANSFERS}, got 'Tanh'"),
    ({"transfer": None}, ValueError, f"transfer: expected one of {TRANSFERS}, got None"),
    (
        {"transfer": ("Leaky", 0.1)},
        ValueError,
        "transfer: expected a name with a parameter, one of leaky_relu, elu, got 'Leaky'",
    ),
    (
        {"transfer": ("tanh", 0.1)},
        ValueError,
        "transfer: expected a name with a parameter, one of leaky_relu, elu, got 'tanh'",
    ),
    ({"transfer": (["tanh"], 0.1)}, ValueError, r"transfer: expected a name with a parameter, .*, got \['tanh'\]"),
    ({"transfer": ("leaky_relu",)}, ValueError, rf"transfer: expected {PAIR}, got \('leaky_relu',\)"),
    ({"transfer": ("leaky_relu", 0.1, 2)}, ValueError, rf"transfer: expected {PAIR}, got \('leaky_relu', 0\.1, 2\)"),
    ({"transfer": ()}, ValueError, rf"transfer: expected {PAIR}, got \(\)"),
    ({"transfer": ("leaky_relu", "0.1")}, TypeError, rf"transfer: expected {RANGE}, got '0\.1'"),
    ({"transfer": ("leaky_relu", True)}, TypeError, f"transfer: expected {RANGE}, got True"),
    ({"transfer": ("leaky_relu", float("nan"))}, ValueError, f"transfer: expected {RANGE}, got nan"),
    ({"transfer": ("leaky_relu", 1e39)}, ValueError, rf"transfer: expected {RANGE}, got 1e\+39"),
    ({"bias": None}, TypeError, "bias: expected True or False, got None"),
    ({"bias": 1}, TypeError, "bias: expected True or False, got 1"),
]

LAYERS = (kfgn.Dense(4, "tanh"), kfgn.Dense(3))
GOOD = {"inputs": 2, "layers": LAYERS, "objective": "categorical"}

BAD_NETWORKS = [
    ({"inputs": 0}, ValueError, r"inputs: expected a positive integer, or a tuple \(C, T\) or \(C, H, W\), got 0"),
    ({"inputs": 2.0}, TypeError, r"inputs: expected a positive integer, or a tuple \(C, T\) or \(C, H, W\), got 2\.0"),
    ({"layers": ()}, ValueError, "layers: expected at least one layer, got none"),
    ({"layers": kfgn.Dense(3)}, TypeError, r"layers: expected a sequence of layers, got Dense\(units=3, .*\)"),
    ({"layers": None}, TypeError, "layers: expected a sequence of layers, got None"),
    ({"layers": "dense"}, ValueError, "layers: expected a sequence of layers, got 'dense'"),
    ({"layers": {kfgn.Dense(3)}}, TypeError, "layers: expected a sequence of layers, got .*"),
    ({"layers": (4, 3)}, TypeError, "layers: expected a kfgn.Dense as layer 1, got 4"),
    ({"layers": (kfgn.Dense(4), kfgn.Dense)}, TypeError, "layers: expected a kfgn.Dense as layer 2, got <class .*>"),
    (
        {"layers": (kfgn.Dense(4), kfgn.Dense(3, "tanh"))},
        ValueError,
        "layers: expected the transfer function identity in the last layer, .*, got 'tanh'",
    ),
    (
        {"layers": (kfgn.Dense(3, ("leaky_relu", 1.0)),)},
        ValueError,
        r"layers: expected the transfer function identity in the last layer, .*, got \('leaky_relu', 1\.0\)",
    ),
    ({"objective": "mse"}, ValueError, "objective: expected one of squared_error, .*, got 'mse'"),
    ({"psd": "clip"}, ValueError, "psd: expected one of project, scalar, raise, got 'clip'"),
    (
        {"layers": (kfgn.Dense(2),), "objective": "mixture"},
        ValueError,
        r"layers: expected 3 outputs D_L for mixture, got widths \(2, 2\)",
    ),
]


@pytest.mark.parametrize(("changes", "error", "message"), BAD_LAYERS)
def test_bad_layer(changes, error, message):
    with pytest.raises(error, match=f"^{message}$"):
        kfgn.Dense(**{"units": 4} | changes)


@pytest.mark.parametrize(("changes", "error", "message"), BAD_NETWORKS)
def test_bad_network(changes, error, message):
    with pytest.raises(error, match=f"^{message}$"):
        kfgn.Network(**GOOD | changes)
    if "psd" not in changes:
        with pytest.raises(error, match=f"^{message}$"):
            dataclasses.replace(kfgn.Network(**GOOD), **changes)


def test_pairs_among_transfers():
    network = kfgn.Network.dense((2, 4, 5, 3), [["leaky_relu", 1], "tanh"], "categorical")
    assert network.transfers == (("leaky_relu", 1.0), "tanh")
    with pytest.raises(ValueError, match=f"^transfers: expected {PAIR}, got "):
        kfgn.Network.dense((2, 4, 3), (("leaky_relu",),), "categorical")


def test_converted_values():
    layer = kfgn.Dense(np.int64(4), [np.str_("leaky_relu"), np.float32(0.5)], np.True_)
    assert layer == kfgn.Dense(4, ("leaky_relu", 0.5), True)
    assert [type(v) for v in (layer.units, *layer.transfer, layer.bias)] == [int, str, float, bool]
    assert kfgn.Network(**GOOD | {"layers": iter(LAYERS)}) == kfgn.Network(**GOOD)


def test_records_are_values():
    layer = kfgn.Dense(4, ("leaky_relu", 0.01), bias=False)
    assert layer == pickle.loads(pickle.dumps(layer)) == copy.deepcopy(layer)
    assert len({layer, dataclasses.replace(layer), dataclasses.replace(layer, bias=True)}) == 2
    assert kfgn.Dense(4, "leaky_relu") != kfgn.Dense(4, ("leaky_relu", 0.01))
    with pytest.raises(dataclasses.FrozenInstanceError):
        layer.units = 5
    with pytest.raises(dataclasses.FrozenInstanceError):
        layer.other = 5


def test_dense_is_a_network_of_dense_layers():
    assert kfgn.Network.dense((2, 4, 3), ("tanh",), "categorical") == kfgn.Network(**GOOD)
