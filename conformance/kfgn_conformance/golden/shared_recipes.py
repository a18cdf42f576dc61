"""The recipes of golden vectors with shared weights."""

from ..problems.dyadic import Recipe
from ..problems.layers import Convolution, Dense, Embedding, Flatten, Normalisation, Pooling, ScaleShift

SHARED: dict[str, tuple[str, Recipe]] = {
    "tokens": (
        "Two dense layers over three tokens, and the mean of the loss over the tokens",
        Recipe("categorical", "project", (1, 3), (Dense(3, "tanh"), Dense(2)), 2, 3, divisor=3),
    ),
    "convolution": (
        "A padded convolution, a mean over all positions, and a dense layer",
        Recipe(
            "bernoulli",
            "project",
            (1, 5),
            (Convolution(2, 3, "softplus", padding=(1, 0)), Pooling(4, 1, "mean"), Dense(3)),
            3,
            2,
        ),
    ),
    "two-convolutions": (
        "A circular convolution before a convolution with stride and dilation, and a divisor that is not T",
        Recipe(
            "squared_error",
            "project",
            (1, 5),
            (
                Convolution(2, 2, "tanh", padding=(1, 0), circular=True),
                Convolution(3, 2, stride=2, padding=(0, 2), dilation=2),
            ),
            4,
            2,
            divisor=2,
        ),
    ),
    "grouped": (
        "A convolution with two groups and without a bias, and a flattened activation",
        Recipe(
            "mixture",
            "scalar",
            (2, 3),
            (Convolution(4, 2, "logistic", bias=False, groups=2), Flatten(), Dense(3, bias=False)),
            5,
            2,
        ),
    ),
    "images": (
        "A convolution of images whose axes have different strides and paddings, and a flattened image",
        Recipe(
            "categorical",
            "project",
            (2, 4, 3),
            (Convolution(2, (3, 2), "tanh", stride=(2, 1), padding=((1, 0), (0, 1))), Flatten(), Dense(2)),
            3,
            2,
        ),
    ),
    "images-circular": (
        "A circular convolution of images with two groups and a dilation, and a mean over both rows",
        Recipe(
            "bernoulli",
            "project",
            (2, 3, 4),
            (
                Convolution(4, (2, 3), "logistic", padding=((1, 0), (0, 1)), circular=True, dilation=(2, 1), groups=2),
                Pooling((2, 1), 1, "mean"),
                Dense(3),
            ),
            4,
            2,
            divisor=2,
        ),
    ),
    "normalised": (
        "A normalisation with its scale and shift between two dense layers over tokens",
        Recipe(
            "squared_error",
            "project",
            (2, 4),
            (Dense(3, "tanh"), Normalisation(0.25), ScaleShift(), Dense(2)),
            3,
            2,
            divisor=4,
        ),
    ),
    "embedding": (
        "An embedding whose tokens repeat, and a dense layer over tokens",
        Recipe("categorical", "project", (4, 5), (Embedding(3), Dense(2)), 3, 2),
    ),
}
"""Descriptions and recipes of the problems with shared weights, by name."""
