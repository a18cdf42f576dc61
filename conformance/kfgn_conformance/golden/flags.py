"""What is special about a problem, and which mistakes cannot show there: facts of the problem, not opinions."""

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from kfgn_reference import forward

from ..problems.layers import name_of
from ..problems.problem import Problem, classes

SATURATED = 12.0
"""Logits so far apart that 1 - p by subtraction has two digits left in float32: e^-12 is some 2^-17."""


class Flag(NamedTuple):
    """applies: whether it is so. note: what follows from it."""

    applies: Callable[[Problem], bool]
    note: str


def factor_shapes(p: Problem) -> list[tuple[int, int]]:
    """The orders of Q_l and of G_l."""
    return [(W.shape[1], W.shape[0]) for W in p.weights]


def hidden(p: Problem) -> list[list[np.ndarray]]:
    """h_1, ..., h_{L-1} of every datapoint."""
    every = [forward(p.reference, x)[1] for x in p.X]
    return [[h[l] for h in every] for l in range(1, len(p.layers))]


def dead(p: Problem) -> bool:
    """Whether some unit passes nothing back at any datapoint."""
    net = p.reference
    slopes = (np.array([net.f(l).first(h_n) for h_n in h]) for l, h in enumerate(hidden(p), start=1))
    return any(bool(np.any(np.all(slope == 0, axis=0))) for slope in slopes)


def saturated(p: Problem) -> bool:
    """Whether some datapoint has logits of classes that far apart."""
    outputs = np.array([forward(p.reference, x)[1][len(p.layers)] for x in p.X])
    return p.objective == "categorical" and bool(np.max(np.ptp(outputs, axis=1)) > SATURATED)


FLAGS: dict[str, Flag] = {
    "SingleDatapoint": Flag(
        lambda p: p.N == 1,
        "N = 1: a mean is a sum, and of products the product of means: KFRA is KFLR, and where averages are taken "
        "in the wrong place it does not show.",
    ),
    "SingleLabel": Flag(
        lambda p: p.labels.shape[1] == 1, "S = 1: a sum over the samples of a datapoint is their mean."
    ),
    "SingleOutput": Flag(
        lambda p: p.widths[-1] == 1, "D_L = 1: what is summed, averaged or mixed up over the outputs does not show."
    ),
    "SingleLayer": Flag(
        lambda p: len(p.layers) == 1,
        "L = 1: nothing is carried through a layer; KFRA is KFLR, and Q has the inputs alone.",
    ),
    "PiecewiseLinear": Flag(
        lambda p: {name_of(f) for f in p.transfers} <= {"identity", "relu", "leaky_relu"},
        "f'' = 0 everywhere: the recursion of the Hessian has no term of curvature, and its blocks are Gauss-Newton's.",
    ),
    "SquaredError": Flag(
        lambda p: p.objective == "squared_error",
        "H_L = I: the curvature has neither labels nor outputs in it, and the root of H_L is its own transpose.",
    ),
    "TwoClasses": Flag(
        lambda p: p.objective == "categorical" and classes(p.objective, p.widths[-1]) == 2,
        "The Hessian of the softmax has rank 1.",
    ),
    "IndefiniteOutputHessian": Flag(
        lambda p: p.objective == "mixture",
        "The Hessian in the outputs is indefinite: something positive semi-definite stands for it, as `psd` says, and "
        "the Fisher matrix is not the Gauss-Newton matrix.",
    ),
    "EqualFactors": Flag(
        lambda p: any(q == g for q, g in factor_shapes(p)),
        "A layer's Q and G have one shape: taken for each other they fit.",
    ),
    "SquareWeights": Flag(
        lambda p: any(D == below > 1 for below, D in pairwise(p.widths)),
        "A layer has as many units as inputs: its weights fit transposed.",
    ),
    "DeadUnit": Flag(
        dead, "A unit passes nothing back at any datapoint: G is singular, and damping alone has its inverse."
    ),
    "Saturated": Flag(saturated, "Probabilities are near 0 and 1: 1 - p loses its digits if it is subtracted."),
    "ZeroInput": Flag(
        lambda p: not np.any(p.X), "x = 0 at every datapoint: of the first layer's Q there is the unit's corner alone."
    ),
    "UnitDamping": Flag(
        lambda p: float(p.arguments.gamma + p.arguments.eta) == 1,
        "gamma + eta = 1: a root of the damping that is forgotten, or taken twice, does not show.",
    ),
    "NoWeightDecay": Flag(
        lambda p: float(p.arguments.eta) == 0, "eta = 0: L2, forgotten, doubled or in the wrong place, does not show."
    ),
    "Steps": Flag(
        lambda p: p.trajectory is not None, "One step of the optimiser from each of the checkpoints under `trajectory`."
    ),
}
"""In the order in which a vector has them."""


def flags(problem: Problem) -> tuple[str, ...]:
    """Those that apply."""
    return tuple(name for name, flag in FLAGS.items() if flag.applies(problem))
