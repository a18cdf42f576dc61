"""The fixed problems over images: convolutions and pooling along two axes.

The sizes obey the rules of the module `sequences`. The two axes differ in the numbers of positions of each activation
with more than one position, in the sides of each kernel and window, in each padding, and in each stride and dilation
that is not 1 along both axes.
"""

from ..dyadic import Recipe
from ..layers import Convolution, Dense, Flatten, Pooling
from .sequences import Fixed

IMAGES: dict[str, Fixed] = {
    "images-squared_error": Fixed(
        "axes that are exchanged in padding and kernels: two convolutions that are padded with zeros",
        Recipe(
            "squared_error",
            "project",
            (4, 5, 3),
            (
                Convolution(5, (3, 2), "tanh", padding=((0, 2), (1, 0))),
                Convolution(2, (2, 3), padding=((1, 2), (0, 2))),
            ),
            11,
            8,
            divisor=6,
        ),
    ),
    "images-circular-bernoulli": Fixed(
        "circular padding of only one axis: two convolutions, and a sum over all positions",
        Recipe(
            "bernoulli",
            "project",
            (4, 5, 3),
            (
                Convolution(6, (2, 3), "tanh", padding=((0, 1), (1, 0)), circular=True),
                Convolution(2, (3, 2), "logistic", padding=((2, 0), (0, 1)), circular=True),
                Pooling((5, 2), 1, "sum"),
                Dense(7),
            ),
            11,
            4,
        ),
    ),
    "images-strided-categorical": Fixed(
        "strides and dilations that are exchanged between the axes, and a flattened image in a wrong order",
        Recipe(
            "categorical",
            "project",
            (4, 8, 7),
            (
                Convolution(2, (2, 3), "logistic", stride=(1, 2), padding=((0, 1), (1, 2)), dilation=(2, 3)),
                Flatten(),
                Dense(3),
            ),
            5,
            4,
        ),
    ),
    "images-grouped-mixture": Fixed(
        "a mean over windows that is divided by one side of the window: two groups, pooling, and no biases",
        Recipe(
            "mixture",
            "project",
            (2, 5, 6),
            (
                Convolution(4, (4, 3), "softplus", bias=False, padding=((1, 1), (1, 0)), groups=2),
                Pooling((3, 2), (1, 1), "mean"),
                Dense(3, bias=False),
            ),
            7,
            9,
        ),
    ),
}
"""The problems by their names without the prefix `shared-`."""
