"""The records of convolutions, pooling and flattening, and the errors of networks in which they do not fit."""

import dataclasses
import pickle

import numpy as np
import pytest

import kfgn

Conv, Dense, Pool, Flatten = kfgn.Convolution, kfgn.Dense, kfgn.Pooling, kfgn.Flatten
Norm, Scale = kfgn.Normalisation, kfgn.ScaleShift

BAD_RECORDS = [
    (Conv, {"units": 4, "width": 0}, ValueError, "width: expected a positive integer, got 0"),
    (Conv, {"units": 4, "width": (2, 0)}, ValueError, "width: expected a positive integer, got 0"),
    (
        Conv,
        {"units": 4, "width": (2,)},
        ValueError,
        r"width: expected a positive integer or a pair of them, got \(2,\)",
    ),
    (
        *(Conv, {"units": 4, "width": 2, "stride": (1, 2)}, TypeError),
        r"stride: expected a positive integer, since width 2 is for one axis, got \(1, 2\)",
    ),
    (
        *(Conv, {"units": 4, "width": 2, "padding": (0, -1)}, ValueError),
        r"padding: expected a pair \(left, right\) of integers from 0, got -1",
    ),
    (
        *(Conv, {"units": 4, "width": (2, 2), "padding": (0, 1)}, TypeError),
        r"padding: expected pairs \(\(top, bottom\), \(left, right\)\) of integers from 0, got 0",
    ),
    (Conv, {"units": 4, "width": 2, "groups": 3}, ValueError, "groups: expected a divisor of the 4 units, got 3"),
    (Pool, {"width": 2, "stride": 2, "kind": "max"}, ValueError, "kind: expected one of mean, sum, got 'max'"),
    (Norm, {"epsilon": 0}, ValueError, r"epsilon: expected a number from 1\.17549e-38 to 3\.40282e\+38, got 0"),
    (Norm, {"epsilon": 1e-40}, ValueError, "epsilon: expected a number from .*, got 1e-40"),
    (Norm, {"epsilon": "1"}, TypeError, "epsilon: expected a number from .*, got '1'"),
    (Scale, {"transfer": "normalisation"}, ValueError, "transfer: expected one of .*, got 'normalisation'"),
    (Scale, {"transfer": ("normalisation", 0.1)}, ValueError, "transfer: expected a name with a parameter, .*"),
    (Scale, {"bias": 1}, TypeError, "bias: expected True or False, got 1"),
]


@pytest.mark.parametrize(("record", "fields", "error", "message"), BAD_RECORDS)
def test_bad_record(record, fields, error, message):
    with pytest.raises(error, match=f"^{message}$"):
        record(**fields)


FIT = r"layers: expected layer {} to fit inputs of shape {}, got {}\(.*\): {}"

BAD_NETWORKS = [
    ({"inputs": (2,)}, ValueError, r"inputs: expected a number D_0, \(C, T\) or \(C, H, W\), got \(2,\)"),
    ({"inputs": (2, 0)}, ValueError, "inputs: expected a positive integer, got 0"),
    (
        *({"inputs": 2}, TypeError),
        r"layers: expected a kfgn.Dense as layer 1, since `inputs` is an int and not \(C, T\) or \(C, H, W\), got .*",
    ),
    (
        *({"inputs": 2, "layers": (Scale(), Dense(3))}, TypeError),
        r"layers: expected a kfgn.Dense as layer 1, since `inputs` is an int and not .*, got ScaleShift\(.*\)",
    ),
    (
        *({"layers": (Dense(3), Norm(0.5))}, ValueError),
        r"layers: expected the transfer function identity in the last layer, .*, got \('normalisation', 0\.5\)",
    ),
    (
        *({"layers": (Norm(), Flatten(), Pool(1, 1, "sum"))}, ValueError),
        "layers: expected at least one layer with weights, got .*",
    ),
    ({"divisor": 0}, ValueError, 'divisor: expected a positive integer or "positions", got 0'),
    ({"layers": (Flatten(),)}, ValueError, r"layers: expected at least one layer with weights, got \(Flatten\(\),\)"),
    (
        *({"layers": (Dense(4), Conv(2, 7))}, ValueError),
        FIT.format(2, r"\(4, 6\)", "Convolution", "width: expected a kernel of at most 6 positions, got one of 7"),
    ),
    (
        *({"layers": (Conv(2, 9, padding=(1, 1)),)}, ValueError),
        FIT.format(1, r"\(3, 6\)", "Convolution", "width: expected a kernel of at most 8 positions, got one of 9"),
    ),
    (
        *({"layers": (Conv(2, 2, padding=(7, 0), circular=True),)}, ValueError),
        FIT.format(
            *(1, r"\(3, 6\)", "Convolution"),
            "padding: expected at most 6 positions at each end, since circular padding repeats the 6 positions of the "
            r"input, got \(7, 0\)",
        ),
    ),
    (
        *({"layers": (Conv(2, 7, padding=(6, 6), circular=True),)}, ValueError),
        FIT.format(1, r"\(3, 6\)", "Convolution", "width: expected a kernel of at most 6 positions, got one of 7"),
    ),
    (
        *({"inputs": (3, 6, 4), "layers": (Conv(2, (2, 2), padding=((6, 6), (0, 5)), circular=True),)}, ValueError),
        FIT.format(
            *(1, r"\(3, 6, 4\)", "Convolution"),
            "padding: expected at most 4 positions at each end, since circular padding repeats the 4 positions of the "
            r"input, got \(0, 5\)",
        ),
    ),
    (
        *({"layers": (Conv(4, 2, groups=2),)}, ValueError),
        FIT.format(1, r"\(3, 6\)", "Convolution", "groups: expected a divisor of the 3 input channels, got 2"),
    ),
    (
        *({"layers": (Conv(4, (2, 2)),)}, ValueError),
        FIT.format(1, r"\(3, 6\)", "Convolution", r"width: expected 1 number, one per axis of positions, got \(2, 2\)"),
    ),
    (
        *({"layers": (Dense(3), Pool(7, 1, "sum"))}, ValueError),
        FIT.format(2, r"\(3, 6\)", "Pooling", "width: expected a window of at most 6 positions, got 7"),
    ),
    (
        *({"inputs": (3, 6, 2), "layers": (Dense(3), Pool(2, 1, "sum"))}, ValueError),
        FIT.format(2, r"\(3, 6, 2\)", "Pooling", "width: expected 2 numbers, one per axis of positions, got 2"),
    ),
]


