"""Special properties of problems, with a note on the consequences of each property."""

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from kfgn_reference import forward

from ..problems.layers import name_of, positions_of
from ..problems.problem import Problem, classes
from ..quantities.shared_weights.factors import is_token_wise

SATURATED = 12.0
"""The limit of saturation: a datapoint is saturated if its largest and smallest logits differ by more than this limit.

With two classes whose logits differ by 12, the larger probability p is about 1 - e^-12, and e^-12 is about 2^-17. A
subtraction in float32 then gives two correct digits of 1 - p.
"""


class Flag(NamedTuple):
    """A property of problems.

    applies: a function that returns True for a problem with the property
    note:    a sentence on the consequences of the property, for the readers of the files
    """

    applies: Callable[[Problem], bool]
    note: str


def factor_shapes(p: Problem) -> list[tuple[int, int]]:
    """The number of rows of Q_l and the number of rows of G_l, for each layer."""
    return [(W.shape[1], W.shape[0]) for W in p.weights]


def hidden(p: Problem) -> list[list[np.ndarray]]:
    """h_1, ..., h_{L-1}, per datapoint."""
    every = [forward(p.reference, x)[1] for x in p.X]
    return [[h[l] for h in every] for l in range(1, len(p.layers))]


def dead(p: Problem) -> bool:
    """True if f'(h) of some hidden unit is 0 at every datapoint. False for a problem with shared weights."""
    if p.is_shared:
        return False
    net = p.reference
    derivatives = (np.array([net.f(l).first(h_n) for h_n in h]) for l, h in enumerate(hidden(p), start=1))
    return any(bool(np.any(np.all(df == 0, axis=0))) for df in derivatives)


def saturated(p: Problem) -> bool:
    """True if the largest and the smallest logit of some datapoint differ by more than `SATURATED`.

    False for a problem with shared weights, and for every objective except "categorical".
    """
    if p.is_shared:
        return False
    outputs = np.array([forward(p.reference, x)[1][len(p.layers)] for x in p.X])
    return p.objective == "categorical" and bool(np.max(np.ptp(outputs, axis=1)) > SATURATED)


FLAGS: dict[str, Flag] = {
    "SingleDatapoint": Flag(
        lambda p: p.N == 1,
        "N = 1: a mean equals a sum, and the mean of a product equals the product of the means. With one datapoint, "
        "KFRA equals KFLR, and a mean that is computed in the wrong place is not visible.",
    ),
    "SingleLabel": Flag(
        lambda p: p.labels.shape[1] == 1,
        "S = 1: the sum over the S samples of a datapoint equals the mean over these samples.",
    ),
    "SingleOutput": Flag(
        lambda p: p.widths[-1] == 1, "D_L = 1: wrong sums, means and permutations over the outputs are not visible."
    ),
    "SingleLayer": Flag(
        lambda p: len(p.layers) == 1,
        "L = 1: no vector is propagated through a layer. With one layer, KFRA equals KFLR, and Q depends only on x.",
    ),
    "PiecewiseLinear": Flag(
        lambda p: {name_of(f) for f in p.transfers} <= {"identity", "relu", "leaky_relu"},
        "f'' = 0 everywhere, so the recursion for the Hessian equals the recursion for the Gauss-Newton matrix.",
    ),
    "SquaredError": Flag(
        lambda p: p.objective == "squared_error",
        "H_L = I: H_L depends on neither labels nor outputs, and the square root of H_L is symmetric.",
    ),
    "TwoClasses": Flag(
        lambda p: p.objective == "categorical" and classes(p.objective, p.widths[-1]) == 2,
        "Two classes: the Hessian of the softmax has rank 1.",
    ),
    "IndefiniteOutputHessian": Flag(
        lambda p: p.objective == "mixture",
        "H_L is indefinite. The field `psd` names the positive semi-definite matrix that replaces H_L, and "
        "the Fisher matrix differs from the Gauss-Newton matrix.",
    ),
    "EqualFactors": Flag(
        lambda p: any(q == g for q, g in factor_shapes(p)),
        "Q and G of some layer have the same shape, so an exchange of Q and G raises no error.",
    ),
    "SquareWeights": Flag(
        lambda p: not p.is_shared and any(D == below > 1 for below, D in pairwise(p.widths)),
        "Some layer has as many units as inputs, so a transpose of the weights raises no error.",
    ),
    "DeadUnit": Flag(
        dead,
        "f' of some unit is 0 at every datapoint, so G is singular, and only the damping makes G invertible.",
    ),
    "Saturated": Flag(
        saturated,
        "The largest and the smallest logit of some datapoint differ by more than 12, so the smallest probability is "
        "below e^-12.",
    ),
    "ZeroInput": Flag(
        lambda p: not np.any(p.X),
        "x = 0 at every datapoint: Q of the first layer has one nonzero element, which belongs to the bias.",
    ),
    "NoBias": Flag(
        lambda p: not all(layer.bias for layer in p.weighted),
        "Some layer has no bias: no unit is appended to its inputs, and no column of its matrix belongs to a bias.",
    ),
    "UnitDamping": Flag(
        lambda p: not p.is_shared and float(p.arguments.gamma + p.arguments.eta) == 1,
        "gamma + eta = 1: a missing or repeated square root of gamma + eta is not visible.",
    ),
    "NoWeightDecay": Flag(
        lambda p: float(p.arguments.eta) == 0, "eta = 0: a missing, doubled or misplaced L2 term is not visible."
    ),
    "TokenWise": Flag(
        lambda p: p.is_shared and is_token_wise(p),
        "No layer mixes positions: the terms of two different positions in an exact block are 0.",
    ),
    "OneOutputPosition": Flag(
        lambda p: p.is_shared and positions_of(p.shapes[-1]) == 1,
        "T_L = 1: sums and means over the positions of the outputs are not visible.",
    ),
    "NoDivisor": Flag(lambda p: p.is_shared and p.divisor == 1, "The divisor is 1: a missing divisor is not visible."),
    "Steps": Flag(
        lambda p: p.trajectory is not None,
        "The quantity is one step of the optimiser from each checkpoint in `trajectory`.",
    ),
}
"""The flags, in the order in which a vector lists them."""


def flags(problem: Problem) -> tuple[str, ...]:
    """The names of the flags that apply to a problem."""
    return tuple(name for name, flag in FLAGS.items() if flag.applies(problem))
