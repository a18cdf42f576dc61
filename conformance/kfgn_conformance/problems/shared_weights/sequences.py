"""The fixed problems over sequences: dense layers over tokens, and convolutions along one axis.

In each problem, the inputs and the layers with weights have pairwise different numbers of channels. N, S and D_L
are pairwise different, and differ from every number of positions above 1. Let T be any number of positions above 1, and
k the number of taps of any convolution. None of the numbers N, T and k divides one of the other two. A mean over a
wrong axis therefore has a wrong divisor.
"""

from typing import NamedTuple

from ..dyadic import Recipe
from ..layers import Convolution, Dense, Flatten, Pooling


class Fixed(NamedTuple):
    """A row of the table: the recipe for one fixed problem.

    purpose: the mistakes that the problem detects
    recipe:  the network, the objective and the batch
    """

    purpose: str
    recipe: Recipe


TOKENS = (Dense(4, "tanh"), Dense(6, "softplus"), Dense(2))

SEQUENCES: dict[str, Fixed] = {
    "tokens-bernoulli": Fixed(
        "a factor T that is missing or repeated, and expand and reduce exchanged: dense layers, and a sum over tokens",
        Recipe("bernoulli", "project", (3, 5), TOKENS, 7, 3),
    ),
    "tokens-mean-categorical": Fixed(
        "a divisor that is missing or squared: a mean over tokens",
        Recipe("categorical", "project", (2, 5), (Dense(6, "tanh"), Dense(4)), 3, 2, divisor=5),
    ),
    "tokens-pooled-squared_error": Fixed(
        "positions that are combined too early or too late: tokens are averaged below the last layer",
        Recipe(
            "squared_error",
            "project",
            (2, 7),
            (Dense(6, "tanh"), Dense(5, "logistic"), Pooling(7, 1, "mean"), Dense(3)),
            4,
            2,
        ),
    ),
    "padded-categorical": Fixed(
        "padding on the wrong side, a patch with its channels first, and a flattened activation in a wrong order",
        Recipe(
            "categorical",
            "project",
            (2, 7),
            (Convolution(5, 3, "tanh", padding=(2, 0)), Flatten(), Dense(4)),
            5,
            2,
        ),
    ),
    "two-convolutions-squared_error": Fixed(
        "a backward pass that ignores the border: a convolution before another convolution, and a loss divided by 6",
        Recipe(
            "squared_error",
            "project",
            (2, 7),
            (Convolution(5, 4, "tanh", padding=(1, 2)), Convolution(3, 3)),
            11,
            2,
            divisor=6,
        ),
    ),
    "circular-bernoulli": Fixed(
        "zeros instead of circular padding: two convolutions and a sum over positions",
        Recipe(
            "bernoulli",
            "project",
            (3, 7),
            (
                Convolution(2, 4, "tanh", padding=(1, 2), circular=True),
                Convolution(5, 3, "logistic", padding=(2, 0), circular=True),
                Pooling(7, 1, "sum"),
                Dense(4),
            ),
            5,
            3,
        ),
    ),
    "strided-mixture": Fixed(
        "a stride or a dilation that is ignored: both differ from 1",
        Recipe(
            "mixture",
            "project",
            (2, 13),
            (
                Convolution(5, 3, "logistic", stride=2, padding=(3, 1), dilation=2),
                Convolution(3, 2, stride=2, padding=(2, 3), dilation=3),
            ),
            11,
            2,
        ),
    ),
    "strided-mixture-scalar": Fixed(
        "an indefinite Hessian of the loss that is not replaced: the mixture, with the scalar replacement",
        Recipe(
            "mixture",
            "scalar",
            (2, 11),
            (Convolution(4, 3, "tanh", stride=2), Dense(3)),
            4,
            2,
        ),
    ),
    "grouped-categorical": Fixed(
        "groups that are mixed or summed: a convolution with two groups",
        Recipe(
            "categorical",
            "project",
            (4, 7),
            (Convolution(6, 3, "softplus", padding=(1, 1), groups=2), Pooling(5, 2, "mean"), Dense(3)),
            5,
            4,
        ),
    ),
    "depthwise-squared_error": Fixed(
        "errors in groups of one channel: a depthwise convolution and a pointwise layer, with relu and leaky_relu",
        Recipe(
            "squared_error",
            "project",
            (3, 7),
            (Convolution(6, 2, "relu", padding=(1, 0), groups=3), Dense(4, "leaky_relu"), Convolution(2, 3)),
            11,
            3,
        ),
    ),
    "without-biases-bernoulli": Fixed(
        "code that takes the last column of every matrix for the bias: no layer has a bias",
        Recipe(
            "bernoulli",
            "project",
            (2, 9),
            (Convolution(5, 4, "tanh", bias=False, stride=2), Dense(6, "tanh", bias=False), Dense(4, bias=False)),
            7,
            2,
        ),
    ),
    "dilated-squared_error": Fixed(
        "a dilation that is ignored in the patches alone: stride and dilation, with equal padding on both sides",
        Recipe(
            "squared_error",
            "project",
            (2, 9),
            (Convolution(4, 2, "tanh", stride=2, padding=(1, 1), dilation=2), Flatten(), Dense(3)),
            7,
            2,
        ),
    ),
    "circular-categorical": Fixed(
        "zeros instead of circular padding in the patches alone: equal padding on both sides",
        Recipe(
            "categorical",
            "project",
            (2, 7),
            (
                Convolution(5, 3, "tanh", padding=(1, 1), circular=True),
                Convolution(3, 3, "logistic"),
                Flatten(),
                Dense(6),
            ),
            4,
            2,
        ),
    ),
    "two-convolutions-mean-squared_error": Fixed(
        "the number of positions of each layer instead of that of the outputs: two convolutions, a mean over positions",
        Recipe(
            "squared_error",
            "project",
            (2, 7),
            (Convolution(5, 3, "tanh", padding=(1, 1)), Convolution(3, 3)),
            4,
            2,
            divisor=5,
        ),
    ),
}
"""The problems by their names without the prefix `shared-`."""