@pytest.mark.parametrize(("changes", "error", "message"), BAD_NETWORKS)
def test_bad_network(changes, error, message):
    good = {"inputs": (3, 6), "layers": (Conv(2, 2), Dense(3)), "objective": "squared_error"}
    with pytest.raises(error, match=f"^{message}$"):
        kfgn.Network(**good | changes)


def test_a_divisor_needs_positions():
    with pytest.raises(ValueError, match=r"^divisor: expected 1 for a network without positions, got 2$"):
        kfgn.Network(3, (Dense(2),), "squared_error", divisor=2)


BAD_ARRAYS = [
    ("X", (3, 6, 2), r"X: expected shape \(N, 2, 6\), got \(3, 6, 2\)"),
    ("X", (3, 12), r"X: expected shape \(N, 2, 6\), got \(3, 12\)"),
    ("Y", (3, 4, 5), r"Y: expected shape \(3, 5, 4\) for squared_error, got \(3, 4, 5\)"),
    ("labels", (3, 2, 4), r"labels: expected shape \(3, 2, 5, 4\) for squared_error, got \(3, 2, 4\)"),
    ("W_1", (4, 4), r"W_1: expected shape \(4, 5\), bias in the last column, got \(4, 4\)"),
]


@pytest.mark.parametrize(("name", "shape", "message"), BAD_ARRAYS)
def test_bad_array(name, shape, message):
    network = kfgn.Network((2, 6), (Conv(4, 2),), "squared_error")
    shapes = {"W_1": (4, 5), "X": (3, 2, 6), "Y": (3, 5, 4), "labels": (3, 2, 5, 4)} | {name: shape}
    W, X, Y, labels = (np.zeros(shape) for shape in shapes.values())
    with pytest.raises(ValueError, match=f"^{message}$"):
        kfgn.kfac(network, (W,), X, Y, labels)


def test_fields_are_converted():
    layer = Conv(np.int64(4), [np.int64(2), 3], padding=[[1, 0], [0, 1]])
    assert layer == Conv(4, (2, 3), stride=(1, 1), padding=((1, 0), (0, 1)), dilation=(1, 1))
    assert Conv(4, (2, 3)).padding == ((0, 0), (0, 0))
    assert Pool((2, 3), 2, "mean").stride == (2, 2)
    assert {hash(record) for record in (layer, Pool(2, 2, "sum"), Flatten())}


def test_a_network_of_positions_is_a_value():
    network = kfgn.Network([2, 6], [Conv(4, 2, "tanh"), Pool(2, 2, "sum"), Flatten(), Dense(3)], "categorical")
    assert network.shapes == ((2, 6), (4, 5), (4, 2), (8,), (3,))
    assert network.depth == 2
    assert network.weight_shapes == ((4, 5), (3, 9))
    assert pickle.loads(pickle.dumps(network)) == network == dataclasses.replace(network)
    assert dataclasses.replace(network, divisor=2) != network
    assert repr(network).startswith("Network(inputs=(2, 6), layers=(Convolution(units=4, width=2,")


def test_a_flattened_image_has_no_positions():
    network = kfgn.Network((2, 3, 4), (Conv(5, (2, 2)), Flatten(), Dense(6)), "categorical")
    assert network.shapes == ((2, 3, 4), (5, 2, 3), (30,), (6,))
    X, W = np.zeros((7, 2, 3, 4)), tuple(np.zeros(shape) for shape in network.weight_shapes)
    assert kfgn.loss(network, W, X, np.zeros(7, "int64")) == pytest.approx(np.log(6))
    with pytest.raises(ValueError, match=r"^Y: expected shape \(7,\) for categorical, got \(7, 1\)$"):
        kfgn.loss(network, W, X, np.zeros((7, 1), "int64"))


def test_scale_and_shift_have_the_width_of_their_inputs():
    network = kfgn.Network((2, 6), (Conv(4, 2), Norm(), Scale("tanh"), Scale(bias=False)), "squared_error")
    assert network.shapes == ((2, 6), (4, 5), (4, 5), (4, 5), (4, 5))
    assert network.weight_shapes == ((4, 5), (4, 2), (4, 1))
    assert network.block_shapes == ((4, 5), (8, 1), (4, 1))
    assert network.transfers == ("identity", ("normalisation", 1e-5), "tanh")
    assert pickle.loads(pickle.dumps(network)) == network
    with pytest.raises(ValueError, match=r"^W_2: expected shape \(4, 2\), bias in the last column, got \(8, 1\)$"):
        kfgn.loss(network, [np.zeros(s) for s in ((4, 5), (8, 1), (4, 1))], np.zeros((3, 2, 6)), np.zeros((3, 5, 4)))


def test_groups_have_their_own_factors():
    network = kfgn.Network((4, 6), (Conv(6, 3, groups=2),), "squared_error")
    assert network.weight_shapes == ((6, 7),)
    assert network.block_shapes == ((3, 7), (3, 7))
