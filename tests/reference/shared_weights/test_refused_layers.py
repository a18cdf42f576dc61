"""Arguments of layers that do not fit, and the smallest image that fits."""

import re

import kfgn_reference.shared_weights as shared
import numpy as np
import pytest

from .problems import Numbers


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stride": (1, 2, 1)}, r"stride: expected a positive int, or 2 of them as in the width, got \(1, 2, 1\)"),
        ({"stride": 0}, "stride: expected a positive int, or 2 of them as in the width, got 0"),
        ({"stride": (1, 1.5)}, r"stride: expected a positive int, or 2 of them as in the width, got \(1, 1.5\)"),
        ({"dilation": (2,)}, r"dilation: expected a positive int, or 2 of them as in the width, got \(2,\)"),
        ({"dilation": (2, -1)}, r"dilation: expected a positive int, or 2 of them as in the width, got \(2, -1\)"),
        ({"dilation": True}, "dilation: expected a positive int, or 2 of them as in the width, got True"),
        (
            {"padding": (1, 1)},
            r"padding: expected a pair of ints of at least 0 for each axis of the width \(3, 2\), got \(1, 1\)",
        ),
        ({"padding": ((0, 0), (0, 0), (0, 0))}, "padding: expected a pair of ints"),
        ({"padding": ((0, -1), (0, 0))}, r"padding: expected a pair of ints .*, got \(\(0, -1\), \(0, 0\)\)"),
        ({"padding": ((0, 1), (0, 0, 0))}, "padding: expected a pair of ints"),
        ({"padding": "same"}, "padding: expected a pair of ints of at least 0 .*, got 'same'"),
        ({"dilation": (1, 4)}, "x: expected at least 5 positions along axis 2 for a window that spans 5, got 4"),
        (
            {"padding": ((0, 6), (0, 0)), "circular": True},
            "x: expected at least 6 positions along axis 1 for a window that spans 3, got 5",
        ),
    ],
)
def test_arguments_that_do_not_fit_are_refused(options, message):
    layer = Numbers(68).convolution(1, 2, width=(3, 2), **options)
    with pytest.raises(ValueError, match=message):
        layer.output_shape(2, 5, 4)


MATRIX, IMAGE = np.ones((1, 1)), np.ones((2, 5, 4))

OUT_OF_RANGE = {
    "width: expected a positive int, or one for each axis, got 0": shared.Convolution(MATRIX, width=0),
    "width: expected a positive int, or one for each axis, got (2, 0)": shared.Convolution(MATRIX, width=(2, 0)),
    "width: expected a positive int, or one for each axis, got ()": shared.Convolution(MATRIX, width=()),
    "width: expected a positive int, or one for each axis, got -1": shared.Pooling(-1, 1, "mean"),
    "stride: expected a positive int, or 1 of them as in the width, got 0": shared.Pooling(2, 0, "mean"),
    "groups: expected a positive divisor of the 2 channels, got 0": shared.Convolution(MATRIX, width=1, groups=0),
    "groups: expected a positive divisor of the 2 channels, got 3": shared.Convolution(MATRIX, width=1, groups=3),
    "weight: expected shape (C', 3) for 2 channels in 1 groups, got (3,)": shared.Convolution(np.ones(3), width=1),
    "weight: expected shape (C', 3), got (3,)": shared.Dense(np.ones(3)),
    "weight: expected shape (2, 2), got ()": shared.ScaleShift(np.ones(())),
    "weight: expected shape (C', V), got (3,)": shared.Embedding(np.ones(3)),
}


@pytest.mark.parametrize("message", OUT_OF_RANGE)
def test_an_argument_out_of_range_is_refused_in_one_line(message):
    """By every function that reads the argument. A negative padding is no crop, and no error is Python's own."""
    layer = OUT_OF_RANGE[message]
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        layer.output_shape(2, 5, 4)
    if isinstance(layer, shared.Convolution | shared.Pooling):
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            layer.taps(IMAGE)


def test_an_embedding_without_a_matrix_is_refused_before_its_tokens_are_read():
    net = shared.Network((shared.Embedding(np.ones(3)),), "squared_error")
    with pytest.raises(ValueError, match=r"^layer 1: weight: expected shape \(C', V\), got \(3,\)$"):
        shared.loss(net, np.array([[0, 1]]), np.zeros((1, 2, 3)))


def test_the_smallest_image():
    """A window fits if it spans the padded image along each axis."""
    layer = Numbers(68).convolution(1, 2, width=(3, 2), dilation=(2, 3), padding=((1, 0), (0, 1)))
    assert layer.output_shape(2, 4, 3) == (1, 1, 1)
