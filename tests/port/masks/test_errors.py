"""Masks that are refused, with the expected and the given shape, dtype or layer in the message."""

import re

import numpy as np
import pytest

import kfgn

from ..positions.problems import without_jax

Conv, Dense, Pool = kfgn.Convolution, kfgn.Dense, kfgn.Pooling
FIRST = np.array([[True, True, False, False], [True, True, True, True]])


def call(backend, layers, mask, values=None, inputs=(2, 4), **options):
    network = kfgn.Network(inputs, layers, "squared_error")
    weights = [backend.asarray(np.ones(shape)) for shape in network.weight_shapes]
    values = backend.asarray(np.ones((2, *inputs))) if values is None else values
    Y = backend.asarray(np.zeros((2, *network.shapes[-1][1:], network.widths[-1])))
    return kfgn.loss(network, weights, kfgn.Padded(values, mask), Y, **options)


ALWAYS = {
    "dtype": ((Dense(1),), FIRST.astype("int64"), TypeError, "X.mask: expected dtype bool"),
    "shape": ((Dense(1),), FIRST[:, :3], ValueError, "X.mask: expected shape (2, 4) for X (2, 2, 4), got (2, 3)"),
    "channels": (
        (Dense(1),),
        FIRST[:, None],
        ValueError,
        "X.mask: expected shape (2, 4) for X (2, 2, 4), got (2, 1, 4)",
    ),
    "datapoints": ((Dense(1),), FIRST[:1], ValueError, "X.mask: expected shape (2, 4) for X (2, 2, 4), got (1, 4)"),
    "flatten": (
        (Dense(1), kfgn.Flatten(), Dense(1)),
        FIRST,
        ValueError,
        "X: expected an array without a mask, since layer 2 is a kfgn.Flatten of several positions, got a kfgn.Padded",
    ),
    "circular": (
        (Conv(1, 2, padding=(1, 0), circular=True),),
        FIRST,
        ValueError,
        "X: expected an array without a mask, since layer 1 is a kfgn.Convolution with circular padding",
    ),
}


@pytest.mark.parametrize("name", ALWAYS)
@pytest.mark.parametrize("check", [True, False])
@without_jax
def test_refused_without_reading_values(backend, name, check):
    layers, mask, error, message = ALWAYS[name]
    with pytest.raises(error, match=re.escape(message)):
        call(backend, layers, backend.asarray(mask), check=check)


VALUES = {
    "none": ((Dense(1),), [[1, 1, 1, 1], [0, 0, 0, 0]], "at least one counted position in each datapoint, got none", 1),
    "gap": ((Dense(1), Conv(1, 2)), [[1, 0, 1, 0], [1, 1, 1, 1]], "the counted positions first for layer 2", 0),
    "left": ((Pool(2, 1, "sum"), Dense(1)), [[1, 1, 1, 1], [0, 0, 1, 1]], "the counted positions first for layer 1", 1),
    "short": (
        (Dense(1), Conv(1, 3)),
        [[1, 1, 1, 1], [1, 1, 0, 0]],
        "enough counted positions for a window of layer 2, a kfgn.Convolution, got too few",
        1,
    ),
    "short above": (
        (Conv(1, 2), Pool(2, 2, "mean"), Dense(1)),
        [[1, 1, 1, 1], [1, 1, 0, 0]],
        "enough counted positions for a window of layer 2, a kfgn.Pooling, got too few",
        1,
    ),
}


@pytest.mark.parametrize("name", VALUES)
@without_jax
def test_refused_by_value(backend, name):
    layers, mask, expected, n = VALUES[name]
    mask = backend.asarray(np.array(mask, dtype=bool))
    with pytest.raises(ValueError, match=re.escape(f"X.mask: expected {expected}")) as caught:
        call(backend, layers, mask)
    assert str(caught.value).endswith(f" in datapoint {n}")
    call(backend, layers, mask, check=False)


@without_jax
def test_an_image_needs_whole_rows_and_columns(backend):
    mask = np.ones((2, 2, 3), dtype=bool)
    mask[1, 1, 2] = False
    call(backend, (Dense(1),), backend.asarray(mask), inputs=(2, 2, 3))
    with pytest.raises(ValueError, match=r"X\.mask: expected the counted positions first for layer 1"):
        call(backend, (Conv(1, (1, 2)),), backend.asarray(mask), inputs=(2, 2, 3))


def test_a_network_without_positions():
    network = kfgn.Network.dense((2, 1), (), "squared_error")
    with pytest.raises(
        TypeError, match=r"^X: expected an array, since the network has no positions, got a kfgn\.Padded"
    ):
        kfgn.loss(network, [np.ones((1, 3))], kfgn.Padded(np.ones((4, 2)), np.ones(4, dtype=bool)), np.ones((4, 1)))


@pytest.mark.parametrize("field", ["values", "mask"])
@pytest.mark.parametrize("value", [None, [[1.0]], 3, "mask"])
def test_fields_that_are_not_arrays(field, value):
    network = kfgn.Network((2, 4), (Dense(1),), "squared_error")
    X = kfgn.Padded(np.ones((2, 2, 4)), FIRST)._replace(**{field: value})
    name = {"values": "X", "mask": "X.mask"}[field]
    with pytest.raises(TypeError, match=f"^{re.escape(name)}: expected an array, got"):
        kfgn.loss(network, [np.ones((1, 3))], X, np.ones((2, 4, 1)))


def test_fields_of_two_libraries():
    torch = pytest.importorskip("torch")
    network = kfgn.Network((2, 4), (Dense(1),), "squared_error")
    X = kfgn.Padded(np.ones((2, 2, 4)), torch.tensor(FIRST))
    with pytest.raises(TypeError, match=r"^X\.mask: expected an array of the library of X"):
        kfgn.loss(network, [np.ones((1, 3))], X, np.ones((2, 4, 1)))


def test_wrong_values_at_counted_positions():
    """The values of X and Y are checked at counted positions alone."""
    layers = kfgn.Embedding(2), Dense(3)
    network = kfgn.Network((5, 4), layers, "categorical")
    weights = [np.ones(shape) for shape in network.weight_shapes]
    tokens, Y = np.where(FIRST, 1, 99), np.where(FIRST, 2, -100)
    assert np.isfinite(kfgn.loss(network, weights, kfgn.Padded(tokens, FIRST), Y))
    wrong, of_all = tokens.copy(), np.ones_like(FIRST)
    wrong[0, 1] = 5
    with pytest.raises(ValueError, match="X: expected tokens from 0 to 4"):
        kfgn.loss(network, weights, kfgn.Padded(wrong, FIRST), Y)
    with pytest.raises(ValueError, match="Y: expected class indices from 0 to 2"):
        kfgn.loss(network, weights, kfgn.Padded(np.ones_like(tokens), of_all), Y)


@pytest.mark.parametrize("divisor", ["mean", 0, 2.5, None])
def test_a_wrong_divisor(divisor):
    with pytest.raises((TypeError, ValueError), match='divisor: expected a positive integer or "positions"'):
        kfgn.Network((2, 4), (Dense(1),), "squared_error", divisor=divisor)
